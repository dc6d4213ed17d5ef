//! Which language a few words are written in.
//!
//! A [`LanguageModel`] was trained on sentences of some sixty languages, cut to
//! a few words and misspelt as people misspell them in a text message. It weighs
//! the languages that a site offers against all others of the same script that
//! it knows, so that a text in a language that nobody offered is not called one
//! of the offered with confidence. A lone word may be a name, or of every
//! language: how little a few words say was measured and stands in the model.
//! [`settle`] weighs what it says against what the sender chose or wrote before.

mod model;

use std::collections::HashMap;

use jibu_types::Language;
use unicode_normalization::UnicodeNormalization;
use unicode_script::{Script, UnicodeScript};

pub use model::{LanguageModel, LanguageModelError};

use crate::text::{clip, fold, is_word};

/// A language with the probability that it is the right one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Identified {
    /// The likeliest of the offered languages.
    pub language: Language,
    /// From 0 to 1: how likely the text is in it, where one text in ten is in a
    /// language that was not offered.
    pub confidence: f64,
}

/// From here on an identification is believed over what the sender wrote in
/// last time.
pub const CONFIDENT: f64 = 0.7;

/// The share of texts that are expected to be in no offered language.
const ELSEWHERE: f64 = 0.1;

/// What a script says that is written in one offered language, where nothing is
/// known of the others.
const SCRIPT_ALONE: f64 = 0.95;

/// Longer texts show no more.
const MOST_CHARS: usize = 300;

/// The language to answer in: what the sender chose, else what the text shows
/// clearly, else what the sender wrote in last, else the site's own.
pub fn settle(
    chosen: Option<Language>,
    identified: Option<Identified>,
    last: Option<Language>,
    default: Language,
) -> Language {
    let shown =
        identified.filter(|found| found.confidence >= CONFIDENT).map(|found| found.language);
    chosen.or(shown).or(last).unwrap_or(default)
}

impl LanguageModel {
    /// The likeliest of the offered languages, or `None` where the text shows
    /// none: it has no letters, or letters of a script that none of them is
    /// written in.
    pub fn identify(&self, text: &str, offered: &[Language]) -> Option<Identified> {
        let text = clip(text, MOST_CHARS);
        let script = main_script(text)?;
        self.likeliest(&words(text, script), script, offered).or_else(|| alone(script, offered))
    }

    /// The likeliest offered language that the model knows in this script.
    fn likeliest(
        &self,
        words: &[Word],
        script: Script,
        offered: &[Language],
    ) -> Option<Identified> {
        let scores = self.scores(words.iter().flat_map(Word::forms), script);
        let expected = scores.iter().filter(|(language, _)| offered.contains(language)).count();
        let others = scores.len() - expected;
        let prior = |language: &Language| match offered.contains(language) {
            true if others == 0 => 1.0 / expected as f64,
            true => (1.0 - ELSEWHERE) / expected as f64,
            false => ELSEWHERE / others as f64,
        };
        let (language, top) = scores
            .iter()
            .copied()
            .filter(|(language, _)| offered.contains(language))
            .max_by(|a, b| a.1.total_cmp(&b.1))?;
        let own = prior(&language);
        let odds = scores.iter().map(|(other, score)| prior(other) / own * (score - top).exp());
        let shown = 1.0 / odds.sum::<f64>();
        let silent = self.silent(words.len());
        Some(Identified { language, confidence: silent * own + (1.0 - silent) * shown })
    }
}

/// A word as the model sees it.
struct Word {
    folded: String,
    /// Where it has accents.
    written: Option<String>,
}

impl Word {
    fn forms(&self) -> impl Iterator<Item = &str> {
        [Some(self.folded.as_str()), self.written.as_deref()].into_iter().flatten()
    }
}

/// The words of a text that have a letter of the script.
fn words(text: &str, script: Script) -> Vec<Word> {
    let words = text.split(|c: char| !is_word(c));
    words
        .filter(|word| word.chars().any(|c| is_letter_of(c, script)))
        .map(|word| {
            let (folded, written) = (fold(word), word.to_lowercase().nfc().collect::<String>());
            Word { written: (written != folded).then_some(written), folded }
        })
        .collect()
}

/// The only offered language of a script, where the model knows none. Latin says
/// nothing: too many are written in it.
fn alone(script: Script, offered: &[Language]) -> Option<Identified> {
    let mut written: Vec<Language> =
        offered.iter().copied().filter(|language| scripts(*language).contains(&script)).collect();
    written.sort_unstable();
    written.dedup();
    match written.as_slice() {
        [only] if script != Script::Latin => {
            Some(Identified { language: *only, confidence: SCRIPT_ALONE })
        }
        _ => None,
    }
}

/// The script of most letters.
fn main_script(text: &str) -> Option<Script> {
    let mut counts: HashMap<Script, usize> = HashMap::new();
    for c in text.chars().filter(|c| c.is_alphabetic()) {
        *counts.entry(c.script()).or_default() += 1;
    }
    counts.into_iter().max_by_key(|(script, count)| (*count, script.full_name())).map(|(s, _)| s)
}

fn is_letter_of(c: char, script: Script) -> bool {
    c.is_alphabetic() && c.script() == script
}

/// The scripts that a language is written in (ISO 15924), Latin where nothing
/// else is known.
fn scripts(language: Language) -> &'static [Script] {
    match language.as_str() {
        "am" | "ti" | "gez" => &[Script::Ethiopic],
        "ar" | "fa" | "ur" | "ps" | "sd" | "ug" | "ckb" => &[Script::Arabic],
        "as" | "bn" => &[Script::Bengali],
        "bg" | "be" | "kk" | "ky" | "mk" | "mn" | "ru" | "tg" | "uk" => &[Script::Cyrillic],
        "el" => &[Script::Greek],
        "gu" => &[Script::Gujarati],
        "he" | "yi" => &[Script::Hebrew],
        "hi" | "mr" | "ne" | "mai" | "bho" => &[Script::Devanagari],
        "hy" => &[Script::Armenian],
        "ja" => &[Script::Hiragana, Script::Katakana, Script::Han],
        "ka" => &[Script::Georgian],
        "km" => &[Script::Khmer],
        "kn" => &[Script::Kannada],
        "ko" => &[Script::Hangul],
        "lo" => &[Script::Lao],
        "ml" => &[Script::Malayalam],
        "my" => &[Script::Myanmar],
        "or" => &[Script::Oriya],
        "pa" => &[Script::Gurmukhi],
        "si" => &[Script::Sinhala],
        "ta" => &[Script::Tamil],
        "te" => &[Script::Telugu],
        "th" => &[Script::Thai],
        "zh" => &[Script::Han],
        _ => &[Script::Latin],
    }
}

#[cfg(test)]
mod tests;
