//! The user data header: what travels in front of a part's text.

use crate::alphabet::{NationalLanguage, Shift};

/// One element of a user data header, kept whether its meaning is known or not.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Element {
    /// The information element identifier (TS 23.040 §9.2.3.24).
    pub id: u8,
    /// Its data.
    pub data: Vec<u8>,
}

impl Element {
    const CONCAT_SHORT: u8 = 0x00;
    const PORTS_SHORT: u8 = 0x04;
    const PORTS_LONG: u8 = 0x05;
    const CONCAT_LONG: u8 = 0x08;
    const SINGLE_SHIFT: u8 = 0x24;
    const LOCKING_SHIFT: u8 = 0x25;

    /// The place of a part in its message.
    pub fn concat(concat: Concat) -> Self {
        let Concat { reference, total, sequence } = concat;
        match reference {
            ConcatReference::Short(reference) => {
                Element { id: Self::CONCAT_SHORT, data: vec![reference, total, sequence] }
            }
            ConcatReference::Long(reference) => {
                let [high, low] = reference.to_be_bytes();
                Element { id: Self::CONCAT_LONG, data: vec![high, low, total, sequence] }
            }
        }
    }

    /// The single shift table in use.
    pub fn single_shift(language: NationalLanguage) -> Self {
        Element { id: Self::SINGLE_SHIFT, data: vec![language.id()] }
    }

    /// The locking shift table in use.
    pub fn locking_shift(language: NationalLanguage) -> Self {
        Element { id: Self::LOCKING_SHIFT, data: vec![language.id()] }
    }

    /// The application ports, as 16 bits.
    pub fn ports(ports: Ports) -> Self {
        let [d, e] = ports.destination.to_be_bytes();
        let [s, t] = ports.source.to_be_bytes();
        Element { id: Self::PORTS_LONG, data: vec![d, e, s, t] }
    }
}

/// The reference that the parts of one message share. Zero is as good as any.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ConcatReference {
    /// Of 8 bits.
    Short(u8),
    /// Of 16 bits.
    Long(u16),
}

impl ConcatReference {
    /// The number.
    pub fn value(self) -> u16 {
        match self {
            ConcatReference::Short(value) => value.into(),
            ConcatReference::Long(value) => value,
        }
    }

    /// Its width, 8 or 16.
    pub fn bits(self) -> u8 {
        match self {
            ConcatReference::Short(_) => 8,
            ConcatReference::Long(_) => 16,
        }
    }
}

/// The place of a part in a message of several (TS 23.040 §9.2.3.24.1 and .8).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Concat {
    /// What the message's parts share.
    pub reference: ConcatReference,
    /// How many parts there are, 1 to 255.
    pub total: u8,
    /// Which one this is, 1 to `total`.
    pub sequence: u8,
}

/// Application ports (TS 23.040 §9.2.3.24.3 and .4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Ports {
    /// Where the message is meant for.
    pub destination: u16,
    /// Where it comes from.
    pub source: u16,
}

/// A user data header.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct UserDataHeader {
    /// The elements in their order.
    pub elements: Vec<Element>,
}

impl UserDataHeader {
    /// Reads a header without its length octet. When its last element is cut
    /// short, the whole header counts for nothing (TS 23.040 §9.2.3.24).
    pub fn decode(mut octets: &[u8]) -> Self {
        let mut elements = Vec::new();
        while let [id, length, rest @ ..] = octets {
            let Some((data, rest)) = rest.split_at_checked(usize::from(*length)) else {
                return UserDataHeader::default();
            };
            elements.push(Element { id: *id, data: data.to_vec() });
            octets = rest;
        }
        if octets.is_empty() { UserDataHeader { elements } } else { UserDataHeader::default() }
    }

    /// The header with its length octet; nothing when it has no elements.
    /// `None` when a length does not fit its octet.
    pub fn encode(&self) -> Option<Vec<u8>> {
        if self.elements.is_empty() {
            return Some(Vec::new());
        }
        let mut octets = vec![0];
        for element in &self.elements {
            octets.extend([element.id, u8::try_from(element.data.len()).ok()?]);
            octets.extend(&element.data);
        }
        let length = u8::try_from(octets.len() - 1).ok()?;
        if let Some(first) = octets.first_mut() {
            *first = length;
        }
        Some(octets)
    }

