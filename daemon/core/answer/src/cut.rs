//! Where a sentence may be cut when it has no room as a whole.

use std::ops::Range;

use jibu_types::Language;
use unicode_segmentation::UnicodeSegmentation;

use crate::languages::{self, Pack, holds, opens};
use crate::text::{fold, words};

/// How many bytes of a sentence stay on a page: the most that `fits`, ended at
/// a comma or the like where one is near, else between two words, and never
/// inside a number, a dose with its unit, or behind a "not", as long as there is
/// any other place. At least one character, unless the sentence is empty.
pub(crate) fn cut(sentence: &str, language: Language, fits: &dyn Fn(&str) -> bool) -> usize {
    let breaks = breaks(sentence, language);
    let fitting = breaks.partition_point(|cut| fits(&sentence[..cut.at]));
    let reach = breaks[..fitting].last().map_or(0, |cut| cut.at);
    let last = |quality: Quality, least: usize| {
        let mut fitting = breaks[..fitting].iter().rev();
        fitting.find(|cut| cut.quality == quality && cut.at >= least).map(|cut| cut.at)
    };
    // A clause border is worth a third of the page.
    last(Quality::Clause, reach - reach / 3)
        .or_else(|| last(Quality::Words, 0))
        .or_else(|| last(Quality::Clause, 0))
        .or_else(|| last(Quality::BeforeNumber, 0))
        .filter(|at| *at > 0)
        .unwrap_or_else(|| cut_anywhere(sentence, fits))
}

/// The part of a sentence that answers by itself: from a semicolon or the start
/// to a semicolon, an explaining clause or the end, around `key`, which answers.
/// The longest that `fits`; none where anything left out could change what is
/// said: a number, a condition, a "not", words before a colon.
pub(crate) fn clause(
    sentence: &str,
    key: &Range<usize>,
    language: Language,
    fits: &dyn Fn(&Range<usize>) -> bool,
) -> Option<Range<usize>> {
    let pack = languages::pack(language)?;
    let borders = borders(sentence);
    let (mut starts, mut ends) = (vec![0], vec![sentence.len()]);
    // From the end: whether nothing but explanations follows, up to a semicolon.
    let mut explained = true;
    for border in borders.iter().rev() {
        let opener: Vec<String> = words(&sentence[border.next..]).take(2).collect();
        // "it" and "then" lean on what stands before.
        if border.is_strong && border.next <= key.start && !opens(pack.leaning, &opener) {
            starts.push(border.next);
        }
        explained = border.is_strong || (explained && opens(pack.asides, &opener));
        if explained && border.at >= key.end {
            ends.push(border.at);
        }
    }
    let pairs = starts.iter().flat_map(|start| ends.iter().map(move |end| *start..*end));
    pairs
        .filter(|part| part.len() < sentence.len())
        .filter(|part| {
            is_dispensable(&sentence[..part.start], pack)
                && is_dispensable(&sentence[part.end..], pack)
        })
        .filter(fits)
        .max_by_key(Range::len)
}

/// Whether a text can be left out without changing what stands beside it.
fn is_dispensable(text: &str, pack: &Pack) -> bool {
    let said: Vec<String> = words(text).collect();
    let turns = [pack.negations, pack.conditions, pack.caveats];
    !text.contains(':')
        && !turns.iter().any(|patterns| holds(patterns, &said))
        && !said.iter().any(|word| is_number(word))
}

/// Where a clause ends, outside of brackets.
struct Border {
    /// The end of the clause, without the mark.
    at: usize,
    /// Where the next one begins.
    next: usize,
    /// A semicolon, behind which a statement of its own begins.
    is_strong: bool,
}

