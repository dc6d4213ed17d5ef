//! English words for words of other languages.
//!
//! `glossary.bin`, little-endian, as `models/recipes/glossary.py` writes it:
//!
//! | bytes | what |
//! |---|---|
//! | 4 | `JBGL` |
//! | 4 × 4 | u32 version (1), languages, entries, English words |
//! | languages × 12 | subtag (zero-padded), u32 first entry, u32 the one after the last |
//! | entries × 10 | u32 hash, 3 × u16 English word or `FFFF`, likeliest first; a language's by hash |
//! | words × 4 | u32 where each English word ends in what follows |
//! | … | the English words, UTF-8 |
//!
//! The hash is the low half of a folded word's, as in the lexicon: of fifty thousand
//! words that are not there about one is taken for another. Stems stand among the words:
//! the last six letters of longer ones as `~bulala`, the first six as `ukubul~`.

use std::ops::Range;

use jibu_types::Language;

use crate::spelling::hashed;

/// English words for words of other languages.
#[derive(Clone)]
pub struct Glossary {
    languages: Vec<(Language, Range<usize>)>,
    entries: Vec<Entry>,
    english: Vec<Box<str>>,
}

type Entry = (u32, [u16; GLOSSES]);

/// Why bytes are no glossary.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GlossaryError {
    /// They begin otherwise, or a newer recipe wrote them.
    #[error("no glossary of version {VERSION}")]
    Unknown,
    /// They end before all that their head announces.
    #[error("a glossary that ends after {0} bytes, too early")]
    Short(usize),
    /// A subtag that cannot be, or entries that are not there.
    #[error("language {0} of the glossary makes no sense")]
    Language(usize),
    /// English that is no text, or that is not there.
    #[error("English word {0} of the glossary makes no sense")]
    Word(usize),
}

const MAGIC: [u8; 4] = *b"JBGL";
const VERSION: u32 = 1;
/// A word has so many English ones at most.
const GLOSSES: usize = 3;
/// A stem has so many letters.
const STEM: usize = 6;
const NONE: u16 = u16::MAX;

impl Glossary {
    /// Reads `glossary.bin`.
    ///
    /// # Errors
    /// When the bytes are anything else.
    pub fn read(bytes: &[u8]) -> Result<Glossary, GlossaryError> {
        let short = GlossaryError::Short(bytes.len());
        let mut rest = bytes;
        let head: &[[u8; 4]] = take(&mut rest, 5).ok_or(GlossaryError::Unknown)?;
        let (magic, counts) = (head[0], head[1..].iter().map(|count| number(*count)));
        let &[VERSION, languages, entries, words] = &counts.collect::<Vec<_>>()[..] else {
            return Err(GlossaryError::Unknown);
        };
        if magic != MAGIC {
            return Err(GlossaryError::Unknown);
        }
        let languages: &[[u8; 12]] = take(&mut rest, languages).ok_or(short.clone())?;
        let entries: &[[u8; 10]] = take(&mut rest, entries).ok_or(short.clone())?;
        let ends: &[[u8; 4]] = take(&mut rest, words).ok_or(short)?;

        let languages = languages.iter().enumerate().map(|(at, record)| {
            language(record)
                .filter(|(_, own)| own.start <= own.end && own.end <= entries.len())
                .ok_or(GlossaryError::Language(at))
        });
        let mut begin = 0;
        let english = ends.iter().enumerate().map(|(at, end)| {
            let end = number(*end) as usize;
            let word = rest.get(begin..end).and_then(|word| std::str::from_utf8(word).ok());
            begin = end;
            word.map(Box::from).ok_or(GlossaryError::Word(at))
        });
        Ok(Glossary {
            languages: languages.collect::<Result<_, _>>()?,
            english: english.collect::<Result<_, _>>()?,
            entries: entries.iter().map(entry).collect(),
        })
    }

    /// The languages that it has words of.
    pub fn languages(&self) -> impl Iterator<Item = Language> {
        self.languages.iter().map(|(language, _)| *language)
    }

    /// Whether it has words of a language.
    pub fn covers(&self, language: Language) -> bool {
        self.languages().any(|own| own == language)
    }

    /// The English of a folded word, likeliest first; of its stems where it has none.
    pub fn of(&self, language: Language, word: &str) -> Vec<&str> {
        let own = self.languages.iter().find(|(own, _)| *own == language);
        let own = own.map_or(&[][..], |(_, range)| &self.entries[range.clone()]);
        let mut found: Vec<&str> = self.entry(own, word).collect();
        if found.is_empty() {
            for gloss in stems(word).iter().flat_map(|stem| self.entry(own, stem)) {
                if !found.contains(&gloss) {
                    found.push(gloss);
                }
            }
        }
        found
    }

    fn entry(&self, own: &[Entry], key: &str) -> impl Iterator<Item = &str> {
        let hash = hashed(key.as_bytes()) as u32;
        let found = own.binary_search_by_key(&hash, |(hash, _)| *hash).ok();
        let glosses = found.map_or([NONE; GLOSSES], |at| own[at].1);
        glosses.into_iter().filter_map(|gloss| self.english.get(usize::from(gloss)).map(|w| &**w))
    }
}

impl std::fmt::Debug for Glossary {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Glossary")
            .field("languages", &self.languages.len())
            .field("words", &self.entries.len())
            .finish_non_exhaustive()
    }
}

/// A long word's last letters, which prefixes leave as they are, and its first ones.
fn stems(word: &str) -> Vec<String> {
    let letters: Vec<char> = word.chars().collect();
    match (letters.last_chunk::<STEM>(), letters.first_chunk::<STEM>()) {
        (Some(last), Some(first)) if letters.len() > STEM => {
            vec![format!("~{}", String::from_iter(last)), format!("{}~", String::from_iter(first))]
        }
        _ => Vec::new(),
    }
}

/// So many records from the front, if there are as many.
fn take<'b, const N: usize>(rest: &mut &'b [u8], count: u32) -> Option<&'b [[u8; N]]> {
    let (records, after) = rest.split_at_checked(N.checked_mul(count as usize)?)?;
    *rest = after;
    Some(records.as_chunks().0)
}

fn number(bytes: [u8; 4]) -> u32 {
    u32::from_le_bytes(bytes)
}

fn language(record: &[u8; 12]) -> Option<(Language, Range<usize>)> {
    let &[subtag, first, end] = record.as_chunks().0 else { return None };
    let subtag = std::str::from_utf8(&subtag).ok()?.trim_end_matches('\0').to_owned();
    Some((Language::parse(&subtag).ok()?, number(first) as usize..number(end) as usize))
}

fn entry(record: &[u8; 10]) -> Entry {
    let (hash, glosses) = record.split_first_chunk::<4>().unwrap_or((&[0; 4], &[]));
    let (glosses, _) = glosses.as_chunks();
    let gloss = |at: usize| glosses.get(at).map_or(NONE, |bytes| u16::from_le_bytes(*bytes));
    (number(*hash), std::array::from_fn(gloss))
}
