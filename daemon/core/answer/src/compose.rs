//! Puts an answer on pages that fit a channel.
//!
//! What the documents say is quoted as it stands, cut at sentence borders; what
//! Jibu says around it are the phrases of one language. How many messages a
//! text takes is asked of the caller, who knows the alphabets.

use std::ops::Range;

use jibu_types::Language;

use crate::answer::{Citation, Grounded, Topic};
use crate::cut::{clause, cut};
use crate::languages::{Pack, fill};
use crate::sentences::{list_marker, sentences};
use crate::text::{clip, plain_latin};

/// What pages are written on: SMS, a screen. It knows its alphabets.
///
/// A function from a text to the parts that it takes is one, too.
pub trait Medium {
    /// How many parts a text takes. More text never takes fewer.
    fn parts(&self, text: &str) -> usize;

    /// The text as it may be written where that takes fewer parts.
    fn plainly(&self, text: &str, words: Words) -> String {
        match words {
            Words::Own => plain_latin(text),
            Words::Quoted(_) => text.to_owned(),
        }
    }

    /// A text as it stands, or plainly where that takes fewer parts.
    fn cheapest(&self, text: &str, words: Words) -> String {
        let plain = self.plainly(text, words);
        if self.parts(&plain) < self.parts(text) { plain } else { text.to_owned() }
    }
}

impl<F: Fn(&str) -> usize> Medium for F {
    fn parts(&self, text: &str) -> usize {
        self(text)
    }
}

/// Whose words a text is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Words {
    /// Jibu's, which may lose their accents to save money.
    Own,
    /// A document's, in its language.
    Quoted(Language),
}

/// What a page may cost.
#[derive(Clone, Copy)]
pub struct Budget<'a> {
    /// The most parts (SMS) that a page may take.
    pub parts: usize,
    /// What it is written on.
    pub medium: &'a dyn Medium,
}

impl Budget<'_> {
    /// Whether a document's words are within the budget, spelt as they would be.
    pub fn fits(&self, text: &str, language: Language) -> bool {
        self.allows(text) || self.allows(&self.medium.plainly(text, Words::Quoted(language)))
    }

    /// Whether a page is within the budget as it stands.
    fn allows(&self, page: &str) -> bool {
        self.cost(page) <= self.parts
    }

    fn cost(&self, page: &str) -> usize {
        self.medium.parts(page)
    }
}

impl std::fmt::Debug for Budget<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Budget").field("parts", &self.parts).finish_non_exhaustive()
    }
}

/// A piece of a passage as the kiosk shows it: marked where it answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Piece<'a> {
    /// The passage's own words.
    pub text: &'a str,
    /// Whether they belong to the answer.
    pub marked: bool,
}

/// The whole passage in pieces, in order.
pub fn marked(grounded: &Grounded) -> Vec<Piece<'_>> {
    let text = grounded.text.as_str();
    let mut pieces = Vec::new();
    let mut end = 0;
    for span in &grounded.spans {
        let (Some(before), Some(inside)) = (text.get(end..span.start), text.get(span.clone()))
        else {
            continue;
        };
        pieces.push(Piece { text: before, marked: false });
        pieces.push(Piece { text: inside, marked: true });
        end = span.end;
    }
    pieces.push(Piece { text: text.get(end..).unwrap_or_default(), marked: false });
    pieces.retain(|piece| !piece.text.is_empty());
    pieces
}

/// No answer is longer than this many pages; the kiosk has the whole document.
const MOST_PAGES: usize = 12;

/// Stands where a quotation leaves something out.
const GAP: &str = " ... ";

