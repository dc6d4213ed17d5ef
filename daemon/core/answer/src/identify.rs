//! Which language a few words are written in.
//!
//! A small built-in identifier for the languages that have a pack: naive Bayes
//! over the letter trigrams and the common words of a page of ordinary writing
//! in each. It is meant for messages of three to six words, often without
//! accents. A trained model may take its place: whoever identifies gives an
//! [`Identified`], and [`settle`] weighs it.

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use jibu_types::Language;
use unicode_script::{Script, UnicodeScript};

use crate::languages::{self, Pack};
use crate::text::{clip, words};

/// A language with the probability that it is the right one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Identified {
    /// The likeliest language.
    pub language: Language,
    /// From 0 to 1, among the languages that were offered.
    pub confidence: f64,
}

/// From here on an identification is believed over what the sender wrote in
/// last time.
pub const CONFIDENT: f64 = 0.7;

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

/// The likeliest of the offered languages, or `None` where the text shows none:
/// it has no letters, or letters of a script that none of them is written in.
pub fn identify(text: &str, offered: &[Language]) -> Option<Identified> {
    let text = clip(text, MOST_CHARS);
    let script = main_script(text)?;
    let mut written: Vec<Language> =
        offered.iter().copied().filter(|language| scripts(*language).contains(&script)).collect();
    written.sort_unstable();
    written.dedup();
    if let [only] = written.as_slice()
        && script != Script::Latin
    {
        return Some(Identified { language: *only, confidence: 0.95 });
    }
    let profiles: Vec<&Profile> =
        PROFILES.iter().filter(|profile| written.contains(&profile.language)).collect();
    best(text, &profiles)
}

/// Longer texts show no more.
const MOST_CHARS: usize = 300;

