//! User data: header elements and the text in one of the three alphabets.

use super::CodecError;
use super::alphabet::{self, Shifts};

/// How the text is coded (TS 23.038 §4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Alphabet {
    /// GSM 7 bit.
    Gsm7,
    /// 8 bit data; shown as hexadecimal.
    #[serde(rename = "8bit")]
    Data,
    /// UCS-2, which in practice is UTF-16.
    Ucs2,
}

impl Alphabet {
    /// The alphabet that a TP-DCS names. Reserved codings count as GSM 7 bit,
    /// as §4 asks of a receiver.
    pub fn of_coding(coding: u8) -> Self {
        match coding >> 4 {
            0x0..=0x7 => match coding >> 2 & 3 {
                1 => Alphabet::Data,
                2 => Alphabet::Ucs2,
                _ => Alphabet::Gsm7,
            },
            0xe => Alphabet::Ucs2,
            0xf if coding & 4 != 0 => Alphabet::Data,
            _ => Alphabet::Gsm7,
        }
    }

    /// The plainest TP-DCS for the alphabet.
    pub fn coding(self) -> u8 {
        match self {
            Alphabet::Gsm7 => 0x00,
            Alphabet::Data => 0x04,
            Alphabet::Ucs2 => 0x08,
        }
    }
}

/// An information element of the user data header (TS 23.040 §9.2.3.24).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Element {
    /// The information element identifier.
    pub id: u8,
    /// Its data.
    pub data: Vec<u8>,
}

/// Where a part stands in its message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Concatenation {
    /// The reference that the parts share.
    pub reference: u16,
    /// 8 or 16: the width of the reference. Parts of different widths do not
    /// belong together.
    pub bits: u8,
    /// How many parts there are.
    pub total: u8,
    /// Which one this is, from 1.
    pub part: u8,
}

impl Concatenation {
    /// The header element that says so.
    pub fn element(self) -> Element {
        let [high, low] = self.reference.to_be_bytes();
        match self.bits {
            16 => Element { id: 0x08, data: vec![high, low, self.total, self.part] },
            _ => Element { id: 0x00, data: vec![low, self.total, self.part] },
        }
    }
}

/// TP-UD with its header taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserData {
    /// The header's elements in their order.
    pub header: Vec<Element>,
    /// The alphabet of the body.
    pub alphabet: Alphabet,
    /// The text; of 8 bit data, its octets in hexadecimal.
    pub text: String,
}

impl UserData {
    /// Reads TP-UD. `length` is TP-UDL: septets for GSM 7 bit, else octets.
    ///
    /// # Errors
    /// When octets are missing or left over, or the header does not fit itself.
    pub fn decode(
        has_header: bool,
        coding: u8,
        length: u8,
        octets: &[u8],
    ) -> Result<Self, CodecError> {
        let alphabet = Alphabet::of_coding(coding);
        let length = usize::from(length);
        let expected = match alphabet {
            Alphabet::Gsm7 => (length * 7).div_ceil(8),
            _ => length,
        };
        if octets.len() < expected {
            return Err(CodecError::Short("the user data"));
        }
        if octets.len() > expected {
            return Err(CodecError::Surplus(octets.len() - expected));
        }
        let (header, header_octets) = match has_header {
            true => decode_header(octets)?,
            false => (Vec::new(), 0),
        };
        let body = octets.get(header_octets..).ok_or(CodecError::Short("the header"))?;
        let text = match alphabet {
            Alphabet::Gsm7 => {
                let skipped = (header_octets * 8).div_ceil(7);
                let count = length.checked_sub(skipped).ok_or(CodecError::Short("the header"))?;
                let septets = alphabet::unpack(octets, skipped * 7, count)
                    .ok_or(CodecError::Short("the user data"))?;
                alphabet::decode(&septets, shifts(&header))
            }
            Alphabet::Data => hex::encode_upper(body),
            Alphabet::Ucs2 => {
                let units: Vec<u16> = body
                    .chunks(2)
                    .map(|pair| u16::from_be_bytes([pair[0], pair.get(1).copied().unwrap_or(0)]))
                    .collect();
                String::from_utf16_lossy(&units)
            }
        };
        Ok(UserData { header, alphabet, text })
    }

    /// TP-UDL and TP-UD.
    ///
    /// # Errors
    /// When the text does not fit its alphabet or the length octet.
    pub fn encode(&self) -> Result<Vec<u8>, CodecError> {
        let mut header = Vec::new();
        for element in &self.header {
            let length = u8::try_from(element.data.len()).map_err(|_| CodecError::TooLong(2))?;
            header.extend([element.id, length]);
            header.extend(&element.data);
        }
        if !header.is_empty() {
            let length = u8::try_from(header.len()).map_err(|_| CodecError::TooLong(2))?;
            header.insert(0, length);
        }
        let (length, octets) = match self.alphabet {
            Alphabet::Gsm7 => {
                let septets = alphabet::encode(&self.text).ok_or(CodecError::Alphabet)?;
                let skipped = (header.len() * 8).div_ceil(7);
                let packed = alphabet::pack(&septets, skipped * 7 - header.len() * 8);
                (skipped + septets.len(), [header, packed].concat())
            }
            Alphabet::Data => {
                let body = hex::decode(&self.text).map_err(|_| CodecError::Alphabet)?;
                (header.len() + body.len(), [header, body].concat())
            }
            Alphabet::Ucs2 => {
                let body: Vec<u8> = self.text.encode_utf16().flat_map(u16::to_be_bytes).collect();
                (header.len() + body.len(), [header, body].concat())
            }
        };
        if octets.len() > 140 {
            return Err(CodecError::TooLong(octets.len().div_ceil(140)));
        }
        let length = u8::try_from(length).map_err(|_| CodecError::TooLong(2))?;
        Ok([vec![length], octets].concat())
    }

    /// Where this part stands in a longer message, if its header says so with
    /// numbers that make sense.
    pub fn concatenation(&self) -> Option<Concatenation> {
        self.header.iter().rev().find_map(|element| {
            let found = match (element.id, element.data.as_slice()) {
                (0x00, [reference, total, part]) => Concatenation {
                    reference: u16::from(*reference),
                    bits: 8,
                    total: *total,
                    part: *part,
                },
                (0x08, [high, low, total, part]) => Concatenation {
                    reference: u16::from_be_bytes([*high, *low]),
                    bits: 16,
                    total: *total,
                    part: *part,
                },
                _ => return None,
            };
            (found.part >= 1 && found.part <= found.total).then_some(found)
        })
    }
}

/// The elements and the octets they took, the length octet included.
fn decode_header(octets: &[u8]) -> Result<(Vec<Element>, usize), CodecError> {
    const SHORT: CodecError = CodecError::Short("the header");
    let length = usize::from(*octets.first().ok_or(SHORT)?);
    let mut rest = octets.get(1..=length).ok_or(SHORT)?;
    let mut elements = Vec::new();
    while let [id, size, tail @ ..] = rest {
        let size = usize::from(*size);
        let data = tail.get(..size).ok_or(SHORT)?.to_vec();
        elements.push(Element { id: *id, data });
        rest = &tail[size..];
    }
    if !rest.is_empty() {
        return Err(SHORT);
    }
    Ok((elements, length + 1))
}

fn shifts(header: &[Element]) -> Shifts {
    let language = |id: u8| {
        header.iter().rev().find_map(|element| match element.data.as_slice() {
            [language] if element.id == id => Some(*language),
            _ => None,
        })
    };
    Shifts { single: language(0x24).unwrap_or(0), locking: language(0x25).unwrap_or(0) }
}
