//! Where a text's sentences begin and end.
//!
//! Answers are cut at these borders and nowhere else, so the rules lean to one
//! side: two sentences kept as one cost a few characters, a sentence cut in two
//! can lose its "not". Scripts with a full stop of their own (Ethiopic ።,
//! Devanagari ।, Khmer ។ and others) are simple; a Latin full stop ends a
//! sentence only when nothing around it says otherwise: decimals, addresses,
//! initials, abbreviations, list numbers.

use std::ops::Range;

/// The sentences of a text, in order, as byte ranges without the space around
/// them. A list item or a short line of its own is a sentence. Every character
/// that is no white space lies in exactly one range.
///
/// Meant for text that went through [`crate::text::normalise`]; any other text
/// is split too, less well.
pub fn sentences(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    for block in blocks(text) {
        split_block(text, block, &mut found);
    }
    found
}

/// Where the words begin in a line that opens with a list marker: `- `, `• `,
/// `3. `, `(b) `.
pub fn list_marker(line: &str) -> Option<usize> {
    let indent = line.len() - line.trim_start().len();
    let marker = line[indent..].split_whitespace().next()?;
    let after = indent + marker.len();
    let words = after + (line[after..].len() - line[after..].trim_start().len());
    let bullet = matches!(marker, "-" | "*" | "+" | "•" | "·" | "–" | "—" | "◦" | "▪" | "●" | "o");
    ((bullet || is_number_marker(marker)) && words < line.len()).then_some(words)
}

/// `3.`, `12)`, `(b)`, `iv.`: a number or a letter that counts items.
fn is_number_marker(marker: &str) -> bool {
    let Some(core) = marker.strip_suffix(['.', ')']) else { return false };
    let core = core.strip_prefix('(').unwrap_or(core);
    let digits = core.len() <= 3 && core.bytes().all(|b| b.is_ascii_digit());
    let roman = core.len() <= 4 && core.bytes().all(|b| matches!(b, b'i' | b'v' | b'x'));
    let letter = core.len() == 1 && core.bytes().all(|b| b.is_ascii_lowercase());
    !core.is_empty() && (digits || roman || letter)
}

/// Stretches of text that no sentence crosses: paragraphs, list items, lines
/// that were not just wrapped.
fn blocks(text: &str) -> Vec<Range<usize>> {
    let mut blocks: Vec<Range<usize>> = Vec::new();
    let mut at = 0;
    let mut before: Option<&str> = None;
    for line in text.split_inclusive('\n') {
        let range = at..at + line.len();
        at = range.end;
        let line = line.trim();
        if line.is_empty() {
            before = None;
            continue;
        }
        match blocks.last_mut() {
            Some(block) if before.is_some_and(|before| is_wrapped(before, line)) => {
                block.end = range.end;
            }
            _ => blocks.push(range),
        }
        before = Some(line);
    }
    blocks
}

/// Whether `next` goes on with what `line` began, because a file was wrapped at
/// some width, rather than standing by itself.
fn is_wrapped(line: &str, next: &str) -> bool {
    const WRAPPED_FROM: usize = 45;
    if list_marker(next).is_some() || line.ends_with(':') {
        return false;
    }
    let goes_on = next.starts_with(|c: char| c.is_lowercase());
    let open = !line.ends_with(|c| is_full_stop(c) || is_latin_end(c) || is_closer(c));
    goes_on || (open && line.chars().count() >= WRAPPED_FROM)
}

fn split_block(text: &str, block: Range<usize>, found: &mut Vec<Range<usize>>) {
    let mut start = block.start;
    let mut depth = Brackets::default();
    let mut chars = text[block.clone()].char_indices().peekable();
    while let Some((offset, c)) = chars.next() {
        depth.see(c);
        if !is_full_stop(c) && !is_latin_end(c) {
            continue;
        }
        let at = block.start + offset;
        // "?!", "..." and the quote or bracket that closes after them belong to
        // the sentence that they end.
        let mut end = at + c.len_utf8();
        while let Some(&(offset, next)) = chars.peek() {
            if !is_full_stop(next) && !is_latin_end(next) && !is_closer(next) {
                break;
            }
            depth.see(next);
            end = block.start + offset + next.len_utf8();
            chars.next();
        }
        let ends = is_full_stop(c) || ends_sentence(&text[start..at], c, &text[end..block.end]);
        if ends && !depth.is_open(&text[end..block.end]) {
            push_trimmed(text, start..end, found);
            start = end;
            depth = Brackets::default();
        }
    }
    push_trimmed(text, start..block.end, found);
}

