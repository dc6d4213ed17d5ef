//! A question, ready to be searched for.

use std::collections::HashSet;
use std::fmt;

use jibu_types::Language;

use crate::courtesy::without_courtesies;
use crate::danger::{Danger, danger};
use crate::languages;
use crate::spelling::written_out;
use crate::text::{clip, normalise_line, words};

/// A question, ready to be searched for.
///
/// `Debug` tells its size and not its words, so that no log repeats a person's
/// question.
#[derive(Clone, PartialEq)]
pub struct Query {
    /// The question in normal form, on one line, its short forms written out, without
    /// the courtesies around it, at most [`Query::MOST_CHARS`] characters: what is embedded.
    pub text: String,
    /// The language that it is answered in, and presumably asked in.
    pub language: Language,
    /// Its words for an index of words: folded, each once, without the words
    /// that carry no topic, unless nothing else is there.
    pub words: Vec<String>,
    /// The letter trigrams of those words, each once, for an index of trigrams.
    /// Words shorter than three letters have none.
    pub trigrams: Vec<String>,
    /// The danger that it speaks of.
    pub danger: Option<Danger>,
}

impl Query {
    /// What is kept of a long message: more than the embedder reads.
    pub const MOST_CHARS: usize = 600;
    pub(crate) const MOST_WORDS: usize = 32;
    const MOST_TRIGRAMS: usize = 160;

    /// Prepares a text, whatever it holds.
    pub fn analyse(text: &str, language: Language) -> Self {
        let whole = written_out(&normalise_line(text), language);
        let text = without_courtesies(clip(&whole, Self::MOST_CHARS), language);
        let stop_words: HashSet<&str> = languages::pack(language)
            .map_or_else(HashSet::new, |pack| pack.stop_words.split_whitespace().collect());
        let all = once_each(words(&text));
        let mut kept: Vec<String> =
            all.iter().filter(|word| !stop_words.contains(word.as_str())).cloned().collect();
        if kept.is_empty() {
            kept = all;
        }
        // Somebody may come to the point after a long story.
        let danger = danger(&whole);
        Query { text, language, words: Vec::new(), trigrams: Vec::new(), danger }.looking_for(kept)
    }

    /// The same question in another text, with other words to look for.
    pub(crate) fn saying(&self, text: String, words: impl Iterator<Item = String>) -> Self {
        Query { text, ..self.clone() }.looking_for(once_each(words))
    }

    fn looking_for(self, mut words: Vec<String>) -> Self {
        words.truncate(Self::MOST_WORDS);
        let mut trigrams = once_each(words.iter().flat_map(|word| trigrams(word)));
        trigrams.truncate(Self::MOST_TRIGRAMS);
        Query { words, trigrams, ..self }
    }
}

impl fmt::Debug for Query {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Query")
            .field("chars", &self.text.chars().count())
            .field("language", &self.language)
            .field("words", &self.words.len())
            .field("trigrams", &self.trigrams.len())
            .field("danger", &self.danger)
            .finish()
    }
}

fn once_each(items: impl Iterator<Item = String>) -> Vec<String> {
    let mut seen = HashSet::new();
    items.filter(|item| seen.insert(item.clone())).collect()
}

/// The letter trigrams inside a word.
pub(crate) fn trigrams(word: &str) -> impl Iterator<Item = String> {
    let letters: Vec<char> = word.chars().collect();
    (0..letters.len().saturating_sub(2)).map(move |at| letters[at..at + 3].iter().collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn stop_words_go_unless_nothing_remains() {
        let query = Query::analyse("How do I get a birth certificate?", Language::EN);
        assert_eq!(query.words, ["birth", "certificate"]);
        assert_eq!(&query.trigrams[..3], ["bir", "irt", "rth"]);
        assert_eq!(Query::analyse("what is it", Language::EN).words, ["what", "is", "it"]);
        assert_eq!(
            Query::analyse("Nawezaje kupata cheti cha kuzaliwa", Language::SW).words,
            ["kupata", "cheti", "kuzaliwa"]
        );
        // A language without a pack keeps all its words.
        let hausa = Language::parse("hau").unwrap();
        assert_eq!(Query::analyse("ina asibiti yake", hausa).words.len(), 3);
    }

    #[test]
    fn debug_does_not_repeat_the_question() {
        let query = Query::analyse("my secret illness", Language::EN);
        assert!(!format!("{query:?}").contains("secret"));
    }

    #[test]
    fn danger_after_a_long_story_is_heard() {
        let story = format!("{} my child has convulsions", "so we went on and on ".repeat(20));
        assert_eq!(Query::analyse(&story, Language::EN).danger, Some(Danger::Medical));
    }

    proptest! {
        #[test]
        fn any_text_can_be_analysed(text in any::<String>()) {
            let query = Query::analyse(&text, Language::EN);
            prop_assert!(query.text.chars().count() <= Query::MOST_CHARS);
            prop_assert!(query.words.len() <= Query::MOST_WORDS);
            prop_assert!(query.trigrams.iter().all(|t| t.chars().count() == 3));
        }
    }
}
