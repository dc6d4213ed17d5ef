//! The words that are spelt as they should be.
//!
//! `lexicon.bin`, little-endian, as `models/recipes/lexicon.py` writes it:
//!
//! | bytes | what |
//! |---|---|
//! | 4 | `JBLX` |
//! | 4 × 4 | u32 version (1), languages, hashes, bits |
//! | languages × 4 | subtag (zero-padded) |
//! | ⌈bits / 8⌉ | a Bloom filter of folded words, the low bit of a byte first |
//!
//! A word of the filter is always found, one of a hundred others as well (Bloom
//! 1970, "Space/Time Trade-offs in Hash Coding with Allowable Errors"). Its bits
//! follow from two hashes (Kirsch and Mitzenmacher 2008, "Less Hashing, Same
//! Performance").

use jibu_types::Language;

/// The words of some languages, as one set: a word of one is none misspelt in
/// another.
#[derive(Clone)]
pub struct Lexicon {
    languages: Vec<Language>,
    hashes: u32,
    bits: u32,
    filter: Vec<u8>,
}

/// Why bytes are no lexicon.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LexiconError {
    /// They begin otherwise, or a newer recipe wrote them.
    #[error("no lexicon of version {VERSION}")]
    Unknown,
    /// They end too early or too late.
    #[error("a lexicon of {found} bytes that should have {wanted}")]
    Length {
        /// What the head announces.
        wanted: u64,
        /// What is there.
        found: u64,
    },
    /// A subtag that cannot be.
    #[error("entry {0} of the lexicon is no language")]
    Entry(usize),
    /// No bits, no hashes, or more than are of use.
    #[error("the head of the lexicon makes no sense")]
    Head,
}

const MAGIC: [u8; 4] = *b"JBLX";
const VERSION: u32 = 1;
const HEAD_BYTES: u64 = 20;
const ENTRY_BYTES: usize = 4;
const MOST_HASHES: u32 = 32;

impl Lexicon {
    /// Reads `lexicon.bin`.
    ///
    /// # Errors
    /// When the bytes are anything else.
    pub fn read(bytes: &[u8]) -> Result<Lexicon, LexiconError> {
        let unknown = LexiconError::Unknown;
        let (magic, rest) = bytes.split_first_chunk().ok_or(unknown.clone())?;
        let (head, rest) = rest.split_first_chunk::<16>().ok_or(unknown.clone())?;
        let (numbers, _) = head.as_chunks();
        let numbers: Vec<u32> = numbers.iter().map(|bytes| u32::from_le_bytes(*bytes)).collect();
        let &[VERSION, languages, hashes, bits] = &numbers[..] else { return Err(unknown) };
        if *magic != MAGIC {
            return Err(unknown);
        }
        if bits == 0 || !(1..=MOST_HASHES).contains(&hashes) {
            return Err(LexiconError::Head);
        }
        let entries = u64::from(languages) * ENTRY_BYTES as u64;
        let wanted = HEAD_BYTES + entries + u64::from(bits.div_ceil(8));
        let found = bytes.len() as u64;
        if found != wanted {
            return Err(LexiconError::Length { wanted, found });
        }
        let (entries, filter) = rest.split_at(languages as usize * ENTRY_BYTES);
        let languages = entries.chunks(ENTRY_BYTES).enumerate().map(|(at, entry)| {
            let subtag = std::str::from_utf8(entry).ok().map(|text| text.trim_end_matches('\0'));
            subtag.and_then(|text| Language::parse(text).ok()).ok_or(LexiconError::Entry(at))
        });
        let languages = languages.collect::<Result<_, _>>()?;
        Ok(Lexicon { languages, hashes, bits, filter: filter.to_vec() })
    }

    /// Whether so many words of a language are here that one which is missing is
    /// likely misspelt.
    pub fn covers(&self, language: Language) -> bool {
        self.languages.contains(&language)
    }

    /// Whether a folded word is spelt as some language spells it.
    pub fn has(&self, word: &str) -> bool {
        let hash = hashed(word.as_bytes());
        let (first, second) = (hash as u32, (hash >> 32) as u32 | 1);
        (0..self.hashes).all(|i| {
            let place = first.wrapping_add(i.wrapping_mul(second));
            let at = (u64::from(place) * u64::from(self.bits)) >> 32;
            self.filter[(at / 8) as usize] >> (at % 8) & 1 == 1
        })
    }
}

impl std::fmt::Debug for Lexicon {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Lexicon").field("languages", &self.languages).finish_non_exhaustive()
    }
}

/// A folded word's hash: FNV-1a of 64 bits, its high bits mixed into all others as by murmur3's finaliser.
pub(crate) fn hashed(bytes: &[u8]) -> u64 {
    let mut hash = bytes.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3)
    });
    for factor in [0xff51_afd7_ed55_8ccd_u64, 0xc4ce_b9fe_1a85_ec53] {
        hash = (hash ^ (hash >> 33)).wrapping_mul(factor);
    }
    hash ^ (hash >> 33)
}
