//! TP-DCS, the data coding scheme (TS 23.038 §4).

/// The alphabet of a message's user data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Alphabet {
    /// GSM 7-bit default alphabet, or a national language table in its place.
    Gsm7,
    /// Octets that are no text.
    Data,
    /// UCS-2; in practice UTF-16.
    Ucs2,
}

/// The class of a message: where the receiving phone puts it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Class {
    /// Shown at once, not stored ("flash").
    Flash,
    /// Stored in the phone.
    Phone,
    /// Stored on the SIM.
    Sim,
    /// Handed to equipment behind the phone.
    Equipment,
}

impl Class {
    fn from_bits(bits: u8) -> Self {
        match bits & 3 {
            0 => Class::Flash,
            1 => Class::Phone,
            2 => Class::Sim,
            _ => Class::Equipment,
        }
    }

    /// The number of the class, 0 to 3.
    pub fn number(self) -> u8 {
        self as u8
    }
}

/// A message waiting indication: the network says that messages wait elsewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Waiting {
    /// Whether messages wait, or no longer do.
    pub active: bool,
    /// What waits: 0 voice mail, 1 fax, 2 electronic mail, 3 other.
    pub kind: u8,
    /// Whether the message itself is worth keeping.
    pub store: bool,
}

/// The data coding scheme of a message. Every octet is kept as it came; what a
/// group leaves reserved is read as the default alphabet (TS 23.038 §4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct DataCoding(u8);

impl DataCoding {
    /// GSM 7-bit without a class.
    pub const GSM7: DataCoding = DataCoding(0x00);
    /// 8-bit data without a class.
    pub const DATA: DataCoding = DataCoding(0x04);
    /// UCS-2 without a class.
    pub const UCS2: DataCoding = DataCoding(0x08);

    /// The scheme with an octet.
    pub const fn from_octet(octet: u8) -> Self {
        DataCoding(octet)
    }

    /// The general scheme for an alphabet and a class.
    pub fn new(alphabet: Alphabet, class: Option<Class>) -> Self {
        let alphabet = match alphabet {
            Alphabet::Gsm7 => 0x00,
            Alphabet::Data => 0x04,
            Alphabet::Ucs2 => 0x08,
        };
        DataCoding(alphabet | class.map_or(0, |class| 0x10 | class.number()))
    }

    /// The octet.
    pub const fn octet(self) -> u8 {
        self.0
    }

    /// The alphabet of the user data.
    pub fn alphabet(self) -> Alphabet {
        match self.0 >> 4 {
            0..=7 => match self.0 >> 2 & 3 {
                1 => Alphabet::Data,
                2 => Alphabet::Ucs2,
                _ => Alphabet::Gsm7,
            },
            0xe => Alphabet::Ucs2,
            0xf if self.0 & 0x04 != 0 => Alphabet::Data,
            _ => Alphabet::Gsm7,
        }
    }

    /// The class, where the scheme names one.
    pub fn class(self) -> Option<Class> {
        let named = match self.0 >> 4 {
            0..=7 => self.0 & 0x10 != 0,
            group => group == 0xf,
        };
        named.then(|| Class::from_bits(self.0))
    }

    /// Whether the user data is compressed (TS 23.042).
    pub fn is_compressed(self) -> bool {
        self.0 < 0x80 && self.0 & 0x20 != 0
    }

    /// Whether the sender asks for the message to be deleted once it was read.
    pub fn deletes_itself(self) -> bool {
        matches!(self.0 >> 4, 4..=7)
    }

    /// The message waiting indication, where the scheme is one.
    pub fn waiting(self) -> Option<Waiting> {
        matches!(self.0 >> 4, 0xc..=0xe).then(|| Waiting {
            active: self.0 & 0x08 != 0,
            kind: self.0 & 0x03,
            store: self.0 >> 4 != 0xc,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// TS 23.038 §4, a line for each group.
    #[test]
    fn every_group_has_its_alphabet_and_class() {
        let read = |octet| {
            let coding = DataCoding::from_octet(octet);
            (coding.alphabet(), coding.class().map(Class::number), coding.is_compressed())
        };
        assert_eq!(read(0x00), (Alphabet::Gsm7, None, false));
        assert_eq!(read(0x06), (Alphabet::Data, None, false), "class bits without a class");
        assert_eq!(read(0x10), (Alphabet::Gsm7, Some(0), false));
        assert_eq!(read(0x19), (Alphabet::Ucs2, Some(1), false));
        assert_eq!(read(0x0c), (Alphabet::Gsm7, None, false), "a reserved alphabet");
        assert_eq!(read(0x2a), (Alphabet::Ucs2, None, true));
        assert_eq!(read(0x48), (Alphabet::Ucs2, None, false), "deletes itself");
        assert_eq!(read(0x88), (Alphabet::Gsm7, None, false), "a reserved group");
        assert_eq!(read(0xc8), (Alphabet::Gsm7, None, false));
        assert_eq!(read(0xe0), (Alphabet::Ucs2, None, false));
        assert_eq!(read(0xf6), (Alphabet::Data, Some(2), false));
        assert_eq!(read(0xfb), (Alphabet::Gsm7, Some(3), false));
    }

    #[test]
    fn voice_mail_announces_itself() {
        let waiting = DataCoding::from_octet(0xc8).waiting();
        assert_eq!(waiting, Some(Waiting { active: true, kind: 0, store: false }));
        assert_eq!(
            DataCoding::from_octet(0xd2).waiting().map(|w| (w.active, w.store)),
            Some((false, true))
        );
        assert_eq!(DataCoding::GSM7.waiting(), None);
    }

    #[test]
    fn a_built_scheme_says_what_it_was_built_from() {
        for alphabet in [Alphabet::Gsm7, Alphabet::Data, Alphabet::Ucs2] {
            for class in [None, Some(Class::Flash), Some(Class::Equipment)] {
                let coding = DataCoding::new(alphabet, class);
                assert_eq!((coding.alphabet(), coding.class()), (alphabet, class));
            }
        }
    }
}
