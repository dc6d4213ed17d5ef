//! Where a sentence may be cut when it has no room as a whole.

use unicode_segmentation::UnicodeSegmentation;

use crate::excerpt::is_negation;

/// How many bytes of a sentence stay on a page: the most that `fits`, ended at
/// a comma or the like where one is near, else between two words, and never
/// inside a number, a dose with its unit, or behind a "not", as long as there is
/// any other place. At least one character, unless the sentence is empty.
pub(crate) fn cut(sentence: &str, fits: &dyn Fn(&str) -> bool) -> usize {
    let breaks = breaks(sentence);
    let fitting = breaks.partition_point(|cut| fits(&sentence[..cut.at]));
    let reach = breaks[..fitting].last().map_or(0, |cut| cut.at);
    // A clause border is worth a third of the page.
    let near = |at: usize| at * 3 >= reach * 2;
    let best = [Quality::Clause, Quality::Words].into_iter().find_map(|quality| {
        let mut candidates = breaks[..fitting].iter().rev().filter(|cut| cut.quality == quality);
        candidates.find(|cut| quality != Quality::Clause || near(cut.at)).map(|cut| cut.at)
    });
    best.filter(|at| *at > 0).unwrap_or_else(|| cut_anywhere(sentence, fits))
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
    /// It would take a number from its unit or a "not" from its verb.
    Bad,
}

/// Every space between two words.
fn breaks(sentence: &str) -> Vec<Break> {
    let mut breaks = Vec::new();
    let mut at = 0;
    // Words since the last number: "10 ml twice a day" is one dose.
    let mut since_number = usize::MAX;
    const DOSE: usize = 4;
    let tokens: Vec<&str> = sentence.split_inclusive(char::is_whitespace).collect();
    for pair in tokens.windows(2) {
        let [token, next] = pair else { continue };
        at += token.len();
        let word = token.trim_end();
        let clause = word.ends_with([',', ';', ':', ')']) || matches!(word, "-" | "–" | "—");
        let has_digit = |text: &str| text.contains(|c: char| c.is_numeric());
        since_number = if has_digit(word) { 0 } else { since_number.saturating_add(1) };
        if clause {
            since_number = usize::MAX;
        }
        let bare = word.trim_matches(|c: char| !c.is_alphanumeric());
        let next_bare = next.trim_matches(|c: char| !c.is_alphanumeric());
        let bad = has_digit(next)
            || since_number < DOSE
            || is_negation(bare)
            || is_negation(next_bare)
            || bare.split('\'').any(is_negation)
            || word.is_empty();
        let quality = match (clause && !has_digit(next), bad) {
            (true, _) => Quality::Clause,
            (false, false) => Quality::Words,
            (false, true) => Quality::Bad,
        };
        breaks.push(Break { at: at - (token.len() - word.len()), quality });
    }
    breaks
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn head(sentence: &str, room: usize) -> &str {
        &sentence[..cut(sentence, &|text: &str| text.chars().count() <= room)]
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
    }

    #[test]
    fn writing_without_spaces_is_cut_between_characters() {
        assert_eq!(head("ដាំទឹកឱ្យពុះ", 3), "ដាំ");
        assert_eq!(head("aaaa12345", 7), "aaaa");
        assert_eq!(head("12345", 2), "12");
    }

    proptest! {
        #[test]
        fn a_cut_is_inside_and_moves_on(sentence in "\\PC{1,80}", room in 0usize..60) {
            let at = cut(&sentence, &|text: &str| text.len() <= room);
            prop_assert!(at > 0 && at <= sentence.len());
            prop_assert!(sentence.is_char_boundary(at));
        }
    }
}
