//! Addresses: telephone numbers, short codes and alphanumeric sender names.

use std::fmt;

use jibu_types::PhoneNumber;

use crate::alphabet::{self, Shift};
use crate::wire::Reader;
use crate::{DecodeError, EncodeError, Field};

/// The type of number, bits 6 to 4 of the type octet (TS 23.040 §9.1.2.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[allow(missing_docs)]
pub enum TypeOfNumber {
    Unknown,
    International,
    National,
    NetworkSpecific,
    Subscriber,
    /// A name in the GSM 7-bit default alphabet instead of a number.
    Alphanumeric,
    Abbreviated,
    Reserved,
}

impl TypeOfNumber {
    fn from_bits(bits: u8) -> Self {
        match bits & 7 {
            0 => TypeOfNumber::Unknown,
            1 => TypeOfNumber::International,
            2 => TypeOfNumber::National,
            3 => TypeOfNumber::NetworkSpecific,
            4 => TypeOfNumber::Subscriber,
            5 => TypeOfNumber::Alphanumeric,
            6 => TypeOfNumber::Abbreviated,
            _ => TypeOfNumber::Reserved,
        }
    }
}

/// The numbering plan, bits 3 to 0 of the type octet (TS 23.040 §9.1.2.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NumberingPlan(u8);

impl NumberingPlan {
    /// Not said.
    pub const UNKNOWN: NumberingPlan = NumberingPlan(0);
    /// ISDN/telephone numbering plan (E.164).
    pub const ISDN: NumberingPlan = NumberingPlan(1);

    /// The plan with a code; only its lowest four bits count.
    pub fn from_code(code: u8) -> Self {
        NumberingPlan(code & 0xf)
    }

    /// The code, 0 to 15.
    pub fn code(self) -> u8 {
        self.0
    }
}

/// Where a message comes from or goes to.
///
/// `Debug` and `Display` show the last two characters only;
/// [`Address::reveal`] gives it whole.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Address {
    type_of_number: TypeOfNumber,
    numbering_plan: NumberingPlan,
    value: Box<str>,
}

impl Address {
    /// The most digits, and the most semi-octets of a name (TS 23.040 §9.1.2.5).
    pub const MAX_DIGITS: usize = 20;

    /// A sender name of up to 11 characters of the GSM 7-bit default alphabet.
    ///
    /// # Errors
    /// When a character is missing from the alphabet or the name is too long.
    pub fn name(name: &str) -> Result<Self, EncodeError> {
        let septets = alphabet::to_septets(name, Shift::NONE).ok_or(EncodeError::Address)?;
        if septets.len() > 11 {
            return Err(EncodeError::Address);
        }
        Ok(Address {
            type_of_number: TypeOfNumber::Alphanumeric,
            numbering_plan: NumberingPlan::UNKNOWN,
            value: name.into(),
        })
    }

    /// A number of up to 20 of `0-9 * # a b c`, without a `+`.
    ///
    /// # Errors
    /// When there are more, or other characters, or the type is alphanumeric.
    pub fn digits(
        type_of_number: TypeOfNumber,
        numbering_plan: NumberingPlan,
        digits: &str,
    ) -> Result<Self, EncodeError> {
        let fits = type_of_number != TypeOfNumber::Alphanumeric
            && digits.len() <= Self::MAX_DIGITS
            && digits.chars().all(|digit| semi_octet(digit).is_some());
        if !fits {
            return Err(EncodeError::Address);
        }
        Ok(Address { type_of_number, numbering_plan, value: digits.into() })
    }

    /// The type of number.
    pub fn type_of_number(&self) -> TypeOfNumber {
        self.type_of_number
    }

    /// The numbering plan.
    pub fn numbering_plan(&self) -> NumberingPlan {
        self.numbering_plan
    }

    /// Whether the address is a name, to which nothing can be sent.
    pub fn is_name(&self) -> bool {
        self.type_of_number == TypeOfNumber::Alphanumeric
    }

    /// The number when the address is one that can be sent to: digits only,
    /// with a `+` where it is international.
    pub fn number(&self) -> Option<PhoneNumber> {
        if self.is_name() { None } else { PhoneNumber::parse(&self.reveal()).ok() }
    }

