//! Words that stand in no passage, spelt as the passages spell them.
//!
//! Thumbs in a hurry leave out vowels and double letters, swap letters and miss
//! keys. A word that the index does not know is compared with the words that it
//! knows, as by Kothari et al. 2009, "SMS based interface for FAQ retrieval"
//! (ACL-IJCNLP): an error has its price, and a common word is likelier meant than
//! a rare one. A word that is known stays, and so does every word that is spelt as
//! it should be: a drug or a disease that no passage has never becomes the one that
//! is spelt nearly like it.

mod lexicon;
mod short_forms;

use std::collections::{HashMap, HashSet};

use jibu_types::Language;

pub(crate) use self::lexicon::hashed;
pub use self::lexicon::{Lexicon, LexiconError};
pub(crate) use self::short_forms::written_out;
use crate::query::Query;
use crate::text::{fold, is_word, words};

/// The words of the index.
pub trait Vocabulary {
    /// Why it could not be asked.
    type Error;

    /// Whether a word stands in some passage.
    ///
    /// # Errors
    /// When the index cannot be read.
    fn knows(&self, word: &str) -> Result<bool, Self::Error>;

    /// The words of passages that begin with a letter, folded, each with the number
    /// of passages that it stands in.
    ///
    /// # Errors
    /// As [`Vocabulary::knows`].
    fn beginning_with(&self, letter: char) -> Result<Vec<(String, u64)>, Self::Error>;

    /// Whether a word stands in a passage in a language.
    ///
    /// # Errors
    /// As [`Vocabulary::knows`].
    fn is_used_in(&self, word: &str, language: Language) -> Result<bool, Self::Error>;
}

/// The query with its misspelt words as the passages in its language spell them.
///
/// Names stay (words with a capital within a text that has others), so do words
/// with digits and those of the lexicon, and so does a text of which too few words
/// are known or whose language the lexicon does not cover.
///
/// # Errors
/// When the vocabulary cannot be asked.
pub fn restore<V: Vocabulary>(
    query: &Query,
    lexicon: &Lexicon,
    vocabulary: &V,
) -> Result<Query, V::Error> {
    if !lexicon.covers(query.language) {
        return Ok(query.clone());
    }
    let names = names(&query.text);
    let (mut seen, mut misspelt) = (HashSet::new(), Vec::new());
    let mut known = 0;
    for word in words(&query.text).filter(|word| word.chars().count() >= SHORTEST) {
        if !seen.insert(word.clone()) {
            continue;
        }
        if vocabulary.knows(&word)? {
            known += 1;
        } else if word.chars().all(char::is_alphabetic)
            && !names.contains(&word)
            && !lexicon.has(&word)
        {
            misspelt.push(word);
        }
    }
    if misspelt.is_empty() || (known as f64) < KNOWN * seen.len() as f64 {
        return Ok(query.clone());
    }
    let mut meant = HashMap::new();
    for word in misspelt {
        if let Some(nearest) = nearest(&word, query.language, vocabulary)? {
            meant.insert(word, nearest);
        }
    }
    let text = with_words(&query.text, |word| meant.get(word).map(String::as_str));
    let restored = Query::analyse(&text, query.language);
    // What was heard of danger stays heard.
    Ok(Query { danger: query.danger.or(restored.danger), ..restored })
}

/// Shorter words are left alone: too many others are near.
const SHORTEST: usize = 3;
/// Of so many of its words a text must be known.
const KNOWN: f64 = 0.2;
/// A letter that the eye puts back: a vowel or the second of two left out, or one
/// typed twice.
const SLIGHT: f64 = 0.35;
/// Two letters swapped.
const SWAPPED: f64 = 0.7;
/// Any other letter too many, too few or wrong.
const ERROR: f64 = 1.0;
/// A word may have an error for so many letters of the one that was meant...
const LETTERS_PER_ERROR: f64 = 5.0;
/// ... but no more than this, however long it is.
const MOST: f64 = 1.75;
/// An error weighs as much as a word that stands in e³ times fewer passages.
const ERROR_ODDS: f64 = 3.0;
/// Shorter or longer words than so many times what was typed are not looked at.
const LENGTHS: std::ops::RangeInclusive<f64> = 0.6..=2.5;
/// So many of the nearest words may be of another language.
const FOREIGN: usize = 4;