/// The script of most letters.
fn main_script(text: &str) -> Option<Script> {
    let mut counts: HashMap<Script, usize> = HashMap::new();
    for c in text.chars().filter(|c| c.is_alphabetic()) {
        *counts.entry(c.script()).or_default() += 1;
    }
    counts.into_iter().max_by_key(|(script, count)| (*count, script.full_name())).map(|(s, _)| s)
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

/// What a page of writing tells of a language.
struct Profile {
    language: Language,
    trigrams: HashMap<[char; 3], f64>,
    total: f64,
    /// Words without a topic, the surest sign.
    common: HashSet<&'static str>,
    /// Other words of the page.
    seen: HashSet<String>,
}

static PROFILES: LazyLock<Vec<Profile>> =
    LazyLock::new(|| languages::ALL.iter().map(|pack| Profile::of(pack)).collect());

impl Profile {
    fn of(pack: &'static Pack) -> Self {
        let common: HashSet<&str> = pack.stop_words.split_whitespace().collect();
        let mut seen: HashSet<String> = words(pack.sample).collect();
        seen.extend(pack.quantity.iter().chain(pack.commands.greeting).flat_map(|w| words(w)));
        let mut trigrams = HashMap::new();
        // The page has the common words as often as people write them; the
        // list adds each once, so that a rare one is not unheard of.
        for word in words(pack.sample).chain(common.iter().map(|word| (*word).to_owned())) {
            for trigram in trigrams_of(&word) {
                *trigrams.entry(trigram).or_insert(0.0) += 1.0;
            }
        }
        let total = trigrams.values().sum();
        Profile { language: pack.language, trigrams, total, common, seen }
    }

    /// How likely somebody who writes this language writes this word, as a
    /// logarithm that is comparable across languages.
    fn weigh(&self, word: &str) -> f64 {
        // Neighbouring trigrams share letters, so a word of six letters is no
        // six independent observations.
        const INDEPENDENCE: f64 = 0.55;
        const UNSEEN: f64 = 0.25;
        const KINDS: f64 = 6000.0;
        let letters: f64 = trigrams_of(word)
            .map(|trigram| {
                let count = self.trigrams.get(&trigram).copied().unwrap_or(0.0);
                ((count + UNSEEN) / (self.total + UNSEEN * KINDS)).ln()
            })
            .sum();
        let known = if self.common.contains(word) {
            2.0
        } else if self.seen.contains(word) {
            1.2
        } else {
            0.0
        };
        letters * INDEPENDENCE + known
    }

    /// The share of trigrams that the page has, 0 to 1.
    fn coverage(&self, words: &[String]) -> f64 {
        let all: Vec<[char; 3]> = words.iter().flat_map(|word| trigrams_of(word)).collect();
        let known = all.iter().filter(|trigram| self.trigrams.contains_key(*trigram)).count();
        known as f64 / all.len().max(1) as f64
    }
}

/// The letter trigrams of a word with a space on both sides.
fn trigrams_of(word: &str) -> impl Iterator<Item = [char; 3]> {
    let letters: Vec<char> = std::iter::once(' ').chain(word.chars()).chain([' ']).collect();
    (2..letters.len()).map(move |end| [letters[end - 2], letters[end - 1], letters[end]])
}

fn best(text: &str, profiles: &[&Profile]) -> Option<Identified> {
    let words: Vec<String> =
        words(text).filter(|word| word.chars().any(char::is_alphabetic)).collect();
    if words.is_empty() {
        return None;
    }
    let scores: Vec<f64> =
        profiles.iter().map(|profile| words.iter().map(|word| profile.weigh(word)).sum()).collect();
    let (at, top) = scores.iter().copied().enumerate().max_by(|a, b| a.1.total_cmp(&b.1))?;
    let confidence = 1.0 / scores.iter().map(|score| (score - top).exp()).sum::<f64>();
    let profile = profiles.get(at)?;
    // A language that nobody offered looks least unlike one of the others; its
    // letters then stand in unusual order.
    let familiar = (profile.coverage(&words) / FAMILIAR).min(1.0);
    // One word is often a name, or the same everywhere: "malaria".
    let alone = match words.as_slice() {
        [word] if !profile.common.contains(word.as_str()) => LONE_WORD,
        _ => 1.0,
    };
    Some(Identified { language: profile.language, confidence: confidence * familiar * alone })
}

/// The share of known trigrams below which a text may well be in no offered
/// language.
const FAMILIAR: f64 = 0.65;

/// What a single word is worth as evidence.
const LONE_WORD: f64 = 0.65;

#[cfg(test)]
mod tests {
    use super::*;

    const OFFERED: [Language; 5] =
        [Language::EN, Language::SW, Language::FR, Language::PT, Language::NY];

    fn confident(text: &str) -> Option<Language> {
        identify(text, &OFFERED).filter(|f| f.confidence >= CONFIDENT).map(|f| f.language)
    }

    #[test]
    fn short_questions_show_their_language() {
        for (text, language) in [
            ("how to get passport", Language::EN),
            ("baby not eating fever", Language::EN),
            ("where is the chief's office", Language::EN),
            ("nataka kujua bei ya mbolea", Language::SW),
            ("mtoto anaharisha nifanyeje", Language::SW),
            ("leseni ya biashara inapatikana wapi", Language::SW),
            ("mon fils tousse la nuit", Language::FR),
            ("ou faire un passeport", Language::FR),
            ("prix du casier judiciaire", Language::FR),
            ("onde faco o passaporte", Language::PT),
            ("a minha filha tem diarreia", Language::PT),
            ("preco da carta de conducao", Language::PT),
            ("mwana akutsegula m'mimba", Language::NY),
            ("ndingapeze bwanji laisensi", Language::NY),
            ("ndikufuna kudziwa za katemera", Language::NY),
        ] {
            assert_eq!(confident(text), Some(language), "{text}: {:?}", identify(text, &OFFERED));
        }
    }

    #[test]
    fn a_text_without_letters_shows_nothing() {
        assert_eq!(identify("", &OFFERED), None);
        assert_eq!(identify("12 🙂 !!", &OFFERED), None);
        assert_eq!(identify("malaria", &[]), None);
    }

    #[test]
    fn a_word_of_every_language_convinces_nobody() {
        assert_eq!(confident("malaria"), None);
        assert_eq!(confident("xzqv kwrt"), None);
    }

    #[test]
    fn a_script_of_its_own_is_enough() {
        let greek = Language::parse("el").unwrap();
        let found = identify("πού είναι η κλινική", &[Language::EN, greek]).unwrap();
        assert_eq!(found.language, greek);
        assert_eq!(identify("где клиника", &[Language::EN, greek]), None);
    }

    #[test]
    fn the_senders_choice_stands_above_all() {
        let shown = Some(Identified { language: Language::FR, confidence: 0.9 });
        let faint = Some(Identified { language: Language::FR, confidence: 0.5 });
        let (sw, pt, en) = (Language::SW, Language::PT, Language::EN);
        assert_eq!(settle(Some(sw), shown, Some(pt), en), sw);
        assert_eq!(settle(None, shown, Some(pt), en), Language::FR);
        assert_eq!(settle(None, faint, Some(pt), en), pt);
        assert_eq!(settle(None, faint, None, en), en);
    }
}
