//! Words and texts as FTS5 queries. Any string may come in.

use std::collections::HashSet;

/// The most terms of one search by words; more are left aside.
pub const MAX_TERMS: usize = 64;

/// The most trigrams of one search: the rarest ones. What a limit costs in
/// recall is printed by the example `bench_search`.
pub const MAX_TRIGRAMS: usize = 32;

/// One term as an FTS5 string (SQLite FTS5 §3.1): whatever the tokeniser makes
/// of it, in this order. None when nothing of it can be a word.
pub(super) fn phrase(term: &str) -> Option<String> {
    if !term.chars().any(char::is_alphanumeric) {
        return None;
    }
    // SQLite reads the query up to the first NUL.
    Some(format!("\"{}\"", term.replace('\0', " ").replace('"', "\"\"")))
}

/// The distinct terms as FTS5 strings.
pub(super) fn words(terms: &[String]) -> Vec<String> {
    let mut seen = HashSet::new();
    terms
        .iter()
        .filter(|term| seen.insert(term.as_str()))
        .filter_map(|term| phrase(term))
        .take(MAX_TERMS)
        .collect()
}

/// A query for any of the FTS5 strings; none where there are none.
pub(super) fn any(phrases: &[String]) -> Option<String> {
    (!phrases.is_empty()).then(|| phrases.join(" OR "))
}

/// Of terms with the numbers of passages that they stand in, of `all` passages,
/// those that can tell passages apart; the rarest first, and at most `max`.
///
/// FTS5's BM25 gives a term that stands in more than half of the passages a
/// weight of 10^-6 and takes the longest for it. Such terms stay only where
/// there are no others.
pub(super) fn telling(mut counted: Vec<(String, u64)>, all: u64, max: usize) -> Vec<String> {
    counted.retain(|(_, count)| *count > 0);
    counted.sort_by_key(|(_, count)| *count);
    let telling = counted.iter().filter(|(_, count)| *count <= all / 2).count();
    counted.truncate(if telling > 0 { telling.min(max) } else { max });
    counted.into_iter().map(|(term, _)| term).collect()
}

/// The distinct trigrams within the words of a text, in lower case. Words
/// shorter than three characters have none.
pub(super) fn trigrams(text: &str) -> Vec<String> {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_term_is_a_string_and_never_syntax() {
        assert_eq!(phrase("AND").as_deref(), Some("\"AND\""));
        assert_eq!(phrase("a\"b\0c").as_deref(), Some("\"a\"\"b c\""));
        assert_eq!(phrase("😀"), None);
        assert_eq!(phrase("*\"()"), None);
        assert!(words(&["".into(), "?".into()]).is_empty());
        assert_eq!(any(&words(&["a".into(), "a".into(), "b".into()])).unwrap(), "\"a\" OR \"b\"");
        assert_eq!(any(&[]), None);
    }

    #[test]
    fn trigrams_stay_within_words() {
        assert_eq!(trigrams("Maji, ya moto"), ["maj", "aji", "mot", "oto"]);
        assert!(trigrams("ya na 😀").is_empty());
        assert_eq!(trigrams("aaaa aaa"), ["aaa"]);
    }

    #[test]
    fn rare_terms_tell_passages_apart() {
        let counted = |list: &[(&str, u64)]| {
            list.iter().map(|(term, count)| ((*term).to_owned(), *count)).collect()
        };
        let mixed = counted(&[("the", 90), ("fever", 7), ("child", 50), ("zz", 0), ("dose", 3)]);
        assert_eq!(telling(mixed, 100, 9), ["dose", "fever", "child"]);
        assert_eq!(telling(counted(&[("a", 1), ("b", 3), ("c", 2)]), 100, 2), ["a", "c"]);
        assert_eq!(telling(counted(&[("the", 90), ("of", 80), ("zz", 0)]), 100, 9), ["of", "the"]);
        assert!(telling(counted(&[("zz", 0)]), 0, 9).is_empty());
    }
}