    /// The part's place in its message. Elements that say something impossible
    /// (no parts, part 0, a part beyond the last) are passed over; of several
    /// the last one counts (TS 23.040 §9.2.3.24).
    pub fn concat(&self) -> Option<Concat> {
        self.elements.iter().rev().find_map(|element| {
            let concat = match (element.id, element.data.as_slice()) {
                (Element::CONCAT_SHORT, [reference, total, sequence]) => Concat {
                    reference: ConcatReference::Short(*reference),
                    total: *total,
                    sequence: *sequence,
                },
                (Element::CONCAT_LONG, [high, low, total, sequence]) => Concat {
                    reference: ConcatReference::Long(u16::from_be_bytes([*high, *low])),
                    total: *total,
                    sequence: *sequence,
                },
                _ => return None,
            };
            (1..=concat.total).contains(&concat.sequence).then_some(concat)
        })
    }

    /// The application ports.
    pub fn ports(&self) -> Option<Ports> {
        self.elements.iter().rev().find_map(|element| match (element.id, element.data.as_slice()) {
            (Element::PORTS_SHORT, [destination, source]) => {
                Some(Ports { destination: (*destination).into(), source: (*source).into() })
            }
            (Element::PORTS_LONG, [d, e, s, t]) => Some(Ports {
                destination: u16::from_be_bytes([*d, *e]),
                source: u16::from_be_bytes([*s, *t]),
            }),
            _ => None,
        })
    }

    /// The tables that a GSM 7-bit text is written with. A language that the
    /// standard does not know is passed over.
    pub fn shift(&self) -> Shift {
        Shift {
            locking: self
                .language(Element::LOCKING_SHIFT)
                .filter(|language| language.has_locking()),
            single: self.language(Element::SINGLE_SHIFT),
        }
    }

    fn language(&self, id: u8) -> Option<NationalLanguage> {
        self.elements.iter().rev().find_map(|element| match element.data.as_slice() {
            [language] if element.id == id => NationalLanguage::from_id(*language),
            _ => None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn concat(octets: &[u8]) -> Option<Concat> {
        UserDataHeader::decode(octets).concat()
    }

    #[test]
    fn an_impossible_place_is_no_place() {
        assert_eq!(concat(&[0, 3, 7, 0, 0]), None, "no parts");
        assert_eq!(concat(&[0, 3, 7, 2, 0]), None, "part 0");
        assert_eq!(concat(&[0, 3, 7, 2, 3]), None, "beyond the last");
        assert_eq!(concat(&[0, 2, 7, 2]), None, "an octet short");
        assert!(concat(&[0, 3, 0, 1, 1]).is_some(), "reference 0, one part");
    }

    #[test]
    fn of_two_places_the_last_counts() {
        let octets = [0, 3, 7, 2, 1, 8, 4, 1, 2, 3, 3];
        let reference = ConcatReference::Long(0x0102);
        assert_eq!(concat(&octets), Some(Concat { reference, total: 3, sequence: 3 }));
    }

    #[test]
    fn a_header_whose_end_is_missing_counts_for_nothing() {
        for octets in [&[0, 3, 7, 2, 1, 8, 4, 1][..], &[0, 3, 7, 2, 1, 8]] {
            assert_eq!(UserDataHeader::decode(octets), UserDataHeader::default());
        }
    }

    #[test]
    fn an_unknown_element_is_kept() {
        let octets = [0x70, 1, 0xaa, 0x24, 1, 99];
        let header = UserDataHeader::decode(&octets);
        assert_eq!(header.shift(), Shift::NONE, "a language that does not exist");
        assert_eq!(header.encode().unwrap(), [&[6][..], &octets].concat());
    }

    #[test]
    fn ports_come_in_two_widths() {
        let ports = |octets: &[u8]| UserDataHeader::decode(octets).ports();
        let wide = Ports { destination: 2948, source: 9200 };
        assert_eq!(ports(&[5, 4, 0x0b, 0x84, 0x23, 0xf0]), Some(wide));
        assert_eq!(ports(&[4, 2, 240, 241]), Some(Ports { destination: 240, source: 241 }));
        assert_eq!(UserDataHeader { elements: vec![Element::ports(wide)] }.ports(), Some(wide));
    }
}
