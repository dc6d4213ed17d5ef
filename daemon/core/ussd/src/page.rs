//! Texts and menus as pages that fit on one USSD screen.

use unicode_segmentation::UnicodeSegmentation;

/// How much one page holds. What alphabet a text needs is asked of the caller,
/// who knows the alphabets.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Septets of a page in the GSM 7-bit alphabet: 182 in the 160 octets of a
    /// USSD string (TS 23.038 §5), or what the operator allows.
    pub septets: usize,
    /// UTF-16 units of a page that the GSM 7-bit alphabet cannot write.
    pub units: usize,
    /// The septets of a text, or `None` where it needs UCS-2.
    pub count: fn(&str) -> Option<usize>,
}

impl Limits {
    /// The usual limits: 182 septets, 70 UTF-16 units.
    pub fn new(count: fn(&str) -> Option<usize>) -> Self {
        Limits { septets: 182, units: 70, count }
    }

    /// No page is smaller than this, whatever the configuration says: the
    /// longest line of keys must stay, with words beside it.
    pub const SMALLEST: usize = 60;

    /// Whether a text fits on one page.
    pub fn fits(&self, text: &str) -> bool {
        match (self.count)(text) {
            Some(septets) => septets <= self.septets.max(Self::SMALLEST),
            None => text.encode_utf16().count() <= self.units.max(Self::SMALLEST),
        }
    }

    /// The text without control characters and doubled spaces, and with plain
    /// marks in place of typographic ones where those alone would halve the page.
    pub(crate) fn tidy(&self, text: &str) -> String {
        let mut lines: Vec<String> = Vec::new();
        for line in text.lines() {
            let words: Vec<&str> = line
                .split(|c: char| c.is_control() || c.is_whitespace())
                .filter(|word| !word.is_empty())
                .collect();
            if !words.is_empty() {
                lines.push(words.join(" "));
            }
        }
        let text = lines.join("\n");
        if (self.count)(&text).is_some() {
            return text;
        }
        let plain = plain_marks(&text);
        if (self.count)(&plain).is_some() { plain } else { text }
    }
}

fn plain_marks(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '“' | '”' | '„' | '«' | '»' => plain.push('"'),
            '‘' | '’' | '‚' | 'ʼ' => plain.push('\''),
            '–' | '—' | '‑' | '−' | '•' | '·' => plain.push('-'),
            '…' => plain.push_str("..."),
            '›' => plain.push('>'),
            '\u{200b}' | '\u{feff}' | '\u{ad}' => {}
            other => plain.push(other),
        }
    }
    plain
}

/// The pieces of a text, each of which fits under `longest`, the longest line
/// of keys; the last one has at least the room of the others. Joined with
/// spaces they are the text again.
pub(crate) fn pieces(text: &str, longest: &str, limits: &Limits) -> Vec<String> {
    let fits = |piece: &str| limits.fits(&under(piece, longest));
    let mut pieces = Vec::new();
    let mut rest = text.trim();
    while !rest.is_empty() {
        let at = if fits(rest) { rest.len() } else { cut(rest, &fits) };
        let (piece, after) = rest.split_at(at);
        pieces.push(piece.trim_end_matches(is_gap).to_owned());
        rest = after.trim_start_matches(is_gap);
    }
    if pieces.is_empty() {
        pieces.push(String::new());
    }
    pieces
}

/// A text with a line under it.
pub(crate) fn under(text: &str, keys: &str) -> String {
    match (text.is_empty(), keys.is_empty()) {
        (_, true) => text.to_owned(),
        (true, _) => keys.to_owned(),
        _ => format!("{text}\n{keys}"),
    }
}

/// White space, and the mark between words of writing without spaces.
fn is_gap(c: char) -> bool {
    c.is_whitespace() || c == '\u{200b}'
}

/// Where to end a page: behind a sentence if that fills most of it, else between
/// two words that are no number and what is counted, else between two words that
/// are not one number. A word longer than a page is cut between characters as
/// people see them. Never 0 for a text that is not empty.
fn cut(text: &str, fits: &dyn Fn(&str) -> bool) -> usize {
    let (mut ends, mut kept, mut any, mut number) = (0, 0, 0, 0);
    let mut gaps = gaps(text).peekable();
    while let Some(gap) = gaps.next_if(|gap| fits(&text[..gap.at])) {
        match gap.parts {
            Parts::Sentences => (ends, kept, any) = (gap.at, gap.at, gap.at),
            Parts::Words => (kept, any) = (gap.at, gap.at),
            Parts::Unit => any = gap.at,
            Parts::Number => number = gap.at,
        }
    }
    if ends * 3 >= any * 2 && ends > 0 {
        return ends;
    }
    if kept * 2 >= any && kept > 0 {
        return kept;
    }
    match (any, number) {
        (0, 0) => inside_a_word(text, fits),
        (0, at) | (at, _) => at,
    }
}

