//! Short forms that people type for everyday words: "wat", "hw", "ppl", "qd", "bcp".
//!
//! They are too short for the prices of errors to tell what was meant, and each
//! would count as a word that no passage knows.

use jibu_types::Language;

use super::{names, with_words};
use crate::languages;

/// The text with the short forms of its language written out; names stay.
pub(crate) fn written_out(text: &str, language: Language) -> String {
    let Some(pack) = languages::pack(language) else { return text.to_owned() };
    let names = names(text);
    with_words(text, |word| {
        if names.contains(word) {
            return None;
        }
        let (_, meant) = pack.short_forms.iter().find(|(short, _)| *short == word)?;
        Some(meant)
    })
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use proptest::prelude::*;

    use super::*;
    use crate::text::words;

    fn written(text: &str, language: &str) -> String {
        written_out(text, Language::parse(language).unwrap())
    }

    #[test]
    fn a_question_in_short_forms_is_written_out() {
        for (text, language, wanted) in [
            (
                "wat shld ppl do wen u hav malaria?",
                "en",
                "what should people do when you have malaria?",
            ),
            ("Wat r d signs b4 labour", "en", "what are d signs before labour"),
            (
                "qd faut il vacciner 1 enft pr la rougeole",
                "fr",
                "quand faut il vacciner 1 enft pour la rougeole",
            ),
            ("oq fazer qdo vc tem febre", "pt", "o que fazer quando você tem febre"),
            ("wp napata dawa na cjui bei", "sw", "wapi napata dawa na sijui bei"),
        ] {
            assert_eq!(written(text, language), wanted);
        }
    }

    #[test]
    fn what_may_mean_something_else_stays() {
        for (text, language) in [
            ("hepatitis b and vitamin d, 2 tabs", "en"),
            ("where is the U turn of Hw Ppl", "en"),
            ("vitamina c e d", "pt"),
            ("wat is dit", "af"),
            ("", "en"),
        ] {
            assert_eq!(written(text, language), text);
        }
    }

    #[test]
    fn each_stands_once_and_is_written_out_for_good() {
        for pack in languages::ALL {
            let shorts: HashSet<&str> = pack.short_forms.iter().map(|(short, _)| *short).collect();
            assert_eq!(shorts.len(), pack.short_forms.len(), "{}", pack.name);
            for (short, meant) in pack.short_forms {
                assert_eq!(words(short).collect::<Vec<_>>(), [*short], "{}", pack.name);
                assert!(words(meant).all(|word| !shorts.contains(word.as_str())), "{meant}");
            }
        }
    }

    proptest! {
        #[test]
        fn any_text_can_be_written_out(text in any::<String>()) {
            let once = written(&text, "en");
            prop_assert_eq!(written(&once, "en"), once);
        }
    }
}
