//! The trained model: what runs of one to five letters, and whole words, say for
//! and against each language.
//!
//! `language.bin`, little-endian, as `models/recipes/lid.py` writes it:
//!
//! | bytes | what |
//! |---|---|
//! | 4 | `JBLI` |
//! | 4 × 4 | u32 version (1), languages, buckets, width |
//! | 3 × 4 | f32 step, power, silent |
//! | languages × 12 | subtag (zero-padded), script (ISO 15924), f32 bias |
//! | languages × width × 4 | f32 weights: what a part of a row says for the language |
//! | buckets × width | i8 rows |
//!
//! Every n-gram has a row, found by hashing. A language's score is its bias plus
//! the product of its weights with the sum of the rows (in units of `step`) over
//! their number to the `power` (a linear classifier of limited rank: Joulin et al.
//! 2017, "Bag of Tricks for Efficient Text Classification"). A word says nothing
//! of its language with the probability `silent`, and `n` words with its n-th
//! power. Both were fitted, after the training, on texts that it did not see.

use jibu_types::Language;
use unicode_script::Script;

/// What identifies languages.
#[derive(Clone)]
pub struct LanguageModel {
    languages: Vec<Known>,
    /// The parts of a row.
    width: usize,
    /// `[buckets, width]`.
    rows: Vec<i8>,
    step: f32,
    power: f32,
    silent: f32,
}

/// A language that the model knows.
#[derive(Debug, Clone)]
struct Known {
    language: Language,
    script: Script,
    bias: f32,
    /// `[width]`.
    weights: Vec<f32>,
}

/// Why bytes are no model.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LanguageModelError {
    /// They begin otherwise, or a newer recipe wrote them.
    #[error("no language model of version {VERSION}")]
    Unknown,
    /// They end too early or too late.
    #[error("a language model of {found} bytes that should have {wanted}")]
    Length {
        /// What the head announces.
        wanted: u64,
        /// What is there.
        found: u64,
    },
    /// A subtag, a script or a number that cannot be.
    #[error("entry {0} of the language model is no language")]
    Entry(usize),
    /// No language, no rows, or a number in the head that cannot be.
    #[error("the head of the language model makes no sense")]
    Head,
}

const MAGIC: [u8; 4] = *b"JBLI";
const VERSION: u32 = 1;
const HEAD_BYTES: u64 = 32;
const ENTRY_BYTES: u64 = 12;
/// The letters of the longest n-gram, with the spaces around the word.
const LONGEST: usize = 5;

impl LanguageModel {
    /// Reads `language.bin`.
    ///
    /// # Errors
    /// When the bytes are anything else.
    pub fn read(bytes: &[u8]) -> Result<LanguageModel, LanguageModelError> {
        let mut bytes = Bytes(bytes);
        let found = bytes.0.len() as u64;
        let head = (bytes.take(), bytes.number(), bytes.number(), bytes.number(), bytes.number());
        let (Some(MAGIC), Some(VERSION), Some(languages), Some(buckets), Some(width)) = head else {
            return Err(LanguageModelError::Unknown);
        };
        let numbers = (bytes.float(), bytes.float(), bytes.float());
        let (Some(step), Some(power), Some(silent)) = numbers else {
            return Err(LanguageModelError::Unknown);
        };
        let sized = languages > 0 && buckets > 0 && width > 0;
        let shares = (0.0..=1.0).contains(&power) && (0.0..1.0).contains(&silent);
        if !(sized && shares && step.is_finite() && step > 0.0) {
            return Err(LanguageModelError::Head);
        }
        let (entries, parts) = (u64::from(languages), u64::from(width));
        let wanted = entries
            .saturating_mul(ENTRY_BYTES + 4 * parts)
            .saturating_add(HEAD_BYTES + u64::from(buckets).saturating_mul(parts));
        if found != wanted {
            return Err(LanguageModelError::Length { wanted, found });
        }
        // Nothing is reserved before the length was seen to be the right one.
        let mut languages: Vec<Known> = (0..languages as usize)
            .map(|at| bytes.entry().ok_or(LanguageModelError::Entry(at)))
            .collect::<Result<_, _>>()?;
        let width = width as usize;
        for (at, known) in languages.iter_mut().enumerate() {
            let weights: Option<Vec<f32>> = (0..width).map(|_| bytes.float()).collect();
            known.weights = weights
                .filter(|weights| weights.iter().all(|weight| weight.is_finite()))
                .ok_or(LanguageModelError::Entry(at))?;
        }
        let rows = bytes.0.iter().map(|byte| byte.cast_signed()).collect();
        Ok(LanguageModel { languages, width, rows, step, power, silent })
    }

