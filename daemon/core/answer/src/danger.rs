//! Words that mean somebody may be in danger now.
//!
//! A question that only asks about a danger is treated the same: one line too
//! many costs less than one too few.

use serde::{Deserialize, Serialize};

use crate::languages;
use crate::text::words;

/// What kind of danger the words speak of, the most pressing first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Danger {
    /// Somebody wants to end or harm their own life.
    SelfHarm,
    /// A body in danger: convulsions, bleeding, poison, a snake.
    Medical,
    /// Somebody is being hurt by another.
    Violence,
}

/// The danger that a text speaks of in any language that is known here. People
/// mix languages, so the language of the text is not asked.
pub fn danger(text: &str) -> Option<Danger> {
    let words: Vec<String> = words(text).take(MOST_WORDS).collect();
    languages::ALL
        .iter()
        .flat_map(|pack| pack.danger)
        .filter(|(_, patterns)| patterns.iter().any(|pattern| matches(pattern, &words)))
        .map(|(danger, _)| *danger)
        .min()
}

/// Nobody in danger writes more before coming to the point, and work stays
/// bounded for a text of any length.
const MOST_WORDS: usize = 200;

/// How many other words may stand between two words of a pattern.
const GAP: usize = 3;

/// A pattern is a list of words in order, with up to [`GAP`] others between two
/// of them, or none where they are joined by `_`. `*` stands for any letters at
/// the beginning or the end of a word.
fn matches(pattern: &str, words: &[String]) -> bool {
    let parts: Vec<Vec<&str>> = pattern.split(' ').map(|part| part.split('_').collect()).collect();
    (0..words.len()).any(|start| matches_from(&parts, &words[start..], 0))
}

fn matches_from(parts: &[Vec<&str>], words: &[String], gap: usize) -> bool {
    let Some((part, rest)) = parts.split_first() else { return true };
    (0..=gap).any(|skip| {
        let Some(here) = words.get(skip..) else { return false };
        here.len() >= part.len()
            && part.iter().zip(here).all(|(glob, word)| matches_word(glob, word))
            && matches_from(rest, &here[part.len()..], GAP)
    })
}

fn matches_word(glob: &str, word: &str) -> bool {
    match (glob.strip_prefix('*'), glob.strip_suffix('*')) {
        (Some(inner), Some(_)) => word.contains(inner.trim_end_matches('*')),
        (Some(end), None) => word.ends_with(end),
        (None, Some(start)) => word.starts_with(start),
        (None, None) => word == glob,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::fold;

    #[test]
    fn danger_is_heard_in_every_language() {
        for (text, expected) in [
            ("my child is having convulsions", Danger::Medical),
            ("A snake has bitten my son what do I do", Danger::Medical),
            ("she was bitten by a SNAKE", Danger::Medical),
            ("stop bleeding how", Danger::Medical),
            ("he drank paraffin", Danger::Medical),
            ("I want to kill myself", Danger::SelfHarm),
            ("my husband beats me", Danger::Violence),
            ("mtoto ana degedege", Danger::Medical),
            ("ameumwa na nyoka", Danger::Medical),
            ("amepoteza fahamu ghafla", Danger::Medical),
            ("nataka kujiua", Danger::SelfHarm),
            ("mon enfant a des convulsions", Danger::Medical),
            ("il a été mordu par un serpent", Danger::Medical),
            ("elle ne respire pas", Danger::Medical),
            ("a criança está com convulsões", Danger::Medical),
            ("foi mordido por uma cobra", Danger::Medical),
            ("não consegue respirar", Danger::Medical),
            ("mwana wakomoka", Danger::Medical),
            ("walumidwa ndi njoka", Danger::Medical),
            ("akutaya magazi ambiri", Danger::Medical),
        ] {
            assert_eq!(danger(text), Some(expected), "{text}");
        }
    }

    #[test]
    fn everyday_questions_are_no_danger() {
        for text in [
            "how do I register a birth",
            "where is the clinic",
            "stop the rain",
            "when is the heavy truck road closed",
            "nawezaje kupata cheti cha kuzaliwa",
            "ni saa ngapi kliniki inafunguliwa kupunguza foleni",
            "comment obtenir un acte de naissance",
            "quanto custa o bilhete de identidade",
            "ndingapeze bwanji chiphaso cha dziko",
            "",
            "🙂",
        ] {
            assert_eq!(danger(text), None, "{text}");
        }
    }

    #[test]
    fn patterns_are_written_as_words_are_compared() {
        for (_, patterns) in languages::ALL.iter().flat_map(|pack| pack.danger) {
            for pattern in *patterns {
                assert_eq!(&fold(pattern), pattern);
                assert!(
                    pattern.chars().all(|c| c.is_alphanumeric() || matches!(c, ' ' | '_' | '*'))
                );
            }
        }
    }
}
