//! Texts to messages: the choice of alphabet and the cut into parts.

use super::tpdu::{Submit, encode_deliver, service_centre};
use super::{
    Address, Alphabet, CodecError, Concatenation, Deliver, ServiceTime, UserData, alphabet,
};

/// A text on its way to the mobile.
#[derive(Debug, Clone)]
pub struct Draft<'a> {
    /// The service centre that hands it over.
    pub service_centre: Option<&'a Address>,
    /// Who sends it.
    pub origin: &'a Address,
    /// What it says.
    pub text: &'a str,
    /// When the service centre got it.
    pub time: ServiceTime,
    /// The alphabet; the cheapest that fits when `None`.
    pub alphabet: Option<Alphabet>,
    /// The concatenation reference, used when one part is not enough.
    pub reference: u16,
    /// 8 or 16: the width of the reference.
    pub bits: u8,
    /// The message class, 0 to 3.
    pub class: Option<u8>,
}

/// The parts of a draft in their order, each with the service centre's address
/// in front as +CMT and +CMGR print it.
///
/// # Errors
/// When the text needs more than 255 parts or does not fit the alphabet.
pub fn deliver_parts(draft: &Draft<'_>) -> Result<Vec<Vec<u8>>, CodecError> {
    let alphabet = draft.alphabet.unwrap_or(match alphabet::encode(draft.text) {
        Some(_) => Alphabet::Gsm7,
        None => Alphabet::Ucs2,
    });
    // Units are septets or octets; a header takes 7, 8, 6 or 7 of them.
    let (whole, part) = match (alphabet, draft.bits) {
        (Alphabet::Gsm7, 16) => (160, 152),
        (Alphabet::Gsm7, _) => (160, 153),
        (_, 16) => (140, 133),
        (_, _) => (140, 134),
    };
    let mut pieces = cut(draft.text, alphabet, whole)?;
    if pieces.len() > 1 {
        pieces = cut(draft.text, alphabet, part)?;
    }
    let total = u8::try_from(pieces.len()).map_err(|_| CodecError::TooLong(pieces.len()))?;
    let coding = match draft.class {
        Some(class) => alphabet.coding() | 0x10 | class & 3,
        None => alphabet.coding(),
    };
    (1..=total)
        .zip(pieces)
        .map(|(part, text)| {
            let concatenation =
                Concatenation { reference: draft.reference, bits: draft.bits, total, part };
            let header = if total > 1 { vec![concatenation.element()] } else { Vec::new() };
            let tpdu = encode_deliver(&Deliver {
                origin: draft.origin.clone(),
                protocol: 0,
                coding,
                time: draft.time,
                more: part < total,
                data: UserData { header, alphabet, text },
            })?;
            Ok([service_centre(draft.service_centre), tpdu].concat())
        })
        .collect()
}

/// An SMS-SUBMIT as text mode builds it from +CSMP's values; `first` is the
/// first octet and `coding` TP-DCS.
///
/// # Errors
/// When the text does not fit the alphabet that `coding` names, or one message.
pub fn submit(
    first: u8,
    validity: u8,
    protocol: u8,
    coding: u8,
    destination: Address,
    text: &str,
) -> Result<Submit, CodecError> {
    Ok(Submit {
        reference: 0,
        destination,
        protocol,
        coding,
        validity: if first & 0x18 == 0x10 { vec![validity] } else { Vec::new() },
        enhanced_validity: false,
        wants_report: first & 0x20 != 0,
        rejects_duplicates: first & 0x04 != 0,
        reply_path: first & 0x80 != 0,
        data: UserData {
            header: Vec::new(),
            alphabet: Alphabet::of_coding(coding),
            text: text.to_owned(),
        },
    })
}

/// Pieces of at most `room` units that split no escape sequence and no
/// surrogate pair.
fn cut(text: &str, alphabet: Alphabet, room: usize) -> Result<Vec<String>, CodecError> {
    let mut pieces = vec![String::new()];
    let mut used = 0;
    let mut buffer = [0; 2];
    // 8 bit data comes as pairs of hexadecimal digits.
    let mut half = false;
    for character in text.chars() {
        let size = match alphabet {
            Alphabet::Gsm7 => alphabet::septets_of(character).ok_or(CodecError::Alphabet)?.len(),
            Alphabet::Ucs2 => character.encode_utf16(&mut buffer).len() * 2,
            Alphabet::Data => {
                half = !half;
                usize::from(half)
            }
        };
        if used + size > room {
            pieces.push(String::new());
            used = 0;
        }
        used += size;
        if let Some(piece) = pieces.last_mut() {
            piece.push(character);
        }
    }
    Ok(pieces)
}

#[cfg(test)]
mod tests {
    use super::super::{decode_deliver, split_service_centre};
    use super::*;

    fn parts(text: &str, bits: u8) -> Vec<Deliver> {
        let origin = Address::new("+265991234567").expect("a number");
        let centre = Address::new("+265888000111").expect("a number");
        let draft = Draft {
            service_centre: Some(&centre),
            origin: &origin,
            text,
            time: ServiceTime::from_unix(0, 8),
            alphabet: None,
            reference: 0x1234,
            bits,
            class: None,
        };
        let decode = |pdu: &Vec<u8>| {
            let (found, tpdu) = split_service_centre(pdu).expect("our own");
            assert_eq!(found.as_ref(), Some(&centre));
            decode_deliver(tpdu).expect("our own")
        };
        deliver_parts(&draft).expect("it fits").iter().map(decode).collect()
    }

    #[test]
    fn what_is_composed_is_read_back() {
        let texts = ["", "How do I register a birth?", "Chonde, ŵana 👶 akudwala", "€[]{}~^\\|"];
        for text in texts {
            for repeat in [1, 7, 23, 60] {
                for bits in [8, 16] {
                    let long = text.repeat(repeat);
                    let parts = parts(&long, bits);
                    let joined: String = parts.iter().map(|p| p.data.text.as_str()).collect();
                    assert_eq!(joined, long);
                    for (number, part) in (1_u8..).zip(&parts) {
                        let place = part.data.concatenation();
                        assert_eq!(place.map_or(1, |c| c.part), number);
                        assert_eq!(place.is_some(), parts.len() > 1);
                    }
                }
            }
        }
    }

    #[test]
    fn a_part_holds_as_much_as_the_standard_says() {
        assert_eq!(parts(&"a".repeat(160), 8).len(), 1);
        assert_eq!(parts(&"a".repeat(161), 8)[0].data.text.len(), 153);
        assert_eq!(parts(&"a".repeat(161), 16)[0].data.text.len(), 152);
        assert_eq!(parts(&"ŵ".repeat(70), 8).len(), 1);
        assert_eq!(parts(&"ŵ".repeat(71), 8)[0].data.text.chars().count(), 67);
        assert_eq!(parts(&"ŵ".repeat(71), 16)[0].data.text.chars().count(), 66);
    }

    #[test]
    fn an_escape_sequence_is_not_cut() {
        let text = format!("{}€{}", "a".repeat(152), "b".repeat(20));
        let parts = parts(&text, 8);
        assert_eq!(parts[0].data.text.len(), 152);
        assert!(parts[1].data.text.starts_with('€'));
    }
}
