//! +CSCS: how text crosses the AT interface (TS 27.007 §5.5).

use crate::codec::alphabet::{self, Shifts};

/// A character set of the AT interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Charset {
    /// GSM 7 bit codes, one to a byte.
    Gsm,
    /// ASCII.
    Ira,
    /// UTF-16 in hexadecimal.
    Ucs2,
    /// GSM 7 bit codes in hexadecimal.
    Hex,
}

impl Charset {
    /// All of them.
    pub const ALL: [Charset; 4] = [Charset::Gsm, Charset::Ira, Charset::Ucs2, Charset::Hex];

    /// As +CSCS writes it.
    pub fn name(self) -> &'static str {
        match self {
            Charset::Gsm => "GSM",
            Charset::Ira => "IRA",
            Charset::Ucs2 => "UCS2",
            Charset::Hex => "HEX",
        }
    }

    /// Text as the host wants to see it; what the set lacks becomes `?`.
    pub fn write(self, text: &str) -> Vec<u8> {
        match self {
            Charset::Ira => {
                text.chars().map(|c| if c.is_ascii() { c as u8 } else { b'?' }).collect()
            }
            Charset::Gsm => gsm(text),
            Charset::Hex => hex::encode_upper(gsm(text)).into_bytes(),
            Charset::Ucs2 => {
                let octets: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
                hex::encode_upper(octets).into_bytes()
            }
        }
    }

    /// Text as the host wrote it; `None` when hexadecimal is expected and
    /// something else stands there.
    pub fn read(self, bytes: &[u8]) -> Option<String> {
        match self {
            Charset::Ira => Some(
                bytes.iter().map(|b| if b.is_ascii() { char::from(*b) } else { '?' }).collect(),
            ),
            Charset::Gsm => Some(alphabet::decode(bytes, Shifts::default())),
            Charset::Hex => Some(alphabet::decode(&hex::decode(bytes).ok()?, Shifts::default())),
            Charset::Ucs2 => from_ucs2_hex(bytes),
        }
    }
}

/// UTF-16 in hexadecimal, as text.
pub(super) fn from_ucs2_hex(bytes: &[u8]) -> Option<String> {
    let octets = hex::decode(bytes).ok()?;
    if octets.len() % 2 != 0 {
        return None;
    }
    let units: Vec<u16> =
        octets.chunks_exact(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]])).collect();
    Some(String::from_utf16_lossy(&units))
}

fn gsm(text: &str) -> Vec<u8> {
    text.chars().flat_map(|c| alphabet::septets_of(c).unwrap_or_else(|| vec![b'?'])).collect()
}
