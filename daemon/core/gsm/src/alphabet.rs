//! The alphabets of TS 23.038: the GSM 7-bit default alphabet with its
//! extension and the national language tables, and UCS-2 (as UTF-16).
//!
//! A GSM 7-bit text is handled as *septets*, one code of 0 to 127 an octet;
//! [`pack`] and [`unpack`] know how they lie in user data.

mod tables;

use std::collections::BTreeMap;
use std::sync::LazyLock;

use tables::Table;

/// The code that takes the next one from the extension or single shift table.
pub(crate) const ESCAPE: u8 = 0x1b;

/// A language with its own tables, by its identifier (TS 23.038 §6.2.1.2.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
#[allow(missing_docs)]
pub enum NationalLanguage {
    Turkish = 1,
    Spanish = 2,
    Portuguese = 3,
    Bengali = 4,
    Gujarati = 5,
    Hindi = 6,
    Kannada = 7,
    Malayalam = 8,
    Oriya = 9,
    Punjabi = 10,
    Tamil = 11,
    Telugu = 12,
    Urdu = 13,
}

impl NationalLanguage {
    /// Every language, in the order of their identifiers.
    pub const ALL: [NationalLanguage; 13] = [
        NationalLanguage::Turkish,
        NationalLanguage::Spanish,
        NationalLanguage::Portuguese,
        NationalLanguage::Bengali,
        NationalLanguage::Gujarati,
        NationalLanguage::Hindi,
        NationalLanguage::Kannada,
        NationalLanguage::Malayalam,
        NationalLanguage::Oriya,
        NationalLanguage::Punjabi,
        NationalLanguage::Tamil,
        NationalLanguage::Telugu,
        NationalLanguage::Urdu,
    ];

    /// The language with an identifier; `None` for reserved ones.
    pub fn from_id(id: u8) -> Option<Self> {
        Self::ALL.get(usize::from(id).checked_sub(1)?).copied()
    }

    /// The identifier in the user data header.
    pub fn id(self) -> u8 {
        self as u8
    }

    /// The name in lower case, `"turkish"`.
    pub fn name(self) -> &'static str {
        match self {
            NationalLanguage::Turkish => "turkish",
            NationalLanguage::Spanish => "spanish",
            NationalLanguage::Portuguese => "portuguese",
            NationalLanguage::Bengali => "bengali",
            NationalLanguage::Gujarati => "gujarati",
            NationalLanguage::Hindi => "hindi",
            NationalLanguage::Kannada => "kannada",
            NationalLanguage::Malayalam => "malayalam",
            NationalLanguage::Oriya => "oriya",
            NationalLanguage::Punjabi => "punjabi",
            NationalLanguage::Tamil => "tamil",
            NationalLanguage::Telugu => "telugu",
            NationalLanguage::Urdu => "urdu",
        }
    }

    /// Whether the standard has a locking shift table for the language; Spanish
    /// has a single shift table only.
    pub fn has_locking(self) -> bool {
        self != NationalLanguage::Spanish
    }

    fn locking(self) -> &'static Table {
        match self {
            NationalLanguage::Turkish => &tables::TURKISH_LOCKING,
            NationalLanguage::Spanish => &tables::DEFAULT,
            NationalLanguage::Portuguese => &tables::PORTUGUESE_LOCKING,
            NationalLanguage::Bengali => &tables::BENGALI_LOCKING,
            NationalLanguage::Gujarati => &tables::GUJARATI_LOCKING,
            NationalLanguage::Hindi => &tables::HINDI_LOCKING,
            NationalLanguage::Kannada => &tables::KANNADA_LOCKING,
            NationalLanguage::Malayalam => &tables::MALAYALAM_LOCKING,
            NationalLanguage::Oriya => &tables::ORIYA_LOCKING,
            NationalLanguage::Punjabi => &tables::PUNJABI_LOCKING,
            NationalLanguage::Tamil => &tables::TAMIL_LOCKING,
            NationalLanguage::Telugu => &tables::TELUGU_LOCKING,
            NationalLanguage::Urdu => &tables::URDU_LOCKING,
        }
    }

    fn single(self) -> &'static Table {
        match self {
            NationalLanguage::Turkish => &tables::TURKISH_SINGLE,
            NationalLanguage::Spanish => &tables::SPANISH_SINGLE,
            NationalLanguage::Portuguese => &tables::PORTUGUESE_SINGLE,
            NationalLanguage::Bengali => &tables::BENGALI_SINGLE,
            NationalLanguage::Gujarati => &tables::GUJARATI_SINGLE,
            NationalLanguage::Hindi => &tables::HINDI_SINGLE,
            NationalLanguage::Kannada => &tables::KANNADA_SINGLE,
            NationalLanguage::Malayalam => &tables::MALAYALAM_SINGLE,
            NationalLanguage::Oriya => &tables::ORIYA_SINGLE,
            NationalLanguage::Punjabi => &tables::PUNJABI_SINGLE,
            NationalLanguage::Tamil => &tables::TAMIL_SINGLE,
            NationalLanguage::Telugu => &tables::TELUGU_SINGLE,
            NationalLanguage::Urdu => &tables::URDU_SINGLE,
        }
    }
}