    /// The languages that the model knows.
    pub fn languages(&self) -> impl Iterator<Item = Language> + '_ {
        self.languages.iter().map(|known| known.language)
    }

    /// The probability that so many words say nothing of their language.
    pub(super) fn silent(&self, words: usize) -> f64 {
        f64::from(self.silent).powf(words as f64)
    }

    /// What each language of a script scores for the forms of a text's words:
    /// logarithms of probabilities, but for a term that is common to all.
    pub(super) fn scores<'a>(
        &self,
        forms: impl Iterator<Item = &'a str>,
        script: Script,
    ) -> Vec<(Language, f64)> {
        let mut sums = vec![0i32; self.width];
        let mut count = 0usize;
        for hash in forms.flat_map(ngrams) {
            let start = self.bucket(hash) * self.width;
            for (sum, part) in sums.iter_mut().zip(&self.rows[start..]) {
                *sum += i32::from(*part);
            }
            count += 1;
        }
        let unit = f64::from(self.step) / (count.max(1) as f64).powf(f64::from(self.power));
        let of_script = self.languages.iter().filter(|known| known.script == script);
        let score = |known: &Known| {
            let products = known.weights.iter().zip(&sums);
            let sum: f64 = products.map(|(weight, sum)| f64::from(*weight) * f64::from(*sum)).sum();
            (known.language, f64::from(known.bias) + unit * sum)
        };
        of_script.map(score).collect()
    }

    fn bucket(&self, hash: u32) -> usize {
        let buckets = (self.rows.len() / self.width) as u64;
        ((u64::from(hash) * buckets) >> 32) as usize
    }
}

impl std::fmt::Debug for LanguageModel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let languages: Vec<Language> = self.languages().collect();
        f.debug_struct("LanguageModel").field("languages", &languages).finish_non_exhaustive()
    }
}

/// The hashes of a word's n-grams, the spaces around it counted as letters, and
/// of the word as a whole where no n-gram holds it.
fn ngrams(word: &str) -> Vec<u32> {
    let letters: Vec<char> = std::iter::once(' ').chain(word.chars()).chain([' ']).collect();
    let mut hashes = Vec::with_capacity(LONGEST * letters.len());
    for start in 0..letters.len() {
        let mut hash = Fnv::default();
        for (at, letter) in letters[start..].iter().take(LONGEST).enumerate() {
            hash = hash.then(*letter);
            if at > 0 || *letter != ' ' {
                hashes.push(hash.mixed());
            }
        }
    }
    if letters.len() > LONGEST {
        hashes.push(letters.iter().fold(Fnv::default(), |hash, letter| hash.then(*letter)).mixed());
    }
    hashes
}

/// FNV-1a over code points, with its high bits mixed at the end.
#[derive(Clone, Copy)]
struct Fnv(u32);

impl Default for Fnv {
    fn default() -> Self {
        Fnv(2_166_136_261)
    }
}

impl Fnv {
    fn then(self, letter: char) -> Fnv {
        Fnv((self.0 ^ u32::from(letter)).wrapping_mul(16_777_619))
    }

    fn mixed(self) -> u32 {
        let x = (self.0 ^ (self.0 >> 15)).wrapping_mul(0x2c1b_3c6d);
        x ^ (x >> 12)
    }
}

/// Bytes that are read from the front.
struct Bytes<'a>(&'a [u8]);

impl Bytes<'_> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (taken, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*taken)
    }

    fn number(&mut self) -> Option<u32> {
        self.take().map(u32::from_le_bytes)
    }

    fn float(&mut self) -> Option<f32> {
        self.take().map(f32::from_le_bytes)
    }

    fn text(&mut self) -> Option<String> {
        let letters: [u8; 4] = self.take()?;
        let text = String::from_utf8(letters.to_vec()).ok()?;
        Some(text.trim_end_matches('\0').to_owned())
    }

    /// A language, its weights still missing.
    fn entry(&mut self) -> Option<Known> {
        let language = Language::parse(&self.text()?).ok()?;
        let script = Script::from_short_name(&self.text()?)?;
        let bias = self.float().filter(|bias| bias.is_finite())?;
        Some(Known { language, script, bias, weights: Vec::new() })
    }
}