/// The pages of a grounded answer: first what answers, with `before` in front
/// and the source behind, then the rest of the passage, each page within the
/// budget. The first page says how to get the next when the answer itself goes
/// on, or when saying so costs nothing.
///
/// An answer of two halves has both on the first page, each with its source, or
/// the second one next.
pub(crate) fn pages(
    grounded: &Grounded,
    before: Option<&str>,
    pack: &Pack,
    budget: &Budget<'_>,
) -> Vec<String> {
    let more = fill(pack.phrases.more, &[("more", &upper(pack.commands.more))]);
    let setting = Setting { before, more: &more, pack, budget };
    let mut quotes: Vec<Quote<'_>> = grounded.halves().map(Quote::of).collect();
    let mut pages = Vec::new();
    let is_last = |pages: &[String]| pages.len() + 1 >= MOST_PAGES;
    if let Some(page) = setting.all_answers(&quotes) {
        quotes.iter_mut().for_each(Quote::drop_answer);
        pages.push(page);
    } else {
        for at in 0..quotes.len() {
            let (owed, left) = (at + 1 < quotes.len(), quotes[..at].iter().any(Quote::has_more));
            pages.push(setting.answer(&mut quotes[at], owed, left));
            while owed && quotes[at].owes_answer() && !is_last(&pages) {
                pages.push(setting.further(&mut quotes[at], Some(true)));
            }
        }
    }
    for at in 0..quotes.len() {
        while quotes[at].has_more() && pages.len() < MOST_PAGES {
            let others = quotes[at + 1..].iter().any(Quote::has_more);
            let hint = if is_last(&pages) { Some(false) } else { others.then_some(true) };
            pages.push(setting.further(&mut quotes[at], hint));
        }
    }
    pages
}

/// What the pages of one answer have in common.
struct Setting<'a> {
    before: Option<&'a str>,
    more: &'a str,
    pack: &'a Pack,
    budget: &'a Budget<'a>,
}

impl Setting<'_> {
    /// Several answers on one page, each with its source; none where that takes
    /// more than a page or there is but one.
    fn all_answers(&self, quotes: &[Quote<'_>]) -> Option<String> {
        let bodies: Vec<String> = quotes.iter().map(Quote::whole_answer).collect();
        let labels: Vec<Vec<String>> =
            quotes.iter().map(|quote| self.source_lines(quote)).collect();
        // From the longest names of the sources to the shortest.
        let steps = labels.iter().map(Vec::len).max().filter(|_| quotes.len() > 1)?;
        let page = |step: usize, hint: bool| {
            let mut lines: Vec<Line<'_>> = self.before.map(Line::said).into_iter().collect();
            for ((quote, body), labels) in quotes.iter().zip(&bodies).zip(&labels) {
                let label = labels.get(step).or(labels.last());
                lines.push(Line::quoted(body, quote.grounded.language));
                lines.extend(label.map(|label| Line::said(label)));
            }
            lines.extend(hint.then_some(Line::said(self.more)));
            render(&lines, self.budget)
        };
        let shortest = page(steps, false);
        if !self.budget.allows(&shortest) {
            return None;
        }
        let cost = self.budget.cost(&shortest);
        let rest = quotes.iter().any(|quote| quote.owed < quote.queue.len());
        // The hint may shorten the sources, but not to stumps.
        let modest = steps.saturating_sub(2);
        let hint = rest && self.budget.cost(&page(modest, true)) <= cost;
        let step = (0..steps).find(|step| self.budget.cost(&page(*step, hint)) <= cost);
        Some(page(step.unwrap_or(steps), hint))
    }

    /// What answers, or as much of it as fits, with its source. Another answer
    /// may be owed as well, or more be left of one before.
    fn answer(&self, quote: &mut Quote<'_>, owed: bool, left: bool) -> String {
        let labels = self.source_lines(quote);
        let shortest = labels.last().map_or("", String::as_str);
        // What is not owed may shorten the source, but not to a stump.
        let modest = labels.iter().rev().nth(1).map_or(shortest, String::as_str);
        let language = quote.grounded.language;
        let page = |body: &str, source: &str, hint: bool| {
            let mut lines = Vec::new();
            lines.extend(self.before.map(Line::said));
            lines.push(Line::quoted(body, language));
            lines.push(Line::said(source));
            lines.extend(hint.then_some(Line::said(self.more)));
            render(&lines, self.budget)
        };
        let fits = |body: &str, hint: bool| self.budget.allows(&page(body, shortest, hint || owed));
        let mut body = quote.take_answer(&fits);
        let must_hint = quote.owes_answer() || owed;
        let cost = self.budget.cost(&page(&body, shortest, must_hint));
        let same_cost = |body: &str, source: &str, hint: bool| {
            self.budget.cost(&page(body, source, hint)) <= cost
        };
        if !must_hint {
            body = quote.extend_free(body, &|body| same_cost(body, modest, false));
        }
        let is_more = left || quote.has_more();
        let hint = must_hint || (is_more && same_cost(&body, modest, true));
        let source = labels.iter().find(|label| same_cost(&body, label, hint));
        page(&body, source.map_or(shortest, String::as_str), hint)
    }

    /// A page of what is left. Whether it says how to get more depends on this
    /// quote, unless that is known.
    fn further(&self, quote: &mut Quote<'_>, hint: Option<bool>) -> String {
        let language = quote.grounded.language;
        let page = |body: &str, more: bool| {
            let mut lines = vec![Line::quoted(body, language)];
            lines.extend(hint.unwrap_or(more).then_some(Line::said(self.more)));
            render(&lines, self.budget)
        };
        let body = quote.take_rest(&|body, more| self.budget.allows(&page(body, more)));
        page(&body, quote.has_more())
    }

    fn source_lines(&self, quote: &Quote<'_>) -> Vec<String> {
        let labels = source_labels(&quote.grounded.citation).into_iter();
        labels.map(|label| fill(self.pack.phrases.source, &[("source", &label)])).collect()
    }
}