fn borders(sentence: &str) -> Vec<Border> {
    let mut borders = Vec::new();
    let (mut depth, mut at) = (0usize, 0);
    // Behind a colon semicolons part the items of a list.
    let mut is_list = false;
    for token in sentence.split_inclusive(char::is_whitespace) {
        let start = at;
        at += token.len();
        for c in token.chars() {
            match c {
                '(' | '[' => depth += 1,
                ')' | ']' => depth = depth.saturating_sub(1),
                _ => {}
            }
        }
        let word = token.trim_end();
        is_list |= word.ends_with(':');
        let is_strong = word.ends_with(';') && !is_list;
        if depth == 0 && at < sentence.len() && (is_strong || word.ends_with(',') || is_dash(word))
        {
            let kept =
                sentence[..start + word.len()].trim_end_matches([';', ',', '-', '–', '—', ' ']);
            borders.push(Border { at: kept.len(), next: at, is_strong });
        }
    }
    borders
}

/// Between two characters as people see them, for writing without spaces and
/// for words longer than a page.
fn cut_anywhere(sentence: &str, fits: &dyn Fn(&str) -> bool) -> usize {
    let ends: Vec<usize> =
        sentence.grapheme_indices(true).map(|(at, grapheme)| at + grapheme.len()).collect();
    let fitting = ends.partition_point(|end| fits(&sentence[..*end]));
    let end = ends.get(fitting.saturating_sub(1)).copied().unwrap_or(0);
    // Between two digits only where there is nothing else.
    let digits = |c: char| c.is_numeric() || matches!(c, '.' | ',');
    let number = sentence[..end].trim_end_matches(digits);
    let inside = sentence[end..].starts_with(|c: char| c.is_numeric()) && number.len() < end;
    if inside && !number.is_empty() { number.len() } else { end }
}

struct Break {
    /// The end of what stays.
    at: usize,
    quality: Quality,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Quality {
    Clause,
    Words,
    /// What is counted may stand in front of the number: "vidonge viwili".
    BeforeNumber,
    /// It would take a number from its unit or a "not" from its verb.
    Bad,
}

/// Every space between two words.
fn breaks(sentence: &str, language: Language) -> Vec<Break> {
    let mut breaks = Vec::new();
    let mut at = 0;
    // Words since the last number: "10 ml twice a day" is one dose. A number in
    // letters has its unit behind it and no more: "two tablets".
    let mut since_number = usize::MAX;
    const DOSE: usize = 4;
    const IN_LETTERS: usize = DOSE - 2;
    let tokens: Vec<&str> = sentence.split_inclusive(char::is_whitespace).collect();
    for pair in tokens.windows(2) {
        let [token, next] = pair else { continue };
        at += token.len();
        let word = token.trim_end();
        let clause = word.ends_with(is_clause_end) || is_dash(word);
        let has_digit = |text: &str| text.contains(|c: char| c.is_numeric());
        let bare = word.trim_matches(|c: char| !c.is_alphanumeric());
        let next_bare = next.trim_matches(|c: char| !c.is_alphanumeric());
        since_number = match since_number.saturating_add(1) {
            _ if has_digit(word) => 0,
            since if is_number(&fold(bare)) => since.min(IN_LETTERS),
            since => since,
        };
        if clause {
            since_number = usize::MAX;
        }
        let turns = |word: &str| word.split('\'').any(|word| is_negation(word, language));
        let bad = since_number < DOSE || turns(bare) || turns(next_bare) || word.is_empty();
        let quality = match (clause, bad, is_number(&fold(next_bare))) {
            (true, _, false) => Quality::Clause,
            (_, true, _) => Quality::Bad,
            (_, false, true) => Quality::BeforeNumber,
            (false, false, false) => Quality::Words,
        };
        breaks.push(Break { at: at - (token.len() - word.len()), quality });
    }
    breaks
}

/// A comma and the like, in the scripts that have their own.
fn is_clause_end(c: char) -> bool {
    matches!(c, ',' | ';' | ':' | ')' | '፣' | '፤' | '፥' | '،' | '؛' | '၊' | '、' | '，' | '；')
}

fn is_dash(word: &str) -> bool {
    matches!(word, "-" | "–" | "—")
}

/// Whether a word turns the meaning of its neighbour: in its language, or in any
/// where that one is not known.
fn is_negation(word: &str, language: Language) -> bool {
    let word = [fold(word)];
    match languages::pack(language) {
        Some(pack) => opens(pack.negations, &word),
        None => languages::ALL
            .iter()
            .any(|pack| pack.negations.iter().any(|negation| *negation == word[0])),
    }
}

/// Whether a word, folded, is or has a number.
pub(crate) fn is_number(word: &str) -> bool {
    word.contains(|c: char| c.is_numeric()) || NUMBER_WORDS.contains(&word)
}

/// Numbers as folded words, those left out that are articles as well (`un`, `um`).
#[rustfmt::skip]
const NUMBER_WORDS: &[&str] = &[
    "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "twelve",
    "twenty", "thirty", "half", "once", "twice", // English
    "moja", "mbili", "mmoja", "kimoja", "wawili", "miwili", "mawili", "viwili", "tatu", "watatu",
    "mitatu", "matatu", "vitatu", "nne", "minne", "vinne", "tano", "mitano", "vitano", "sita",
    "saba", "nane", "tisa", "kumi", "nusu", // Swahili
    "deux", "trois", "quatre", "cinq", "sept", "huit", "neuf", "dix", "demi", // French
    "dois", "duas", "tres", "quatro", "cinco", "seis", "sete", "oito", "nove", "dez",
    "meia", // Portuguese
    "chimodzi", "imodzi", "limodzi", "ziwiri", "awiri", "iwiri", "zitatu", "atatu", "itatu",
    "zinayi", "anayi", "inayi", "zisanu", "asanu", "isanu", // Chichewa
];

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn head(sentence: &str, room: usize) -> &str {
        &sentence[..cut(sentence, Language::EN, &|text: &str| text.chars().count() <= room)]
    }