    /// The whole address as people write it: `+265991234567`, `50131`, `MPESA`.
    /// It may go to the modem and the spool, never to a log.
    pub fn reveal(&self) -> String {
        match self.type_of_number {
            TypeOfNumber::International => format!("+{}", self.value),
            _ => self.value.to_string(),
        }
    }

    /// Reads TP-OA, TP-DA or TP-RA: the length in semi-octets, the type, the value.
    pub(crate) fn decode(reader: &mut Reader<'_>, field: Field) -> Result<Self, DecodeError> {
        let length = reader.octet(field)?;
        if usize::from(length) > Self::MAX_DIGITS {
            return Err(DecodeError::AddressTooLong { field, length });
        }
        let kind = reader.octet(field)?;
        let value = reader.take(usize::from(length).div_ceil(2), field)?;
        Ok(Self::from_octets(kind, value, usize::from(length)))
    }

    /// Reads the address in front of a TPDU as modems print it: the length in
    /// octets with the type's, the type, the digits. `None` where it is empty.
    pub(crate) fn decode_service_centre(
        reader: &mut Reader<'_>,
    ) -> Result<Option<Self>, DecodeError> {
        let field = Field::ServiceCentre;
        let length = reader.octet(field)?;
        let octets = reader.take(usize::from(length), field)?;
        let [kind, value @ ..] = octets else { return Ok(None) };
        let digits = value.len() * 2;
        if digits > Self::MAX_DIGITS {
            return Err(DecodeError::AddressTooLong { field, length: digits.min(255) as u8 });
        }
        let mut address = Self::from_octets(*kind, value, digits);
        if address.is_name() {
            // Counted in octets, a name's end cannot be told from zero bits.
            address.value = address.value.trim_end_matches('@').into();
        }
        Ok(if address.value.is_empty() { None } else { Some(address) })
    }

    fn from_octets(kind: u8, value: &[u8], semi_octets: usize) -> Self {
        let type_of_number = TypeOfNumber::from_bits(kind >> 4);
        let value = match type_of_number {
            TypeOfNumber::Alphanumeric => name_from(value, semi_octets),
            // Some senders count one digit too few: a last half octet that is
            // not the filler is a digit, whatever the length says. Decoders in
            // the field agree on that.
            _ => value
                .iter()
                .flat_map(|octet| [octet & 0xf, octet >> 4])
                .map_while(digit)
                .collect::<String>(),
        };
        Address {
            type_of_number,
            numbering_plan: NumberingPlan::from_code(kind),
            value: value.into_boxed_str(),
        }
    }

    fn type_octet(&self) -> u8 {
        0x80 | (self.type_of_number as u8) << 4 | self.numbering_plan.code()
    }

    fn value_octets(&self) -> Result<(usize, Vec<u8>), EncodeError> {
        if self.is_name() {
            let septets =
                alphabet::to_septets(&self.value, Shift::NONE).ok_or(EncodeError::Address)?;
            let mut octets = alphabet::pack(&septets, 0);
            let mut length = (septets.len() * 7).div_ceil(4);
            if reads_as_seven(&septets) && length == 14 {
                // One half octet more tells it from a name of seven.
                octets.push(0);
                length = 15;
            }
            return Ok((length, octets));
        }
        let halves: Option<Vec<u8>> = self.value.chars().map(semi_octet).collect();
        let halves = halves.ok_or(EncodeError::Address)?;
        let octets = halves
            .chunks(2)
            .map(|pair| match pair {
                [low, high] => high << 4 | low,
                [low] => 0xf0 | low,
                _ => 0xff,
            })
            .collect();
        Ok((halves.len(), octets))
    }

    /// Writes TP-OA, TP-DA or TP-RA.
    pub(crate) fn encode(&self, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        let (semi_octets, octets) = self.value_octets()?;
        if semi_octets > Self::MAX_DIGITS {
            return Err(EncodeError::Address);
        }
        out.extend([semi_octets as u8, self.type_octet()]);
        out.extend(octets);
        Ok(())
    }

