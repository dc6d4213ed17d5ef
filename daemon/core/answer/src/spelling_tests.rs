use std::convert::Infallible;

use proptest::prelude::*;

use super::*;
use crate::danger::Danger;

/// Words with the numbers of their passages; those with `sw` are Swahili.
struct Index(&'static [(&'static str, u64)]);

const INDEX: Index = Index(&[
    ("the", 90),
    ("child", 30),
    ("children", 12),
    ("chill", 1),
    ("has", 60),
    ("fever", 20),
    ("hypotension", 3),
    ("convulsions", 4),
    ("medicine", 9),
    ("amoxicillin", 2),
    ("what", 40),
    ("mtoto_sw", 7),
]);

impl Vocabulary for Index {
    type Error = Infallible;

    fn knows(&self, word: &str) -> Result<bool, Infallible> {
        Ok(self.0.iter().any(|(term, _)| term.trim_end_matches("_sw") == word))
    }

    fn beginning_with(&self, letter: char) -> Result<Vec<(String, u64)>, Infallible> {
        let terms =
            self.0.iter().map(|(term, count)| (term.trim_end_matches("_sw").into(), *count));
        Ok(terms.filter(|(term, _): &(String, u64)| term.starts_with(letter)).collect())
    }

    fn is_used_in(&self, word: &str, language: Language) -> Result<bool, Infallible> {
        let swahili = self.0.iter().any(|(term, _)| term.strip_suffix("_sw") == Some(word));
        Ok(swahili == (language == Language::SW))
    }

    /// One for a word of the index or one that is plainly a word, else many.
    fn pieces(&self, word: &str) -> usize {
        let is_word = self.knows(word).unwrap() || matches!(word, "hypertension" | "chile");
        if is_word { 1 } else { word.len() }
    }
}

fn restored(text: &str) -> String {
    restore(&Query::analyse(text, Language::EN), &INDEX).unwrap().text
}

#[test]
fn a_hurried_question_is_spelt_as_the_passages_are() {
    assert_eq!(
        restored("what mdcn 4 the chld has fevver?"),
        "what medicine 4 the child has fever?"
    );
    // Long and all but right, though cut no finer than what was meant.
    assert_eq!(restored("the child has amoxcillin"), "the child has amoxicillin");
    // Swapped, wrong and missing letters.
    assert_eq!(restored("the chidlren has fevwr"), "the children has fever");
    assert_eq!(restored("THE CHILD HAS FEVR"), "THE CHILD HAS fever");
}

#[test]
fn what_is_a_word_stays_although_no_passage_has_it() {
    for text in ["what has hypertension", "the child has mtto", "what has chile", "the fever has x"]
    {
        assert_eq!(restored(text), text);
    }
}

#[test]
fn names_and_numbers_stay() {
    assert_eq!(restored("has the child Fevre fever"), "has the child Fevre fever");
    assert_eq!(restored("what has fev3r the child"), "what has fev3r the child");
}

#[test]
fn a_text_in_another_language_stays() {
    let text = "wangu ana medcine fevr chld homa";
    assert_eq!(restored(text), text);
}

#[test]
fn danger_that_was_misspelt_is_heard() {
    let query = Query::analyse("the child has convlsions", Language::EN);
    assert_eq!(query.danger, None);
    let query = restore(&query, &INDEX).unwrap();
    assert_eq!(query.danger, Some(Danger::Medical));
    assert_eq!(query.words, ["child", "convulsions"]);
}

#[test]
fn an_error_has_its_price() {
    let cost = |typed: &str, meant: &str, most| {
        let letters = |word: &str| word.chars().collect::<Vec<_>>();
        cost(&letters(typed), &letters(meant), most)
    };
    for (typed, meant, wanted) in [
        ("fever", "fever", 0.0),
        ("fevr", "fever", SLIGHT),
        ("fevver", "fever", SLIGHT),
        ("leter", "letter", SLIGHT),
        ("fevre", "fever", SWAPPED),
        ("fecer", "fever", ERROR),
        ("feer", "fever", ERROR),
        ("fewver", "fever", ERROR),
        ("mdcn", "medicine", 4.0 * SLIGHT),
    ] {
        assert!((cost(typed, meant, 9.0) - wanted).abs() < 1e-9, "{typed} for {meant}");
    }
    assert_eq!(cost("abcdef", "uvwxyz", 2.0), f64::INFINITY);
}

proptest! {
    #[test]
    fn any_text_can_be_restored(text in any::<String>()) {
        let query = Query::analyse(&text, Language::EN);
        let once = restore(&query, &INDEX).unwrap();
        prop_assert_eq!(once.language, query.language);
        prop_assert!(once.danger.is_some() || query.danger.is_none());
    }

    #[test]
    fn known_words_stay(text in "(the |child |has |fever ){0,8}") {
        let query = Query::analyse(&text, Language::EN);
        prop_assert_eq!(restore(&query, &INDEX).unwrap(), query);
    }
}
