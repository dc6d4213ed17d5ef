//! Cuts a document into passages: what is indexed, ranked, quoted and cited.
//!
//! A passage never crosses a heading. Inside a section, paragraphs, whole lists
//! and table rows are gathered up to about a hundred words; what is too long is
//! cut between items, then between sentences, and between words only where a
//! sentence alone is too long. A list or table that goes on in a further
//! passage takes its lead-in line along.

use std::collections::HashSet;

use jibu_answer::{normalise, sentences, text::normalise_line};
use jibu_sync::Body;

use crate::{Block, Item, Table};

/// The most words of a passage.
pub const MAX_WORDS: usize = 180;

/// A passage that has this many words takes no more paragraphs than fit
/// [`FULL_WORDS`].
const ENOUGH_WORDS: usize = 60;

/// What a passage is filled up to.
const FULL_WORDS: usize = 120;

/// A passage shorter than this joins the one before, where both fit one.
const SCANT_WORDS: usize = 40;

/// The most words of a lead-in that is repeated.
const CONTEXT_WORDS: usize = 40;

/// The most bytes of a passage's text: with headings and the document's fields
/// it stays below [`jibu_sync::MAX_PASSAGE_BYTES`].
const MAX_BYTES: usize = 4_000;

/// A longer heading is a paragraph that somebody made large.
const HEADING_CHARS: usize = 120;

/// A longer run of letters without a space is cut, since nothing else can be done.
const TOKEN_BYTES: usize = 400;

/// The passages of a document called `title`, in reading order, none twice.
pub fn chunk(title: &str, blocks: &[Block]) -> Vec<Body> {
    let mut chunker = Chunker { title: normalise_line(title), ..Chunker::default() };
    let mut lead = None;
    for (at, block) in blocks.iter().enumerate() {
        let leads = matches!(blocks.get(at + 1), Some(Block::List(_) | Block::Table(_)));
        match block {
            Block::Heading { level, text } => chunker.heading(*level, text),
            Block::Paragraph(text) => lead = chunker.paragraph(text, leads),
            Block::List(items) => chunker.list(items, lead.take()),
            Block::Table(table) => chunker.table(table, lead.take()),
        }
    }
    chunker.finish()
}

/// A text's length in words. Where words are not set apart by spaces, ten
/// characters are taken for one.
pub fn count_words(text: &str) -> usize {
    text.split_whitespace().count().max(text.chars().count().div_ceil(10))
}

/// A heading above the running text.
struct Heading {
    level: u8,
    text: String,
    /// Whether some passage stands below it.
    used: bool,
}

/// What is not cut unless it is too long for a passage.
struct Unit {
    /// What stands between this and what comes before in the same passage.
    joint: &'static str,
    text: String,
    /// What a passage repeats when it begins with this unit.
    context: String,
}

/// A passage while it grows.
#[derive(Default)]
struct Draft {
    text: String,
    words: usize,
    /// Bytes of repeated context at the start of `text`.
    repeated: usize,
    /// The joint of its first unit.
    joint: &'static str,
}

#[derive(Default)]
struct Chunker {
    title: String,
    headings: Vec<Heading>,
    /// The passages of the section so far; the last one is open.
    drafts: Vec<Draft>,
    open: Draft,
    done: Vec<Body>,
}

impl Chunker {
    fn heading(&mut self, level: u8, text: &str) {
        let text = normalise_line(text);
        if text.chars().count() > HEADING_CHARS {
            self.paragraph(&text, false);
            return;
        }
        self.end_section();
        while self.headings.last().is_some_and(|above| above.level >= level) {
            self.drop_heading();
        }
        let is_title = self.headings.is_empty() && text == self.title;
        if !is_title && !text.is_empty() {
            self.headings.push(Heading { level, text, used: false });
        }
    }

    /// Takes a paragraph, but for the last sentence where that leads in a list
    /// or a table, which comes back.
    fn paragraph(&mut self, text: &str, leads: bool) -> Option<String> {
        let text = normalise(text);
        let mut rest = text.as_str();
        let mut lead = None;
        if leads
            && text.ends_with([':', '：'])
            && let Some(last) = sentences(&text).pop()
            && let Some((before, after)) = text.split_at_checked(last.start)
            && count_words(after) <= CONTEXT_WORDS
        {
            lead = Some(after.to_owned());
            rest = before.trim_end();
        }
        if !rest.is_empty() {
            self.place(vec![Unit { joint: "\n\n", text: rest.to_owned(), context: String::new() }]);
        }
        lead
    }