    /// Writes the address in front of a TPDU.
    pub(crate) fn encode_service_centre(&self, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        let (semi_octets, octets) = self.value_octets()?;
        if semi_octets > Self::MAX_DIGITS {
            return Err(EncodeError::Address);
        }
        out.extend([octets.len() as u8 + 1, self.type_octet()]);
        out.extend(octets);
        Ok(())
    }
}

impl From<&PhoneNumber> for Address {
    /// In the ISDN plan: international with a `+`, of unknown type without.
    fn from(number: &PhoneNumber) -> Self {
        Address {
            type_of_number: if number.is_international() {
                TypeOfNumber::International
            } else {
                TypeOfNumber::Unknown
            },
            numbering_plan: NumberingPlan::ISDN,
            value: number.digits().into(),
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hidden = self.value.chars().count().saturating_sub(2);
        write!(f, "…{}", self.value.chars().skip(hidden).collect::<String>())
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Address({:?} {self})", self.type_of_number)
    }
}

fn name_from(octets: &[u8], semi_octets: usize) -> String {
    let mut septets = alphabet::unpack(octets, 0, semi_octets * 4 / 7);
    // Seven characters leave room for an eighth, which some senders count: it
    // is seven zero bits, not an "@".
    if reads_as_seven(&septets) && semi_octets == 14 {
        septets.pop();
    }
    alphabet::from_septets(&septets, Shift::NONE)
}

fn reads_as_seven(septets: &[u8]) -> bool {
    septets.len() == 8 && septets.last() == Some(&0)
}

fn digit(semi_octet: u8) -> Option<char> {
    match semi_octet {
        0..=9 => Some(char::from(b'0' + semi_octet)),
        10 => Some('*'),
        11 => Some('#'),
        12 => Some('a'),
        13 => Some('b'),
        14 => Some('c'),
        _ => None,
    }
}

fn semi_octet(digit: char) -> Option<u8> {
    match digit {
        '0'..='9' => Some(digit as u8 - b'0'),
        '*' => Some(10),
        '#' => Some(11),
        'a' => Some(12),
        'b' => Some(13),
        'c' => Some(14),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(octets: &[u8]) -> Address {
        Address::decode(&mut Reader::new(octets), Field::OriginatingAddress).unwrap()
    }

    #[test]
    fn an_address_shows_two_characters_only() {
        let address = read(&[12, 0x91, 0x62, 0x95, 0x19, 0x00, 0x00, 0x24]);
        assert_eq!(format!("{address} {address:?}"), "…42 Address(International …42)");
        assert_eq!(address.reveal(), "+265991000042");
    }

    #[test]
    fn a_short_code_can_be_sent_to_and_a_name_cannot() {
        let code = read(&[5, 0x81, 0x05, 0x31, 0xf1]);
        assert_eq!(code.number().unwrap().reveal(), "50131");
        let name = read(&[9, 0xd0, 0xc2, 0xf7, 0xba, 0xbc, 0x06]);
        assert_eq!((name.reveal().as_str(), name.number()), ("Bokek", None));
        let star = read(&[3, 0x81, 0x1a, 0xfb]);
        assert_eq!((star.reveal().as_str(), star.number()), ("*1#", None));
    }

    #[test]
    fn seven_letters_are_not_eight() {
        let name = Address::name("Sevenly").unwrap();
        let (length, mut octets) = name.value_octets().unwrap();
        assert_eq!((length, octets.len()), (13, 7));
        octets.splice(..0, [14, 0xd0]);
        assert_eq!(read(&octets), name, "a sender that counts whole octets");
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        assert!(Address::name("twelve chars").is_err());
        assert!(Address::name("ndalama ŵ").is_err());
        assert!(
            Address::digits(TypeOfNumber::Unknown, NumberingPlan::ISDN, "123456789012345678901")
                .is_err()
        );
        let long = Address::decode(&mut Reader::new(&[21, 0x91, 0]), Field::RecipientAddress);
        let field = Field::RecipientAddress;
        assert_eq!(long, Err(DecodeError::AddressTooLong { field, length: 21 }));
    }
}