/// Which tables a GSM 7-bit text is written with: a language's in place of the
/// default alphabet (locking), in place of its extension (single), or neither.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, PartialOrd, Ord)]
pub struct Shift {
    /// In place of the default alphabet.
    pub locking: Option<NationalLanguage>,
    /// In place of its extension.
    pub single: Option<NationalLanguage>,
}

impl Shift {
    /// The default alphabet with its own extension.
    pub const NONE: Shift = Shift { locking: None, single: None };

    fn base(self) -> &'static Table {
        self.locking.map_or(&tables::DEFAULT, NationalLanguage::locking)
    }

    fn extension(self) -> &'static Table {
        self.single.map_or(&tables::DEFAULT_EXTENSION, NationalLanguage::single)
    }
}

// Where the standard prints a character at two codes (ಪ in Kannada), the later
// one is the one in its alphabetical place.
fn position(table: &Table, character: char) -> Option<u8> {
    let code = table.iter().rposition(|entry| *entry == Some(character))?;
    u8::try_from(code).ok()
}

/// Which tables have a character, a bit for each: bit 0 is the default
/// alphabet's or its extension's, the others go by [`NationalLanguage::id`].
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Presence {
    base: u16,
    extension: u16,
}

impl Presence {
    pub(crate) fn of(character: char) -> Self {
        PRESENCE.get(&character).copied().unwrap_or_default()
    }

    /// The septets that the character takes with the given tables.
    pub(crate) fn septets(self, shift: Shift) -> Option<usize> {
        let bit = |language: Option<NationalLanguage>| 1 << language.map_or(0, |l| l.id());
        if self.base & bit(shift.locking) != 0 {
            return Some(1);
        }
        (self.extension & bit(shift.single) != 0).then_some(2)
    }
}

/// Every character that a table has.
static PRESENCE: LazyLock<BTreeMap<char, Presence>> = LazyLock::new(|| {
    let mut all: BTreeMap<char, Presence> = BTreeMap::new();
    let languages = std::iter::once(None).chain(NationalLanguage::ALL.map(Some));
    for language in languages {
        let bit = 1 << language.map_or(0, NationalLanguage::id);
        let shift = Shift { locking: language, single: language };
        for character in shift.base().iter().flatten() {
            all.entry(*character).or_default().base |= bit;
        }
        for character in shift.extension().iter().flatten() {
            all.entry(*character).or_default().extension |= bit;
        }
    }
    all
});

/// A text as septets, or `None` when a character is in neither table.
pub fn to_septets(text: &str, shift: Shift) -> Option<Vec<u8>> {
    let mut septets = Vec::with_capacity(text.len());
    for character in text.chars() {
        match position(shift.base(), character) {
            Some(code) => septets.push(code),
            None => septets.extend([ESCAPE, position(shift.extension(), character)?]),
        }
    }
    Some(septets)
}

/// Septets as text. Nothing is refused: a code without a character becomes a
/// space, an escaped code that the extension lacks is read from the main table,
/// an escape before an escape is a space (TS 23.038 §6.2.1.1), and an escape at
/// the very end, whose other half has not come, is dropped.
pub fn from_septets(septets: &[u8], shift: Shift) -> String {
    let mut decoder = Septets::default();
    let mut text = String::with_capacity(septets.len());
    decoder.read(septets, shift, &mut text);
    text
}

/// Reads septets that may come in several runs: an escape at the end of one
/// applies to the first code of the next.
#[derive(Debug, Default)]
pub(crate) struct Septets {
    escaped: bool,
}

