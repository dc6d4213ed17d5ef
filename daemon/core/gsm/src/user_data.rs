//! TP-UD: a header and a body (TS 23.040 §9.2.3.24).

use std::fmt;

use crate::alphabet::{self, Shift};
use crate::wire::Reader;
use crate::{Alphabet, DataCoding, DecodeError, EncodeError, Field, UserDataHeader};

/// The octets that one part can carry, header included.
pub const MAX_OCTETS: usize = 140;

/// The septets that one part can carry, header included.
pub const MAX_SEPTETS: usize = 160;

/// What a message carries, in the units of its alphabet. Text is kept in code
/// units until all parts are there, so that a character split between two parts
/// comes out whole. `Debug` shows lengths only.
#[derive(Clone, PartialEq, Eq, Hash)]
pub enum Body {
    /// GSM 7-bit codes, one an octet.
    Gsm7(Vec<u8>),
    /// UTF-16, high octet first; an odd last octet is kept.
    Ucs2(Vec<u8>),
    /// Octets that are no text.
    Data(Vec<u8>),
    /// Octets compressed by TS 23.042, which nobody in the field writes.
    Compressed(Vec<u8>),
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Body::Gsm7(septets) => write!(f, "Gsm7({} septets)", septets.len()),
            Body::Ucs2(octets) => write!(f, "Ucs2({} octets)", octets.len()),
            Body::Data(octets) => write!(f, "Data({} octets)", octets.len()),
            Body::Compressed(octets) => write!(f, "Compressed({} octets)", octets.len()),
        }
    }
}

/// A message's user data.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct UserData {
    /// The header; empty where there is none.
    pub header: UserDataHeader,
    /// What follows it.
    pub body: Body,
}

impl UserData {
    /// User data without a header.
    pub fn plain(body: Body) -> Self {
        UserData { header: UserDataHeader::default(), body }
    }

    /// The text of this part alone; `None` for data and compressed text.
    pub fn text(&self) -> Option<String> {
        match &self.body {
            Body::Gsm7(septets) => Some(alphabet::from_septets(septets, self.header.shift())),
            Body::Ucs2(octets) => Some(alphabet::from_ucs2(octets)),
            Body::Data(_) | Body::Compressed(_) => None,
        }
    }

    /// Reads TP-UDL and TP-UD.
    pub(crate) fn decode(
        reader: &mut Reader<'_>,
        coding: DataCoding,
        has_header: bool,
    ) -> Result<Self, DecodeError> {
        let length = usize::from(reader.octet(Field::UserDataLength)?);
        let septets = coding.alphabet() == Alphabet::Gsm7 && !coding.is_compressed();
        let size = if septets { (length * 7).div_ceil(8) } else { length };
        let octets = reader.take(size, Field::UserData)?;

        let mut body = Reader::new(octets);
        let mut header = UserDataHeader::default();
        let mut header_octets = 0;
        // A header that the first octet announces for empty user data is not there.
        if has_header && length > 0 {
            let header_length = usize::from(body.octet(Field::UserDataHeader)?);
            header_octets = header_length + 1;
            header = match body.take(header_length, Field::UserDataHeader) {
                Ok(elements) => UserDataHeader::decode(elements),
                Err(_) => {
                    return Err(DecodeError::HeaderTooLong {
                        header: header_octets,
                        user_data: size,
                    });
                }
            };
        }
        let rest = body.rest().to_vec();
        let body = match coding.alphabet() {
            _ if coding.is_compressed() => Body::Compressed(rest),
            Alphabet::Data => Body::Data(rest),
            Alphabet::Ucs2 => Body::Ucs2(rest),
            Alphabet::Gsm7 => {
                let (header_septets, fill) = septets_of_header(header_octets);
                let count = length.saturating_sub(header_septets);
                Body::Gsm7(alphabet::unpack(&rest, fill, count))
            }
        };
        Ok(UserData { header, body })
    }

    /// Writes TP-UDL and TP-UD.
    pub(crate) fn encode(&self, coding: DataCoding, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        let announced = match &self.body {
            _ if coding.is_compressed() => matches!(self.body, Body::Compressed(_)),
            Body::Gsm7(_) => coding.alphabet() == Alphabet::Gsm7,
            Body::Ucs2(_) => coding.alphabet() == Alphabet::Ucs2,
            Body::Data(_) => coding.alphabet() == Alphabet::Data,
            Body::Compressed(_) => false,
        };
        if !announced {
            return Err(EncodeError::CodingMismatch { coding: coding.octet() });
        }
        let header = self.header.encode().ok_or(EncodeError::HeaderTooLong)?;
        let (length, octets) = match &self.body {
            Body::Gsm7(septets) => {
                let (header_septets, fill) = septets_of_header(header.len());
                (header_septets + septets.len(), alphabet::pack(septets, fill))
            }
            Body::Ucs2(octets) | Body::Data(octets) | Body::Compressed(octets) => {
                (header.len() + octets.len(), octets.clone())
            }
        };
        let size = header.len() + octets.len();
        match u8::try_from(length) {
            Ok(length) if size <= MAX_OCTETS => out.push(length),
            _ => return Err(EncodeError::UserDataTooLong(size)),
        }
        out.extend(header);
        out.extend(octets);
        Ok(())
    }

    /// The tables of a GSM 7-bit body.
    pub(crate) fn shift(&self) -> Shift {
        self.header.shift()
    }
}

/// How many septets a header of so many octets takes, and how many fill bits
/// follow it up to a septet's border (TS 23.040 §9.2.3.24).
pub(crate) fn septets_of_header(octets: usize) -> (usize, usize) {
    let septets = (octets * 8).div_ceil(7);
    (septets, septets * 7 - octets * 8)
}