/// A menu on one page: labels are shortened, then the last lines dropped, until
/// it is within the budget. Gives the number of lines that are shown.
pub(crate) fn menu(
    intro: &dyn Fn(usize) -> String,
    topics: &[Topic],
    budget: &Budget<'_>,
) -> (String, usize) {
    const WIDTHS: [usize; 6] = [80, 60, 45, 32, 24, 16];
    let page = |shown: usize, width: usize| {
        let labels = topics.iter().take(shown).enumerate().map(|(at, topic)| {
            let label = shorten(&topic.label, width);
            format!("{} {label}", at + 1)
        });
        let labels: Vec<String> = labels.collect();
        let intro = intro(shown);
        let mut lines = vec![Line::said(&intro)];
        lines.extend(labels.iter().map(|label| Line::said(label)));
        render(&lines, budget)
    };
    let layouts = (1..=topics.len()).rev().flat_map(|shown| WIDTHS.map(|width| (shown, width)));
    let narrowest = (topics.len().min(1), WIDTHS[5]);
    let (shown, width) = layouts
        .into_iter()
        .find(|(shown, width)| budget.allows(&page(*shown, *width)))
        .unwrap_or(narrowest);
    (page(shown, width), shown)
}

/// Sentences of Jibu's own on one page: those that must be said, then those of
/// the others that cost no further part.
pub(crate) fn say(must: &[&str], may: &[&str], budget: &Budget<'_>) -> String {
    let page = |said: &[&str]| render(&[Line::said(&said.join(" "))], budget);
    let mut said = must.to_vec();
    let limit = budget.cost(&page(&said)).max(1);
    for sentence in may {
        let mut longer = said.clone();
        longer.push(sentence);
        if budget.cost(&page(&longer)) <= limit {
            said = longer;
        }
    }
    page(&said)
}

/// A command word as it is shown.
pub(crate) fn upper(words: &[&str]) -> String {
    words.first().map_or_else(String::new, |word| word.to_uppercase())
}

/// The title and year, whole first, then shorter and shorter.
fn source_labels(citation: &Citation) -> Vec<String> {
    let name = [citation.title.as_str(), citation.document.as_str()]
        .into_iter()
        .find(|name| !name.trim().is_empty())
        .unwrap_or(citation.collection.as_str());
    let year = citation.date.map(|date| date.to_string().chars().take(4).collect::<String>());
    let with_year = |name: &str| match &year {
        Some(year) if !name.contains(year.as_str()) => format!("{name} {year}"),
        _ => name.to_owned(),
    };
    const WIDTHS: [usize; 7] = [120, 80, 60, 45, 32, 24, 16];
    let mut labels: Vec<String> =
        WIDTHS.iter().map(|width| with_year(&shorten(name, *width))).collect();
    labels.dedup();
    labels
}

/// A name within a width, ended at a word with two dots where it is cut.
fn shorten(name: &str, width: usize) -> String {
    if name.chars().count() <= width {
        return name.to_owned();
    }
    let kept = clip(name, width).trim_end_matches(|c: char| !c.is_alphanumeric());
    format!("{kept}..")
}

/// A line of a page, and whose words it is.
#[derive(Clone, Copy)]
struct Line<'a> {
    words: Words,
    text: &'a str,
}

