//! Words in letters that no passage is written in, in Latin ones.
//!
//! Names sound alike in all languages, and many words of science do: "Πάνθερς" and
//! "ፓንተርስ" are the Panthers. Written in Latin letters they share trigrams with the
//! passages, which an index of trigrams finds.

use std::collections::HashMap;

use any_ascii::any_ascii;
use unicode_script::{Script, UnicodeScript};

use crate::query::Query;
use crate::spelling::Vocabulary;
use crate::text::words;

/// The query, looking for Latin letters in the place of words that stand in no passage
/// and begin with a letter that hardly a word of the passages begins with. Its text stays.
///
/// # Errors
/// When the vocabulary cannot be asked.
pub fn in_latin<V: Vocabulary>(query: &Query, vocabulary: &V) -> Result<Query, V::Error> {
    let mut written = HashMap::new();
    let mut latin = Vec::with_capacity(query.words.len());
    for word in &query.words {
        let foreign = match word.chars().next() {
            Some(letter) if is_of_another_script(letter) && !vocabulary.knows(word)? => {
                let begins = match written.get(&letter) {
                    Some(begins) => *begins,
                    None => vocabulary.beginning_with(letter)?.len() > STRAY,
                };
                written.insert(letter, begins);
                !begins
            }
            _ => false,
        };
        let mut sounds: Vec<String> = Vec::new();
        if foreign {
            let heard = any_ascii(word);
            sounds.extend(words(&heard).filter(|heard| heard.chars().count() >= SHORTEST));
        }
        if sounds.is_empty() {
            sounds.push(word.clone());
        }
        latin.append(&mut sounds);
    }
    Ok(query.saying(query.text.clone(), latin.into_iter()))
}

/// So many words may begin with a letter of a script that the passages are not written
/// in: names and terms that they quote.
const STRAY: usize = 12;
/// Shorter words share their few trigrams with too many others.
const SHORTEST: usize = 4;

fn is_of_another_script(letter: char) -> bool {
    letter.is_alphabetic()
        && !matches!(letter.script(), Script::Latin | Script::Common | Script::Inherited)
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use jibu_types::Language;
    use proptest::prelude::*;

    use super::*;

    /// An index with these words.
    struct Index<'a>(&'a [&'a str]);

    impl Vocabulary for Index<'_> {
        type Error = Infallible;

        fn knows(&self, word: &str) -> Result<bool, Infallible> {
            Ok(self.0.contains(&word))
        }

        fn beginning_with(&self, letter: char) -> Result<Vec<(String, u64)>, Infallible> {
            let words = self.0.iter().filter(|word| word.starts_with(letter));
            Ok(words.map(|word| ((*word).to_owned(), 1)).collect())
        }

        fn is_used_in(&self, _: &str, _: Language) -> Result<bool, Infallible> {
            Ok(false)
        }
    }

    fn looked_for(text: &str, index: &Index<'_>) -> Vec<String> {
        in_latin(&Query::analyse(text, Language::EN), index).unwrap().words
    }

    #[test]
    fn names_are_written_in_the_letters_of_the_passages() {
        let english = Index(&["panthers", "malaria"]);
        assert_eq!(looked_for("Πάνθερς 2015", &english), ["panthers", "2015"]);
        assert_eq!(looked_for("ማላሪያ malaria", &english), ["malariya", "malaria"]);
    }

    #[test]
    fn words_in_the_letters_of_the_passages_stay() {
        let greek = "πα πε πη πι πο πυ πω πάω πήρα πίνω πόλη πόνος πρώτα ποτέ";
        let greek: Vec<&str> = greek.split(' ').collect();
        let greek = Index(&greek);
        assert_eq!(looked_for("Πάνθερς ή", &greek), ["πάνθερς", "ή"]);
        let both = Index(&["panthers", "πόλη"]);
        assert_eq!(looked_for("Πάνθερς ή", &both), ["panthers", "ή"]);
        assert_eq!(looked_for("ŋɔ kɛlɛn", &both), ["ŋɔ", "kɛlɛn"]);
    }

    #[test]
    fn the_text_stays() {
        let query = Query::analyse("Ποιος είναι ο Μπάρακ;", Language::EN);
        let latin = in_latin(&query, &Index(&["barack"])).unwrap();
        assert_eq!(latin.text, query.text);
        assert!(latin.trigrams.contains(&"ara".to_owned()));
    }

    proptest! {
        #[test]
        fn any_text_can_be_written(text in any::<String>()) {
            let query = Query::analyse(&text, Language::EN);
            let latin = in_latin(&query, &Index(&["fever"])).unwrap();
            prop_assert!(latin.words.len() <= Query::MOST_WORDS);
            prop_assert_eq!(latin.text, query.text);
        }
    }
}
