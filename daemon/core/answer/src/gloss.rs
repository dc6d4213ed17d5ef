//! Words of a question that no passage has, said in English.
//!
//! Most of what is worth knowing is written in English, and most who ask a site speak
//! something else. A word that stands in no passage is looked up in a glossary, learnt
//! from sentences and their translations: its English words search in its stead, and
//! stand after the question where it is embedded and read. (Query translation by
//! dictionary; Pirkola 1998, "The Effects of Query Structure and Dictionary Setups in
//! Dictionary-Based Cross-Language Information Retrieval", SIGIR.)

mod glossary;

use std::collections::{HashMap, HashSet};

use jibu_types::Language;

pub use self::glossary::{Glossary, GlossaryError};
use crate::languages;
use crate::query::Query;
use crate::spelling::Vocabulary;
use crate::text::words;

/// The query, asked in some language of the glossary, with English for its words that
/// stand in no passage; as it is where there are none.
///
/// Only English that stands in some passage is said: a collection in the asker's own
/// language stays asked in that.
///
/// # Errors
/// When the vocabulary cannot be asked.
pub fn in_english<V: Vocabulary>(
    query: &Query,
    glossary: &Glossary,
    language: Language,
    vocabulary: &V,
) -> Result<Query, V::Error> {
    if !glossary.covers(language) {
        return Ok(query.clone());
    }
    let stop_words: HashSet<&str> = languages::pack(language)
        .map_or_else(HashSet::new, |pack| pack.stop_words.split_whitespace().collect());
    let (mut english, mut after) = (HashMap::new(), Vec::new());
    for word in words(&query.text) {
        if english.contains_key(&word)
            || stop_words.contains(word.as_str())
            || vocabulary.knows(&word)?
        {
            continue;
        }
        let mut said = Vec::new();
        for gloss in glossary.of(language, &word) {
            if said.len() < SAID && vocabulary.knows(gloss)? {
                said.push(gloss);
            }
        }
        for gloss in &said {
            if !after.contains(gloss) {
                after.push(*gloss);
            }
        }
        english.insert(word, said);
    }
    if after.is_empty() {
        return Ok(query.clone());
    }
    let instead = query.words.iter().flat_map(|word| match english.get(word) {
        Some(said) if !said.is_empty() => said.iter().map(|gloss| (*gloss).to_owned()).collect(),
        _ => vec![word.clone()],
    });
    Ok(query.saying(format!("{} {}", query.text, after.join(" ")), instead))
}

/// A word is said by so many English ones.
const SAID: usize = 2;

#[cfg(test)]
#[path = "gloss_tests.rs"]
mod tests;