impl<'a> Line<'a> {
    fn said(text: &'a str) -> Self {
        Line { words: Words::Own, text }
    }

    fn quoted(text: &'a str, language: Language) -> Self {
        Line { words: Words::Quoted(language), text }
    }
}

/// The lines as one text; spelt plainly where that makes the whole cheaper, as
/// people write in messages.
fn render(lines: &[Line<'_>], budget: &Budget<'_>) -> String {
    let joined = |spell: &dyn Fn(&Line<'_>) -> String| {
        let lines = lines.iter().map(spell).filter(|line| !line.is_empty());
        lines.collect::<Vec<_>>().join("\n")
    };
    let spelt = joined(&|line| line.text.to_owned());
    let plain = joined(&|line| budget.medium.plainly(line.text, line.words));
    if spelt != plain && budget.cost(&plain) < budget.cost(&spelt) { plain } else { spelt }
}

/// The sentences of a passage in the order in which they are sent: those that
/// answer, those behind them, those before.
struct Quote<'a> {
    grounded: &'a Grounded,
    text: &'a str,
    queue: std::collections::VecDeque<Sent>,
    /// How many of the queue belong to the answer.
    owed: usize,
    /// Where the last sentence ended that went out whole.
    end: Option<usize>,
}

#[derive(Clone)]
struct Sent {
    range: Range<usize>,
    /// It goes on from a page before.
    continued: bool,
}

impl<'a> Quote<'a> {
    fn of(grounded: &'a Grounded) -> Self {
        let all = sentences(&grounded.text);
        let inside = |range: &Range<usize>| {
            grounded.spans.iter().any(|span| span.start <= range.start && range.end <= span.end)
        };
        let (answer, others): (Vec<_>, Vec<_>) = all.into_iter().partition(inside);
        let end = answer.last().map_or(0, |range| range.end);
        let (behind, before): (Vec<_>, Vec<_>) =
            others.into_iter().partition(|range| range.start >= end);
        let owed = answer.len();
        let queue = answer.into_iter().chain(behind).chain(before);
        let queue = queue.map(|range| Sent { range, continued: false }).collect();
        Quote { grounded, text: &grounded.text, queue, owed, end: None }
    }

    fn has_more(&self) -> bool {
        !self.queue.is_empty()
    }

    fn owes_answer(&self) -> bool {
        self.owed > 0
    }

    fn whole_answer(&self) -> String {
        let answer: Vec<Sent> = self.queue.iter().take(self.owed).cloned().collect();
        self.join(&answer)
    }

    fn drop_answer(&mut self) {
        self.drop_first(self.owed);
    }

    /// As much of the answer as fits. `fits` is told whether more will follow.
    fn take_answer(&mut self, fits: &dyn Fn(&str, bool) -> bool) -> String {
        if let Some(clause) = self.clause(fits) {
            return clause;
        }
        let owed = self.owed;
        self.take(owed, &|body, left| fits(body, left > 0))
    }

    /// Of a first sentence that is too long, the part that says the key words.
    /// The sentence stays to be sent as a whole.
    fn clause(&self, fits: &dyn Fn(&str, bool) -> bool) -> Option<String> {
        let (key, first) = (self.grounded.key.as_ref()?, &self.queue.front()?.range);
        let sentence = &self.text[first.clone()];
        let inside = first.start <= key.start && key.end <= first.end;
        if !inside || fits(sentence, self.owed > 1) {
            return None;
        }
        let key = key.start - first.start..key.end - first.start;
        let quoted = |part: &Range<usize>| {
            let lead = if part.start > 0 { GAP.trim_start() } else { "" };
            let tail = if part.end < sentence.len() { GAP.trim_end() } else { "" };
            format!("{lead}{}{tail}", &sentence[part.clone()])
        };
        let part =
            clause(sentence, &key, self.grounded.language, &|part| fits(&quoted(part), true));
        part.map(|part| quoted(&part))
    }

    /// As much of all that is left as fits. `fits` is told whether more will
    /// follow.
    fn take_rest(&mut self, fits: &dyn Fn(&str, bool) -> bool) -> String {
        let all = self.queue.len();
        self.take(all, &|body, left| fits(body, left > 0))
    }