struct Gap {
    at: usize,
    parts: Parts,
}

/// What a gap lies between.
enum Parts {
    Sentences,
    Words,
    /// A number and its neighbour: "10 ml", "mara 3".
    Unit,
    /// Two groups of one number: "1 500".
    Number,
}

/// Every gap between two words, in order.
fn gaps(text: &str) -> impl Iterator<Item = Gap> + '_ {
    let inner = text
        .char_indices()
        .filter(|(at, c)| is_gap(*c) && *at > 0 && !text[..*at].ends_with(is_gap));
    inner.filter_map(move |(at, c)| {
        let (before, after) = (&text[..at], text[at..].trim_start_matches(is_gap));
        let next = after.chars().next()?;
        let last = before.chars().next_back()?;
        let word = before.rsplit(is_gap).next().unwrap_or_default();
        let digits = (word.contains(char::is_numeric), next.is_numeric());
        let parts = match digits {
            _ if c == '\n' || matches!(last, '!' | '?' | '።' | '។' | '।' | '။' | '؟' | '۔') => {
                Parts::Sentences
            }
            (false, _) if last == '.' && word.chars().count() > 3 => Parts::Sentences,
            (true, true) if last.is_numeric() => Parts::Number,
            (true, _) | (_, true) => Parts::Unit,
            (false, false) => Parts::Words,
        };
        Some(Gap { at, parts })
    })
}

fn inside_a_word(text: &str, fits: &dyn Fn(&str) -> bool) -> usize {
    let mut end = 0;
    for (at, grapheme) in text.grapheme_indices(true) {
        let next = at + grapheme.len();
        if end > 0 && !fits(&text[..next]) {
            break;
        }
        // A stacked consonant belongs to the one before it, which the clusters of
        // UAX #29 do not know for every script.
        if !text[..next].ends_with(['\u{17d2}', '\u{1039}', '\u{200d}']) || end == 0 {
            end = next;
        }
    }
    if !fits(&text[..end]) {
        // Marks without end upon one letter.
        let ends = text.char_indices().map(|(at, c)| at + c.len_utf8());
        end = ends.take_while(|end| fits(&text[..*end])).last().unwrap_or(text.len());
    }
    // Between two digits only where there is nothing else.
    let number = text[..end].trim_end_matches(|c: char| c.is_numeric() || matches!(c, '.' | ','));
    let splits_one = text[end..].starts_with(char::is_numeric) && number.len() < end;
    if splits_one && !number.is_empty() { number.len() } else { end }
}

/// A menu's page.
pub(crate) struct MenuPage {
    /// The options on it, by their places in the menu.
    pub(crate) options: std::ops::Range<usize>,
    /// Title and options, without the line of keys.
    pub(crate) text: String,
}

/// The most options on one page: 8, 9 and 0 have their own meaning.
const MOST_OPTIONS: usize = 7;

/// Lays a menu out under a title, each page with room for the keys. An option
/// that does not fit is shortened behind a word; a title that leaves no room for
/// one is left out.
pub(crate) fn menu(title: &str, options: &[String], keys: &str, limits: &Limits) -> Vec<MenuPage> {
    let fits = |text: &str| limits.fits(&under(text, keys));
    let line = |at: usize, label: &str| format!("{}.{label}", at + 1);
    let mut pages = Vec::new();
    let mut first = 0;
    while first < options.len() {
        let mut text = title.to_owned();
        let mut end = first;
        for (at, label) in options[first..].iter().take(MOST_OPTIONS).enumerate() {
            let longer = under(&text, &line(at, label));
            if !fits(&longer) {
                break;
            }
            (text, end) = (longer, first + at + 1);
        }
        if end == first {
            let only = line(0, &options[first]);
            // Half of the label at least must be seen.
            let half = only.chars().count() / 2;
            let shortened = |before: &str| shorten(&only, &|text| fits(&under(before, text)));
            text = match shortened(title) {
                short if short.chars().count() > half => under(title, &short),
                _ => shortened(""),
            };
            end = first + 1;
        }
        pages.push(MenuPage { options: first..end, text });
        first = end;
    }
    pages
}

/// The beginning of a text that fits, with two dots where something is left out.
fn shorten(text: &str, fits: &dyn Fn(&str) -> bool) -> String {
    if fits(text) {
        return text.to_owned();
    }
    let end = cut(text, &|piece| fits(&format!("{piece}..")));
    let short = format!("{}..", text[..end].trim_end());
    if fits(&short) { short } else { String::new() }
}