fn push_trimmed(text: &str, range: Range<usize>, found: &mut Vec<Range<usize>>) {
    let piece = &text[range.clone()];
    let start = range.start + (piece.len() - piece.trim_start().len());
    let piece = piece.trim();
    if !piece.is_empty() {
        found.push(start..start + piece.len());
    }
}

/// Whether a Latin `.`, `!`, `?` or `…` after `before` ends the sentence.
fn ends_sentence(before: &str, mark: char, after: &str) -> bool {
    let Some(next) = after.chars().next() else { return true };
    if !next.is_whitespace() {
        // "38.5", "www.example.org", "a.m", "file.txt".
        return false;
    }
    let next_word = after.trim_start().trim_start_matches(is_opener);
    let Some(next) = next_word.chars().next() else { return true };
    if next.is_lowercase() {
        return false;
    }
    if mark != '.' {
        return true;
    }
    // "1." or "b." with nothing before it counts an item.
    let begun = before.trim_start().trim_start_matches(is_opener);
    if begun.len() <= 4 && is_number_marker(&format!("{begun}.")) {
        return false;
    }
    let word_start = before
        .char_indices()
        .rev()
        .find(|(_, c)| c.is_whitespace() || is_opener(*c) || matches!(c, '/' | ','))
        .map_or(0, |(at, c)| at + c.len_utf8());
    let word = &before[word_start..];
    let counts = word.len() <= 4 && is_number_marker(&format!("{word}."));
    if counts && before[..word_start].trim_end().ends_with([':', ';']) {
        return false;
    }
    match abbreviation(word) {
        Some(Abbreviation::Glued) => return false,
        Some(Abbreviation::BeforeNumber) => return !next.is_numeric(),
        Some(Abbreviation::EndsBeforeCapital) => return next.is_uppercase(),
        None => {}
    }
    let mut letters = word.chars();
    match (letters.next(), letters.next()) {
        // "J. Banda", but "hepatitis B. Wash your hands."
        (Some(initial), None) if initial.is_uppercase() => {
            let earlier = before[..word_start].split_whitespace().next_back().unwrap_or_default();
            NAMED_BY_LETTER.contains(&crate::text::fold(earlier).as_str())
        }
        // "P.O. Box", "U.S. Embassy", "S.L.P. 120".
        (Some(_), Some('.')) => !word.split('.').all(|part| part.chars().count() <= 1),
        _ => true,
    }
}

/// What a full stop after a known short form means.
enum Abbreviation {
    /// A name or more of the same phrase always follows.
    Glued,
    /// A number may follow: "No. 5". Otherwise it is a word of its own.
    BeforeNumber,
    /// It may end a sentence: "at 8 a.m. Bring …".
    EndsBeforeCapital,
}

fn abbreviation(word: &str) -> Option<Abbreviation> {
    let word = crate::text::fold(word);
    let word = word.as_str();
    if GLUED.contains(&word) {
        Some(Abbreviation::Glued)
    } else if BEFORE_NUMBER.contains(&word) {
        Some(Abbreviation::BeforeNumber)
    } else if MAY_END.contains(&word) {
        Some(Abbreviation::EndsBeforeCapital)
    } else {
        None
    }
}

/// Short forms that are never the last word, folded: titles and the like, in
/// English, Swahili, French, Portuguese and Chichewa.
#[rustfmt::skip]
const GLUED: &[&str] = &[
    "dr", "mr", "mrs", "ms", "prof", "rev", "hon", "gen", "col", "sgt", "capt", "st", "messrs",
    "mt", "vs", "cf", "eg", "e.g", "i.e", "viz", "incl", "excl", "approx", "ref", "dept", "govt", "rens",
    "bw", "dkt", "mhe", "k.m", "k.v", "mf", "mme", "mlle", "env", "p.ex", "c.-a-d", "c.a.d",
    "sr", "sra", "srta", "dra", "exmo", "exma", "eng", "prof.a", "d.ra", "aprox",
    "av", "bd", "blvd", "p.o", "s.l.p", "b.p", "c.p", "jr",
];