impl Septets {
    pub(crate) fn read(&mut self, septets: &[u8], shift: Shift, text: &mut String) {
        for septet in septets {
            let code = usize::from(septet & 0x7f);
            let base = shift.base().get(code).copied().flatten();
            let extension = shift.extension().get(code).copied().flatten();
            if *septet == ESCAPE && !self.escaped {
                self.escaped = true;
                continue;
            }
            let character = if self.escaped { extension.or(base) } else { base };
            text.push(character.unwrap_or(' '));
            self.escaped = false;
        }
    }
}

/// Packs septets eight to seven octets (TS 23.038 §6.1.2.1), the first one
/// after `fill` bits that are left zero (0 to 6).
pub fn pack(septets: &[u8], fill: usize) -> Vec<u8> {
    let mut octets = vec![0u8; (fill + septets.len() * 7).div_ceil(8)];
    for (n, septet) in septets.iter().enumerate() {
        let bit = fill + n * 7;
        let wide = u16::from(septet & 0x7f) << (bit % 8);
        let [low, high] = wide.to_le_bytes();
        if let Some(octet) = octets.get_mut(bit / 8) {
            *octet |= low;
        }
        if let Some(octet) = octets.get_mut(bit / 8 + 1) {
            *octet |= high;
        }
    }
    octets
}

/// The `count` septets that begin `fill` bits into the octets; octets that are
/// not there are read as zero.
pub fn unpack(octets: &[u8], fill: usize, count: usize) -> Vec<u8> {
    let octet = |at: usize| u16::from(octets.get(at).copied().unwrap_or(0));
    (0..count)
        .map(|n| {
            let bit = fill + n * 7;
            let wide = octet(bit / 8) | octet(bit / 8 + 1) << 8;
            (wide >> (bit % 8)) as u8 & 0x7f
        })
        .collect()
}

/// UTF-16, high octet first, as text. Half of a surrogate pair becomes U+FFFD;
/// an octet too many is dropped.
pub fn from_ucs2(octets: &[u8]) -> String {
    let units = octets.chunks_exact(2).map(|pair| match pair {
        [high, low] => u16::from_be_bytes([*high, *low]),
        _ => 0,
    });
    char::decode_utf16(units).map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
}

/// A text in UTF-16, high octet first.
pub fn to_ucs2(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_be_bytes).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_read_as_the_standard_says() {
        let read = |septets: &[u8]| from_septets(septets, Shift::NONE);
        assert_eq!(read(&[0x1b, 0x65, 0x35]), "€5");
        assert_eq!(read(&[0x1b, 0x41]), "A", "not in the extension");
        assert_eq!(read(&[0x1b, 0x1b, 0x41]), " A", "a further table, which none is");
        assert_eq!(read(&[0x41, 0x1b]), "A", "its other half has not come");
        assert_eq!(read(&[0x1b, 0x0a]), "\u{c}", "page break");
    }

    #[test]
    fn a_language_shifts_both_tables() {
        let turkish = Some(NationalLanguage::Turkish);
        let both = Shift { locking: turkish, single: turkish };
        assert_eq!(from_septets(&[0x0b, 0x0c, 0x1b, 0x53], both), "ĞğŞ");
        assert_eq!(from_septets(&[0x0b, 0x0c, 0x1b, 0x53], Shift::NONE), "ØøS");
        assert_eq!(to_septets("ĞğŞ", both), Some(vec![0x0b, 0x0c, 0x1c]));
    }

    #[test]
    fn seven_octets_hold_eight_septets() {
        let septets = to_septets("hellohel", Shift::NONE).unwrap();
        assert_eq!(pack(&septets, 0), [0xe8, 0x32, 0x9b, 0xfd, 0x46, 0x97, 0xd9]);
        assert_eq!(pack(&septets[..1], 1), [0xd0], "after one fill bit");
    }

    #[test]
    fn half_a_surrogate_pair_is_replaced() {
        assert_eq!(from_ucs2(&[0xd8, 0x3d, 0xde, 0x00]), "😀");
        assert_eq!(from_ucs2(&[0xd8, 0x3d, 0x00, 0x41]), "\u{fffd}A");
        assert_eq!(from_ucs2(&[0xde, 0x00, 0x00]), "\u{fffd}", "and an octet too many");
    }
}
