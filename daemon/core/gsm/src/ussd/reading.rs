//! Which reading of a `+CUSD` string makes sense.

use crate::alphabet::{self, Shift};

use super::Writing;

const CR: u8 = 0x0d;

/// The text of a string as a modem wrote it, and how it was written.
pub(super) fn read(written: &str, coding: Option<u8>) -> (Option<String>, Writing) {
    let plain = || (Some(written.to_owned()), Writing::Plain);
    if written.is_empty() {
        return plain();
    }
    let Ok(octets) = hex::decode(written) else {
        return plain();
    };
    // Modems set to UCS-2 write every string so, whatever the scheme.
    let scheme = Scheme::of(coding);
    if let (Some(text), false) = (likely_ucs2(&octets), matches!(scheme, Scheme::Ucs2 { .. })) {
        return (Some(text), Writing::Ucs2Hex);
    }
    let septets = one_a_septet(&octets);
    match scheme {
        Scheme::Unsaid => plain(),
        Scheme::Data => (Some(data(&octets)), Writing::DataHex),
        Scheme::Ucs2 { language } => match septets {
            // As UTF-16 this would be Chinese of a kind that nobody writes.
            Some(text) if octets.len() >= 8 => (Some(text), Writing::SeptetHex),
            _ => ucs2(&octets, language),
        },
        Scheme::Gsm7 { language } => {
            let packed = packed(&octets, language);
            let written_so = septets.as_deref().map_or(0.0, sense);
            // A sum ("2500") or a word that happens to be hexadecimal.
            let number = written.bytes().all(|digit| digit.is_ascii_digit());
            if number && octets.len() < 8 || sense(&packed).max(written_so) < 0.7 {
                return plain();
            }
            let better = written_so > sense(&packed) || written_so >= 0.7 && !ends_clean(&octets);
            match septets {
                Some(text) if better => (Some(text), Writing::SeptetHex),
                _ => (Some(packed), Writing::PackedHex),
            }
        }
    }
}

/// The text of packed septets in hexadecimal, whatever else they may look like.
pub(super) fn packed_hex(written: &str, coding: Option<u8>) -> Option<String> {
    let octets = hex::decode(written).ok().filter(|octets| !octets.is_empty())?;
    match Scheme::of(coding) {
        Scheme::Gsm7 { language } => Some(packed(&octets, language)),
        _ => None,
    }
}

/// Packed septets, for a request. TS 23.038 §6.1.2.3.1: seven spare bits are
/// filled with a carriage return, so that they do not read as "@"; a text that
/// ends in one on an octet's border gets a second.
pub(super) fn pack(text: &str) -> Option<Vec<u8>> {
    let mut septets = alphabet::to_septets(text, Shift::NONE)?;
    match septets.len() % 8 {
        7 => septets.push(CR),
        0 if septets.last() == Some(&CR) => septets.push(CR),
        _ => {}
    }
    Some(alphabet::pack(&septets, 0))
}

/// What TS 23.038 §5 says of a cell broadcast data coding scheme.
enum Scheme {
    Gsm7 { language: bool },
    Data,
    Ucs2 { language: bool },
    Unsaid,
}

impl Scheme {
    fn of(coding: Option<u8>) -> Self {
        let Some(coding) = coding else { return Scheme::Unsaid };
        match coding {
            0x10 => Scheme::Gsm7 { language: true },
            0x11 => Scheme::Ucs2 { language: true },
            0x40..=0x7f | 0x90..=0x9f => match coding >> 2 & 3 {
                1 => Scheme::Data,
                2 => Scheme::Ucs2 { language: false },
                _ => Scheme::Gsm7 { language: false },
            },
            0xf0..=0xff if coding & 0x04 != 0 => Scheme::Data,
            _ => Scheme::Gsm7 { language: false },
        }
    }
}

fn packed(octets: &[u8], language: bool) -> String {
    let mut septets = alphabet::unpack(octets, 0, octets.len() * 8 / 7);
    // The last septet of a full octet is padding when it is a carriage return,
    // and from networks that do not know the rule when it is zero.
    if octets.len().is_multiple_of(7) && matches!(septets.last(), Some(&(CR | 0))) {
        septets.pop();
    }
    // DCS 0x10: two letters of a language and a carriage return come first.
    let septets = match septets.as_slice() {
        [_, _, CR, rest @ ..] if language => rest,
        all => all,
    };
    alphabet::from_septets(septets, Shift::NONE)
}

/// Whether the bits after the last whole septet are zero, as packing leaves them.
fn ends_clean(octets: &[u8]) -> bool {
    let spare = octets.len() * 8 % 7;
    octets.last().is_none_or(|last| last.leading_zeros() as usize >= spare)
}

/// One septet an octet, as modems set to `AT+CSCS="HEX"` write. What they write
/// is in their own alphabet, which is ASCII for all that people read.
fn one_a_septet(octets: &[u8]) -> Option<String> {
    let printable = octets.iter().all(|octet| matches!(octet, b' '..=b'~' | b'\n' | b'\r'));
    printable.then(|| octets.iter().copied().map(char::from).collect())
}

/// 8-bit text is UTF-8 where that can be read, Latin-1 otherwise.
fn data(octets: &[u8]) -> String {
    match std::str::from_utf8(octets) {
        Ok(text) => text.to_owned(),
        Err(_) => octets.iter().copied().map(char::from).collect(),
    }
}

fn ucs2(octets: &[u8], language: bool) -> (Option<String>, Writing) {
    // DCS 0x11: two letters of a language, packed, come before the text.
    let octets = match octets {
        [_, _, rest @ ..] if language && language_letters(octets) => rest,
        all => all,
    };
    let text = alphabet::from_ucs2(octets);
    // Noncharacters are what an overrun buffer shows, not what a network sends.
    if text.contains(['\u{fffe}', '\u{ffff}']) {
        return (None, Writing::Undecided);
    }
    (Some(text), Writing::Ucs2Hex)
}

fn language_letters(octets: &[u8]) -> bool {
    alphabet::unpack(octets, 0, 2).iter().all(u8::is_ascii_lowercase)
}

/// The text, if the octets can hardly be anything but UTF-16: three whole units at least, all
/// of them letters, digits and signs of the scripts below the CJK ones, where
/// packed septets seldom come to lie.
fn likely_ucs2(octets: &[u8]) -> Option<String> {
    if octets.len() < 6 || !octets.len().is_multiple_of(2) {
        return None;
    }
    let text = alphabet::from_ucs2(octets);
    let low = text.chars().all(|c| u32::from(c) < 0x2100);
    (low && sense(&text) > 0.9).then_some(text)
}

/// How much of a text is made of what people write: 0 to 1. Octets read in a
/// wrong way give signs from all over the alphabet; a text is mostly letters,
/// digits, spaces and the signs of menus and codes.
fn sense(text: &str) -> f64 {
    let weight = |c: char| match c {
        ' ' | '\n' => 1.0,
        'Δ' | 'Φ' | 'Γ' | 'Λ' | 'Ω' | 'Π' | 'Ψ' | 'Σ' | 'Θ' | 'Ξ' => 0.0,
        _ if c.is_alphanumeric() || "*#.,:;!?'/-+".contains(c) => 1.0,
        '\r' => 0.5,
        _ if c.is_ascii_graphic() || "£€°¿¡«»–—‘’“”…№".contains(c) => 0.5,
        _ => 0.0,
    };
    let all = text.chars().count();
    if all == 0 { 0.0 } else { text.chars().map(weight).sum::<f64>() / all as f64 }
}