    #[test]
    fn a_dose_a_number_and_a_not_stay_whole() {
        let dose = "Give the child 10 ml twice a day after meals and wait";
        for room in 15..32 {
            assert_eq!(head(dose, room), "Give the", "{room}");
        }
        assert_eq!(head(dose, 32), "Give the child 10 ml twice a day");
        assert_eq!(head("You should do not give it to babies", 13), "You should");
        assert_eq!(head("It costs about 1 500 kwacha in all offices", 16), "It costs");
        assert_eq!(head("The mother, who is ill, must rest", 30), "The mother, who is ill,");
        assert_eq!(head("Swallow two tablets with clean water", 14), "Swallow");
        let swahili = "Meza tu dawa vidonge viwili kila siku kwa maji";
        let at = cut(swahili, Language::SW, &|text: &str| text.len() <= 22);
        assert_eq!(&swahili[..at], "Meza tu dawa");
    }

    #[test]
    fn writing_without_spaces_is_cut_between_characters() {
        assert_eq!(head("ដាំទឹកឱ្យពុះ", 3), "ដាំ");
        assert_eq!(head("aaaa12345", 7), "aaaa");
        assert_eq!(head("12345", 2), "12");
    }

    fn around<'t>(sentence: &'t str, key: &str, room: usize) -> Option<&'t str> {
        let start = sentence.find(key).unwrap();
        let key = start..start + key.len();
        let part = clause(sentence, &key, Language::EN, &|part| part.len() <= room)?;
        Some(&sentence[part])
    }

    #[test]
    fn what_only_explains_is_left_out_of_a_clause() {
        let meet =
            "Go to the school by the river, which stands on high ground, because the road floods";
        assert_eq!(
            around(meet, "the school", 60),
            Some("Go to the school by the river, which stands on high ground")
        );
        assert_eq!(around(meet, "the school", 40), Some("Go to the school by the river"));
        assert_eq!(around(meet, "the school", 20), None);
        let offices =
            "Births are registered at the post office; deaths go to the chief; land goes to court";
        assert_eq!(around(offices, "the chief", 40), Some("deaths go to the chief"));
    }

    #[test]
    fn a_clause_that_hangs_on_more_is_not_quoted_alone() {
        for (sentence, key) in [
            ("Give it with milk, unless the child vomits", "milk"),
            ("Do not give aspirin; paracetamol is safer for a child", "paracetamol"),
            ("The card is sold here; it lasts for ever", "for ever"),
            ("Babies need half a tablet; mothers need more of them", "mothers"),
            ("Give the syrup, which must be boiled", "the syrup"),
            ("Give the syrup, which tastes sweet, to the mother", "the syrup"),
            ("Never give: aspirin; codeine; and the like", "codeine"),
            ("Keep (in the dark, because light spoils it) the drops", "drops"),
            ("The mother, who is ill, rests at home", "rests"),
        ] {
            assert_eq!(around(sentence, key, sentence.len() - 1), None, "{sentence}");
        }
        // Nothing is known of what its words would mean.
        let amharic = Language::parse("am").unwrap();
        assert_eq!(clause("a; b", &(0..1), amharic, &|_| true), None);
    }

    /// Words that must not be parted, between words that may.
    fn prescription() -> impl Strategy<Value = String> {
        let whole = prop::sample::select(vec![
            "10 ml",
            "2.5 mg/kg",
            "1 500 kwacha",
            "two tablets",
            "38.5 °C",
            "do not give",
            "never boil",
            "at least 5 days",
            "not more",
            "3 times a day",
        ]);
        let words = "(give|the|child|with|clean|water|and|then|wait|slowly){1}";
        let group =
            (prop::collection::vec(words, 3..6), whole, prop::sample::select(vec!["", ","]))
                .prop_map(|(words, whole, mark)| format!("{} {whole}{mark}", words.join(" ")));
        prop::collection::vec(group, 1..6).prop_map(|groups| groups.join(" "))
    }

    proptest! {
        #[test]
        fn a_cut_is_inside_and_moves_on(sentence in "\\PC{1,80}", room in 0usize..60) {
            let at = cut(&sentence, Language::EN, &|text: &str| text.len() <= room);
            prop_assert!(at > 0 && at <= sentence.len());
            prop_assert!(sentence.is_char_boundary(at));
        }

        #[test]
        fn no_number_unit_or_negation_is_cut(sentence in prescription(), room in 40usize..120) {
            let at = cut(&sentence, Language::EN, &|text: &str| text.len() <= room);
            let (head, tail) = sentence.split_at(at);
            prop_assert!(head.len() <= room);
            if !tail.is_empty() {
                prop_assert!(tail.starts_with(' '), "{head:?} {tail:?}");
                let last = head.split(' ').next_back().unwrap_or_default();
                let parted = |word: &str| is_number(word) || is_negation(word, Language::EN);
                prop_assert!(!parted(&fold(last)), "{head:?} {tail:?}");
                let next = tail.trim_start().split(' ').next().unwrap_or_default();
                let unit = ["ml", "mg/kg", "kwacha", "tablets", "°C", "times", "days", "500"];
                prop_assert!(!unit.contains(&next.trim_end_matches(',')), "{head:?} {tail:?}");
            }
        }

        #[test]
        fn a_clause_holds_the_key_and_loses_no_number_or_negation(
            parts in prop::collection::vec((prescription(), prop::sample::select(vec![
                "; ", ", because ", ", which ", ", unless ", ": ", ", ",
            ])), 1..5),
            pick in any::<prop::sample::Index>(),
            room in 10usize..200,
        ) {
            let sentence: String = parts.iter().map(|(part, mark)| format!("{part}{mark}")).collect();
            let sentence = sentence.trim_end_matches([' ', ',', ';', ':']);
            let places: Vec<usize> = sentence.match_indices(' ').map(|(at, _)| at + 1).collect();
            let start = *pick.get(&places);
            let end = sentence[start..].find(' ').map_or(sentence.len(), |at| start + at);
            let key = start..end;
            if let Some(part) = clause(sentence, &key, Language::EN, &|part| part.len() <= room) {
                prop_assert!(part.start <= key.start && key.end.min(sentence.len()) <= part.end + 1);
                prop_assert!(part.len() <= room);
                for out in [&sentence[..part.start], &sentence[part.end..]] {
                    prop_assert!(words(out).all(|word| !is_number(&word)), "{out:?}");
                    prop_assert!(!out.contains("not ") && !out.contains("never") && !out.contains("unless"));
                }
            }
        }
    }
}