/// Words with a capital letter that are not the first, folded; none of a text in
/// capitals.
fn names(text: &str) -> HashSet<String> {
    if !text.chars().any(char::is_lowercase) {
        return HashSet::new();
    }
    let parts = text.split(|c| !is_word(c)).filter(|part| !part.is_empty()).skip(1);
    parts.filter(|part| part.starts_with(char::is_uppercase)).map(fold).collect()
}

/// The word of the language's passages that was likeliest meant.
fn nearest<V: Vocabulary>(
    typed: &str,
    language: Language,
    vocabulary: &V,
) -> Result<Option<String>, V::Error> {
    let letters: Vec<char> = typed.chars().collect();
    let Some(first) = letters.first() else { return Ok(None) };
    let mut likely: Vec<(f64, String)> = Vec::new();
    for (term, count) in vocabulary.beginning_with(*first)? {
        let meant: Vec<char> = term.chars().collect();
        if !LENGTHS.contains(&(meant.len() as f64 / letters.len() as f64)) {
            continue;
        }
        let most = MOST.min(meant.len() as f64 / LETTERS_PER_ERROR);
        let cost = cost(&letters, &meant, most);
        if cost <= most && term.chars().all(char::is_alphabetic) {
            likely.push((ERROR_ODDS * cost - (count as f64).ln(), term));
        }
    }
    likely.sort_by(|a, b| a.0.total_cmp(&b.0).then_with(|| a.1.cmp(&b.1)));
    for (_, term) in likely.into_iter().take(FOREIGN) {
        if vocabulary.is_used_in(&term, language)? {
            return Ok(Some(term));
        }
    }
    Ok(None)
}

/// What the errors between two words cost, by the optimal string alignment distance
/// with the prices above; infinite once it is above `most`.
fn cost(typed: &[char], meant: &[char], most: f64) -> f64 {
    let missing = |at: usize| {
        let letter = meant[at];
        let slight = at > 0 && (is_vowel(letter) || letter == meant[at - 1]);
        if slight { SLIGHT } else { ERROR }
    };
    let mut before: Vec<f64> = Vec::new();
    let mut above: Vec<f64> = std::iter::once(0.0)
        .chain((0..meant.len()).scan(0.0, |sum, at| {
            *sum += missing(at);
            Some(*sum)
        }))
        .collect();
    for (i, letter) in typed.iter().enumerate() {
        let extra = if i > 0 && *letter == typed[i - 1] { SLIGHT } else { ERROR };
        let mut row = Vec::with_capacity(above.len());
        row.push(above[0] + extra);
        for (j, other) in meant.iter().enumerate() {
            let wrong = if letter == other { 0.0 } else { ERROR };
            let mut best = (above[j] + wrong).min(row[j] + missing(j)).min(above[j + 1] + extra);
            if i > 0 && j > 0 && *letter == meant[j - 1] && typed[i - 1] == *other {
                best = best.min(before[j - 1] + SWAPPED);
            }
            row.push(best);
        }
        if row.iter().chain(&above).all(|cost| *cost > most) {
            return f64::INFINITY;
        }
        before = std::mem::replace(&mut above, row);
    }
    above.last().copied().unwrap_or_default()
}

fn is_vowel(letter: char) -> bool {
    matches!(letter, 'a' | 'e' | 'i' | 'o' | 'u' | 'y')
}

/// The text with other words in the place of some, which are asked for folded.
fn with_words<'m>(text: &str, other: impl Fn(&str) -> Option<&'m str>) -> String {
    let mut out = String::with_capacity(text.len());
    for piece in text.split_inclusive(|c| !is_word(c)) {
        let part = piece.trim_end_matches(|c| !is_word(c));
        out.push_str(other(&fold(part)).unwrap_or(part));
        out.push_str(&piece[part.len()..]);
    }
    out
}

#[cfg(test)]
#[path = "spelling_tests.rs"]
mod tests;