#[rustfmt::skip]
const BEFORE_NUMBER: &[&str] = &[
    "no", "nos", "na", "c", "ca", "nr", "num", "art", "arts", "sec", "sect", "fig", "figs", "p", "pp", "pg",
    "pag", "vol", "chap", "ch", "cap", "tel", "ext", "para", "par", "al", "n", "uk", "ibid", "box",
    "cell", "mob", "max", "min", "jan", "feb", "mar", "apr", "jun", "jul", "aug", "sep", "sept",
    "oct", "nov", "dec", "rs", "ksh", "tsh", "ush", "mk", "sh", "kifungu", "gr",
];

#[rustfmt::skip]
const MAY_END: &[&str] = &[
    "etc", "a.m", "p.m", "n.k", "nk", "inc", "ltd", "co", "hr", "hrs", "mins", "wk", "wks",
    "kg", "mg", "ml", "cm", "km", "tab", "tabs", "caps", "susp", "inj",
];

/// Words after which a lone capital letter is no initial.
#[rustfmt::skip]
const NAMED_BY_LETTER: &[&str] = &[
    "vitamin", "vitamins", "vitamini", "vitamine", "vitamines", "vitamina", "vitaminas",
    "hepatitis", "hepatite", "form", "fomu", "type", "tipo", "group", "groupe", "grupo", "class",
    "plan", "category", "block", "room", "option", "influenza", "grade", "section", "annex",
    "part", "and", "or", "na", "et", "ou", "e",
];

/// A full stop that is nothing else, with or without space after it.
fn is_full_stop(c: char) -> bool {
    matches!(
        c,
        '።' | '፧'
            | '፨'
            | '।'
            | '॥'
            | '។'
            | '៕'
            | '။'
            | '۔'
            | '؟'
            | '։'
            | '。'
            | '！'
            | '？'
            | '｡'
    )
}

fn is_latin_end(c: char) -> bool {
    matches!(c, '.' | '!' | '?' | '…')
}

fn is_closer(c: char) -> bool {
    matches!(c, '"' | '\'' | ')' | ']' | '}' | '»' | '”' | '’' | '」' | '』' | '）')
}

fn is_opener(c: char) -> bool {
    matches!(
        c,
        '"' | '\'' | '(' | '[' | '{' | '«' | '“' | '‘' | '¿' | '¡' | '「' | '『' | '（' | '*'
    )
}

/// Round brackets around whole sentences hold them together.
#[derive(Default)]
struct Brackets(usize);

impl Brackets {
    /// A bracket that does not close within this many bytes was a slip.
    const REACH: usize = 300;

    fn see(&mut self, c: char) {
        match c {
            '(' => self.0 += 1,
            ')' => self.0 = self.0.saturating_sub(1),
            _ => {}
        }
    }

