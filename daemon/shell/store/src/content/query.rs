//! Words and texts as FTS5 queries. Any string may come in.

use std::collections::HashSet;

/// The most terms of one search by words; more are left aside.
pub const MAX_TERMS: usize = 64;

/// The most trigrams of one search; a longer text is thinned out evenly.
pub const MAX_TRIGRAMS: usize = 64;

/// One term as an FTS5 string (SQLite FTS5 §3.1): whatever the tokeniser makes
/// of it, in this order. None when nothing of it can be a word.
pub(super) fn phrase(term: &str) -> Option<String> {
    if !term.chars().any(char::is_alphanumeric) {
        return None;
    }
    // SQLite reads the query up to the first NUL.
    Some(format!("\"{}\"", term.replace('\0', " ").replace('"', "\"\"")))
}

/// Any of the terms.
pub(super) fn any_word(terms: &[String]) -> Option<String> {
    let mut seen = HashSet::new();
    let phrases: Vec<String> = terms
        .iter()
        .filter(|term| seen.insert(term.as_str()))
        .filter_map(|term| phrase(term))
        .take(MAX_TERMS)
        .collect();
    (!phrases.is_empty()).then(|| phrases.join(" OR "))
}

/// Any of the text's character trigrams, of at most so many.
pub(super) fn any_trigram(text: &str, max: usize) -> Option<String> {
    let trigrams = thin(trigrams(text), max);
    let phrases: Vec<String> = trigrams.iter().map(|t| format!("\"{t}\"")).collect();
    (!phrases.is_empty()).then(|| phrases.join(" OR "))
}

/// The distinct trigrams within the words of a text, in lower case. Words
/// shorter than three characters have none.
fn trigrams(text: &str) -> Vec<String> {
    let folded = text.to_lowercase();
    let mut seen = HashSet::new();
    let mut found = Vec::new();
    for word in folded.split(|c: char| !c.is_alphanumeric()) {
        let letters: Vec<char> = word.chars().collect();
        for window in letters.windows(3) {
            let trigram: String = window.iter().collect();
            if seen.insert(trigram.clone()) {
                found.push(trigram);
            }
        }
    }
    found
}

/// At most `count` of the items, taken evenly from all of them.
fn thin(items: Vec<String>, count: usize) -> Vec<String> {
    let len = items.len();
    if len <= count {
        return items;
    }
    // Item i stays when i * count / len moves on, which happens `count` times.
    items
        .into_iter()
        .enumerate()
        .filter(|(i, _)| i * count / len != (i + 1) * count / len)
        .map(|(_, item)| item)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_term_is_a_string_and_never_syntax() {
        assert_eq!(phrase("AND").as_deref(), Some("\"AND\""));
        assert_eq!(phrase("a\"b\0c").as_deref(), Some("\"a\"\"b c\""));
        assert_eq!(phrase("😀"), None);
        assert_eq!(phrase("*\"()"), None);
        assert_eq!(any_word(&["".into(), "?".into()]), None);
        assert_eq!(any_word(&["a".into(), "a".into(), "b".into()]).unwrap(), "\"a\" OR \"b\"");
    }

    #[test]
    fn trigrams_stay_within_words() {
        assert_eq!(trigrams("Maji, ya moto"), ["maj", "aji", "mot", "oto"]);
        assert!(trigrams("ya na 😀").is_empty());
        assert_eq!(trigrams("aaaa aaa"), ["aaa"]);
    }

    #[test]
    fn a_long_text_is_thinned_out_evenly() {
        let many: Vec<String> = (0..1000).map(|i| i.to_string()).collect();
        let kept = thin(many, 10);
        assert_eq!(kept.len(), 10);
        assert_eq!(kept.first().map(String::as_str), Some("99"));
        assert_eq!(kept.last().map(String::as_str), Some("999"));
    }
}