    fn list(&mut self, items: &[Item], lead: Option<String>) {
        let mut units = lead_unit(lead.as_deref());
        // The items that the current one stands below, outermost first.
        let mut above: Vec<(usize, String)> = Vec::new();
        for item in items {
            let text = normalise_line(&item.text);
            if text.is_empty() {
                continue;
            }
            above.retain(|(depth, _)| *depth < item.depth);
            // A stroke less is a character less to send, so nested items are
            // told apart by their marker and not by blanks before it.
            let nested = item.marker == "-" && !above.is_empty();
            let line = format!("{} {text}", if nested { "*" } else { &item.marker });
            let context = lead.iter().chain(above.iter().map(|(_, line)| line));
            let context = context.map(String::as_str).collect::<Vec<_>>().join("\n");
            units.push(Unit { joint: "\n", text: line.clone(), context: bounded(context) });
            above.push((item.depth, line));
        }
        self.place(units);
    }

    fn table(&mut self, table: &Table, lead: Option<String>) {
        let mut units = lead_unit(lead.as_deref());
        for row in &table.rows {
            let fields = fields(&table.header, row);
            if table.row_is_passage {
                self.end_section();
                self.row(&fields);
                self.end_section();
            } else if !fields.is_empty() {
                let context = bounded(lead.clone().unwrap_or_default());
                units.push(Unit { joint: "\n", text: fields.join(" "), context });
            }
        }
        self.place(units);
    }

    /// A row as a passage of its own. One that is too long is cut between
    /// fields, and its first field says in each piece what the row is about.
    fn row(&mut self, fields: &[String]) {
        let first = bounded(fields.first().cloned().unwrap_or_default());
        let units = fields.iter().enumerate().map(|(at, field)| Unit {
            joint: " ",
            text: field.clone(),
            context: if at == 0 { String::new() } else { first.clone() },
        });
        self.place(units.collect());
    }

    /// Puts units that belong together into the open passage or, where they do
    /// not fit, into further ones.
    fn place(&mut self, units: Vec<Unit>) {
        let words: usize = units.iter().map(Unit::words).sum();
        let bytes: usize = units.iter().map(Unit::bytes).sum();
        let whole = words <= MAX_WORDS && bytes <= MAX_BYTES;
        if whole && !self.open.takes(words, bytes) || !whole && self.open.words >= ENOUGH_WORDS {
            self.end_draft();
        }
        let mut first = true;
        for unit in units.into_iter().flat_map(Unit::divided) {
            let fits = self.open.takes(unit.words(), unit.bytes());
            // A whole that fits has been checked above.
            if !whole && !fits {
                self.end_draft();
            }
            self.open.push(unit, first);
            first = false;
        }
    }

    fn end_draft(&mut self) {
        if !self.open.text.is_empty() {
            self.drafts.push(std::mem::take(&mut self.open));
        }
    }

    fn end_section(&mut self) {
        self.end_draft();
        if let [.., before, last] = self.drafts.as_mut_slice()
            && last.words < SCANT_WORDS
            && before.words + last.words < MAX_WORDS
            && before.text.len() + last.text.len() + 2 <= MAX_BYTES
        {
            let own = last.text.get(last.repeated..).unwrap_or_default();
            before.text.push_str(last.joint);
            before.text.push_str(own);
            self.drafts.pop();
        }
        for draft in std::mem::take(&mut self.drafts) {
            self.emit(draft.text);
        }
    }

    fn emit(&mut self, text: String) {
        self.headings.iter_mut().for_each(|heading| heading.used = true);
        let section = self.headings.iter().map(|heading| heading.text.clone()).collect();
        self.done.push(Body { section, text });
    }

    /// Leaves a heading behind. One that nothing stands below is a passage
    /// itself, so that its words are not lost.
    fn drop_heading(&mut self) {
        if let Some(heading) = self.headings.pop()
            && !heading.used
        {
            self.emit(heading.text);
        }
    }

    fn finish(mut self) -> Vec<Body> {
        self.end_section();
        while !self.headings.is_empty() {
            self.drop_heading();
        }
        let mut seen = HashSet::new();
        self.done.retain(|body| seen.insert((body.section.clone(), body.text.clone())));
        self.done
    }
}

impl Draft {
    /// Whether more words and bytes belong into this passage.
    fn takes(&self, words: usize, bytes: usize) -> bool {
        let total = self.words + words;
        let fits = total <= FULL_WORDS || self.words < ENOUGH_WORDS && total <= MAX_WORDS;
        self.text.is_empty() || fits && self.text.len() + bytes <= MAX_BYTES
    }