    fn is_open(&self, rest: &str) -> bool {
        let close = rest.find(')').filter(|at| *at <= Self::REACH);
        let open = rest.find('(');
        self.0 > 0 && close.is_some_and(|close| open.is_none_or(|open| close < open))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::{Expect, expect};
    use proptest::prelude::*;

    fn check(text: &str, expected: Expect) {
        let split: String =
            sentences(text).into_iter().map(|range| format!("{}\n", &text[range])).collect();
        expected.assert_eq(&split);
    }

    #[test]
    fn a_full_stop_ends_a_sentence_unless_the_words_say_otherwise() {
        check(
            "Dr. J. Banda sees children from 8 a.m. to 3 p.m. at P.O. Box 12. Call Tel. 0991 or \
             see www.health.example.org for more. Fever above 38.5 is high. Give vitamin A. \
             Is it free? Yes! The fee is MK 1,500.50 (see No. 4), built c. 1950. Born on 5 Jan. 2024. \
             Bring soap, a card, etc. The nurse helps e.g. Mrs. Phiri. It is open till 4 p.m. Bring water.",
            expect![[r#"
                Dr. J. Banda sees children from 8 a.m. to 3 p.m. at P.O. Box 12.
                Call Tel. 0991 or see www.health.example.org for more.
                Fever above 38.5 is high.
                Give vitamin A.
                Is it free?
                Yes!
                The fee is MK 1,500.50 (see No. 4), built c. 1950.
                Born on 5 Jan. 2024.
                Bring soap, a card, etc.
                The nurse helps e.g. Mrs. Phiri.
                It is open till 4 p.m.
                Bring water.
            "#]],
        );
    }

    #[test]
    fn list_items_are_sentences_and_keep_their_markers() {
        check(
            "Bring these:\n- the clinic card.\n- 2 photos\n1. Wash your hands. Use soap.\n2) Boil the water.\n(b) Wait",
            expect![[r#"
                Bring these:
                - the clinic card.
                - 2 photos
                1. Wash your hands.
                Use soap.
                2) Boil the water.
                (b) Wait
            "#]],
        );
        check(
            "Do this: 1. Wash your hands. 2. Boil the water. 3. Wait.",
            expect![[r#"
                Do this: 1. Wash your hands.
                2. Boil the water.
                3. Wait.
            "#]],
        );
    }

    #[test]
    fn a_table_row_is_split_by_its_fields() {
        check(
            "Name: Kasungu clinic. Opens: 7.30. Phone: +265 1 253 400. Fee: 500",
            expect![[r#"
                Name: Kasungu clinic.
                Opens: 7.30.
                Phone: +265 1 253 400.
                Fee: 500
            "#]],
        );
    }

    #[test]
    fn wrapped_lines_are_one_sentence_and_short_lines_are_not() {
        check(
            "A mother who has a fever in the first week after the\nbirth must go to the clinic at once.\nOpening hours\nMonday to Friday",
            expect![[r#"
                A mother who has a fever in the first week after the
                birth must go to the clinic at once.
                Opening hours
                Monday to Friday
            "#]],
        );
    }

    #[test]
    fn doses_stay_whole() {
        check(
            "Mix 0.5 L of clean water with 1.5 g salt. Give 10 ml/kg. Do not give more than 4 times a day. Zinc 20 mg tab. once a day for 10–14 days.",
            expect![[r#"
                Mix 0.5 L of clean water with 1.5 g salt.
                Give 10 ml/kg.
                Do not give more than 4 times a day.
                Zinc 20 mg tab. once a day for 10–14 days.
            "#]],
        );
    }

    #[test]
    fn other_scripts_have_full_stops_of_their_own() {
        check(
            "ውሃ አፍሉ። እጅዎን ይታጠቡ፧ሂዱ።",
            expect![[r#"
            ውሃ አፍሉ።
            እጅዎን ይታጠቡ፧
            ሂዱ።
        "#]],
        );
        check(
            "पानी उबालें। हाथ धोएं।तुरंत जाएं॥",
            expect![[r#"
            पानी उबालें।
            हाथ धोएं।
            तुरंत जाएं॥
        "#]],
        );
        check(
            "ដាំទឹក។លាងដៃ។ ទៅ៕",
            expect![[r#"
            ដាំទឹក។
            លាងដៃ។
            ទៅ៕
        "#]],
        );
    }

    #[test]
    fn french_portuguese_and_swahili_short_forms_hold() {
        check(
            "M. Diallo et Mme. Ba viennent à l'hôtel de ville (art. 12). Est-ce gratuit ? Oui.",
            expect![[r#"
                M. Diallo et Mme. Ba viennent à l'hôtel de ville (art. 12).
                Est-ce gratuit ?
                Oui.
            "#]],
        );
        check(
            "A Sra. Dra. Lopes atende no n.º 5. Traga o B.I. original. Bw. Juma yuko S.L.P. 120 Moshi. Leta maji, sabuni n.k. Kisha rudi.",
            expect![[r#"
                A Sra. Dra. Lopes atende no n.º 5.
                Traga o B.I. original.
                Bw. Juma yuko S.L.P. 120 Moshi.
                Leta maji, sabuni n.k.
                Kisha rudi.
            "#]],
        );
    }

    #[test]
    fn brackets_and_quotes_close_with_their_sentence() {
        check(
            "She said \"Go now.\" He went. (Open daily. Closed on Sunday.) Ask there.",
            expect![[r#"
                She said "Go now."
                He went.
                (Open daily. Closed on Sunday.)
                Ask there.
            "#]],
        );
    }

    proptest! {
        #[test]
        fn every_character_lies_in_one_sentence(text in "[A-Za-z0-9 .!?()\n\"።।:-]{0,200}|\\PC{0,80}") {
            let mut covered = String::new();
            let mut end = 0;
            for range in sentences(&text) {
                prop_assert!(range.start >= end && range.start < range.end);
                prop_assert_eq!(text[range.clone()].trim(), &text[range.clone()]);
                end = range.end;
                covered.push_str(&text[range]);
            }
            let squeeze = |t: &str| t.chars().filter(|c| !c.is_whitespace()).collect::<String>();
            prop_assert_eq!(squeeze(&covered), squeeze(&text));
        }
    }
}