    /// Takes up to `most` sentences, as many as fit, or a part of the first.
    /// `fits` is told how many of the `most` are left.
    fn take(&mut self, most: usize, fits: &dyn Fn(&str, usize) -> bool) -> String {
        // More than any page holds.
        const MOST_SENTENCES: usize = 64;
        let ranges: Vec<Sent> = self.queue.iter().take(most.min(MOST_SENTENCES)).cloned().collect();
        let whole = (1..=ranges.len())
            .rev()
            .find(|taken| fits(&self.join(&ranges[..*taken]), most - taken));
        let taken = whole.unwrap_or(0);
        if taken > 0 && !(taken < ranges.len() && self.announces(&ranges[..taken])) {
            self.drop_first(taken);
            return self.join(&ranges[..taken]);
        }
        let Some(next) = ranges.get(taken) else { return String::new() };
        let sentence = &self.text[next.range.clone()];
        let part = |head: &str| {
            let range = next.range.start..next.range.start + head.len();
            let shown = [&ranges[..taken], &[Sent { range, continued: next.continued }]].concat();
            self.join(&shown) + GAP.trim_end()
        };
        let at = cut(sentence, self.grounded.language, &|head| fits(&part(head), most));
        let rest = &sentence[at..];
        let start = next.range.start + at + (rest.len() - rest.trim_start().len());
        let whole = start >= next.range.end;
        if taken > 0 && (whole || !fits(&part(&sentence[..at]), most)) {
            self.drop_first(taken);
            return self.join(&ranges[..taken]);
        }
        let body = part(&sentence[..at]);
        let rest = start..next.range.end;
        self.drop_first(taken);
        if whole {
            self.drop_first(1);
            return self.join(&ranges[..1]);
        }
        if let Some(front) = self.queue.front_mut() {
            *front = Sent { range: rest, continued: true };
        }
        body
    }

    /// Whether some sentences only announce what follows, and should not stand
    /// on a page without it: a lead-in, a label.
    fn announces(&self, sent: &[Sent]) -> bool {
        let [.., last] = sent else { return false };
        let last_text = &self.text[last.range.clone()];
        let open = last_text.ends_with(|c: char| c.is_alphanumeric());
        last_text.ends_with(':') || (sent.len() == 1 && open && list_marker(last_text).is_none())
    }

    fn drop_first(&mut self, count: usize) {
        let mut gone = self.queue.drain(..count.min(self.queue.len()));
        self.end = gone.next_back().map(|sent| sent.range.end);
        self.owed = self.owed.saturating_sub(count);
    }

    /// Goes on in the same paragraph while that is free.
    fn extend_free(&mut self, mut body: String, fits: &dyn Fn(&str) -> bool) -> String {
        while let (Some(end), Some(next)) = (self.end, self.queue.front()) {
            let sentence = &self.text[next.range.clone()];
            let Some(gap) = self.text.get(end..next.range.start) else { break };
            let longer = format!("{body}{gap}{sentence}");
            let follows = gap.trim().is_empty() && !gap.contains('\n');
            if !follows || sentence.ends_with('?') || !fits(&longer) {
                break;
            }
            body = longer;
            self.drop_first(1);
        }
        body
    }

    /// The sentences as one text: as they stand where they are neighbours, with
    /// dots or on lines of their own where something is left out.
    fn join(&self, sent: &[Sent]) -> String {
        let mut out = String::new();
        let mut end: Option<usize> = None;
        for Sent { range, continued } in sent {
            match end {
                None if *continued => out.push_str(GAP.trim_start()),
                None => {}
                Some(end) => match self.text.get(end..range.start) {
                    Some(between) if between.trim().is_empty() => out.push_str(between),
                    Some(between) if has_items(between) => out.push_str("\n...\n"),
                    Some(between) if !between.contains('\n') && is_prose(between) => {
                        out.push_str(GAP);
                    }
                    _ => out.push('\n'),
                },
            }
            out.push_str(&self.text[range.clone()]);
            end = Some(range.end);
        }
        out
    }
}

/// Whether what was left out is running text rather than fields of a row.
fn is_prose(between: &str) -> bool {
    !between.contains(": ")
}

/// Whether items of a list were left out.
fn has_items(between: &str) -> bool {
    between.lines().any(|line| list_marker(line).is_some())
}

#[cfg(test)]
#[path = "compose_tests.rs"]
mod tests;