    /// Adds a unit; one that begins a passage, and did not begin its list or
    /// paragraph, brings its context.
    fn push(&mut self, unit: Unit, begins: bool) {
        if self.text.is_empty() {
            self.joint = unit.joint;
            if !begins && !unit.context.is_empty() {
                self.text = unit.context + unit.joint;
                self.repeated = self.text.len();
            }
        } else {
            self.text.push_str(unit.joint);
        }
        self.text.push_str(&unit.text);
        self.words = count_words(&self.text);
    }
}

impl Unit {
    /// The words that it adds to a passage, at most.
    fn words(&self) -> usize {
        count_words(&self.text) + 1
    }

    /// The bytes that it adds to a passage.
    fn bytes(&self) -> usize {
        self.text.len() + self.joint.len()
    }

    /// The unit, or its sentences where it is too long for one passage, or
    /// their words where a sentence is.
    fn divided(self) -> Vec<Unit> {
        let words = MAX_WORDS - count_words(&self.context) - 1;
        let bytes = MAX_BYTES - self.context.len() - self.joint.len();
        let fits = |text: &str| count_words(text) <= words && text.len() <= bytes;
        if fits(&self.text) {
            return vec![self];
        }
        let mut pieces = Vec::new();
        for range in sentences(&self.text) {
            match self.text.get(range).unwrap_or_default() {
                sentence if fits(sentence) => pieces.push(sentence.to_owned()),
                sentence => pieces.extend(by_words(sentence, fits)),
            }
        }
        let context = &self.context;
        let unit = |(at, text)| Unit {
            joint: if at == 0 { self.joint } else { " " },
            text,
            context: context.clone(),
        };
        pieces.into_iter().enumerate().map(unit).collect()
    }
}

/// A sentence in pieces that fit, cut between words.
fn by_words(sentence: &str, fits: impl Fn(&str) -> bool) -> Vec<String> {
    let mut pieces = Vec::new();
    let mut open = String::new();
    for token in sentence.split_whitespace().flat_map(tokens) {
        let longer = if open.is_empty() { token.to_owned() } else { format!("{open} {token}") };
        if open.is_empty() || fits(&longer) {
            open = longer;
        } else {
            pieces.push(std::mem::replace(&mut open, token.to_owned()));
        }
    }
    pieces.push(open);
    pieces
}

/// A word, or pieces of one that no passage could hold.
fn tokens(word: &str) -> Vec<&str> {
    let mut rest = word;
    let mut pieces = Vec::new();
    while rest.len() > TOKEN_BYTES {
        let end = rest.floor_char_boundary(TOKEN_BYTES);
        let (piece, after) = rest.split_at(end);
        pieces.push(piece);
        rest = after;
    }
    pieces.push(rest);
    pieces
}

/// A context that is short enough to be repeated, or none.
fn bounded(context: String) -> String {
    let short = count_words(&context) <= CONTEXT_WORDS && context.len() <= MAX_BYTES / 4;
    if short { context } else { String::new() }
}

fn lead_unit(lead: Option<&str>) -> Vec<Unit> {
    let unit = |lead: &str| Unit { joint: " ", text: lead.to_owned(), context: String::new() };
    lead.map(unit).into_iter().collect()
}

/// A row's cells as sentences that name their column: `Fee: free.` A cell that
/// reaches over the whole row belongs to no column.
fn fields(header: &[String], row: &[String]) -> Vec<String> {
    let spans = row.len() > 1 && row.iter().all(|cell| Some(cell) == row.first());
    let (header, row) = if spans { (&[][..], &row[..1]) } else { (header, row) };
    let cells = row.iter().enumerate().filter_map(|(at, cell)| {
        let value = normalise_line(cell);
        (!value.is_empty()).then(|| (header.get(at).map(|name| column(name)), value))
    });
    cells
        .map(|(name, value)| {
            let stop = if value.ends_with(['.', '!', '?', '።', '।']) { "" } else { "." };
            match name.filter(|name| !name.is_empty()) {
                Some(name) => format!("{name}: {value}{stop}"),
                None => format!("{value}{stop}"),
            }
        })
        .collect()
}

/// A column's name as the beginning of a sentence: `clinic_hours` is `Clinic hours`.
fn column(name: &str) -> String {
    let name = normalise_line(&name.replace('_', " "));
    let name = name.trim_end_matches(':');
    let mut letters = name.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

#[cfg(test)]
mod tests;
