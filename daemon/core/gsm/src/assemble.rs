//! Putting the parts of a message together (TS 23.040 §9.2.3.24.1).

use std::collections::BTreeMap;
use std::fmt;

use crate::alphabet::{self, Septets};
use crate::{Body, Deliver};

/// What a message says once its parts are joined. `Debug` shows lengths only.
#[derive(Clone, PartialEq, Eq)]
pub enum Content {
    /// Text.
    Text(String),
    /// Octets that are no text, or not one that can be read.
    Data(Vec<u8>),
}

impl fmt::Debug for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Content::Text(text) => write!(f, "Text({} characters)", text.chars().count()),
            Content::Data(octets) => write!(f, "Data({} octets)", octets.len()),
        }
    }
}

/// The parts of one message, as far as they came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Assembly {
    /// All parts are there.
    Complete(Content),
    /// Some are not.
    Partial {
        /// What is there, with `…` where parts are missing.
        content: Content,
        /// The numbers of the missing parts.
        missing: Vec<u8>,
    },
}

/// Joins the parts of the message that the first one belongs to.
///
/// Parts may come in any order; of two with the same number the first counts,
/// and parts of other messages are passed over. A message in one piece is
/// complete by itself. Joining happens in code units, so that a character whose
/// halves lie in two parts comes out whole.
pub fn assemble(parts: &[Deliver]) -> Assembly {
    let Some(first) = parts.first() else {
        return Assembly::Complete(Content::Text(String::new()));
    };
    let Some(group) = first.group() else {
        return Assembly::Complete(join([Some(first)].into_iter()));
    };
    let mut numbered: BTreeMap<u8, &Deliver> = BTreeMap::new();
    for part in parts.iter().filter(|part| part.group().as_ref() == Some(&group)) {
        if let Some(concat) = part.concat() {
            numbered.entry(concat.sequence).or_insert(part);
        }
    }
    let content = join((1..=group.total).map(|number| numbered.get(&number).copied()));
    let missing: Vec<u8> =
        (1..=group.total).filter(|number| !numbered.contains_key(number)).collect();
    if missing.is_empty() {
        Assembly::Complete(content)
    } else {
        Assembly::Partial { content, missing }
    }
}

/// Joins bodies; `None` is a missing part. Neighbours in one alphabet are read
/// in one run.
fn join<'a>(parts: impl Iterator<Item = Option<&'a Deliver>> + Clone) -> Content {
    let is_data =
        |part: &Deliver| matches!(part.user_data.body, Body::Data(_) | Body::Compressed(_));
    if parts.clone().flatten().any(is_data) {
        return Content::Data(parts.flatten().flat_map(octets).collect());
    }
    let mut text = String::new();
    let mut utf16: Vec<u8> = Vec::new();
    let mut septets = Septets::default();
    let mut gap = false;
    for part in parts {
        let Some(part) = part else {
            text.push_str(&alphabet::from_ucs2(&std::mem::take(&mut utf16)));
            septets = Septets::default();
            if !gap {
                text.push('…');
            }
            gap = true;
            continue;
        };
        gap = false;
        match &part.user_data.body {
            Body::Ucs2(octets) => {
                septets = Septets::default();
                utf16.extend(octets);
            }
            Body::Gsm7(codes) => {
                text.push_str(&alphabet::from_ucs2(&std::mem::take(&mut utf16)));
                septets.read(codes, part.user_data.shift(), &mut text);
            }
            Body::Data(_) | Body::Compressed(_) => {}
        }
    }
    text.push_str(&alphabet::from_ucs2(&utf16));
    Content::Text(text)
}

fn octets(part: &Deliver) -> Vec<u8> {
    match &part.user_data.body {
        Body::Data(octets) | Body::Compressed(octets) | Body::Ucs2(octets) => octets.clone(),
        Body::Gsm7(_) => part.text().unwrap_or_default().into_bytes(),
    }
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;
    use crate::{
        Address, Alphabet, Concat, ConcatReference, DataCoding, Element, NationalLanguage,
        ServiceCentreTime, UserData, UserDataHeader,
    };

    /// Joins parts that are written `2/3 …`, with the text in the default
    /// alphabet, `u 2/3 …` with UTF-16 in hexadecimal, or `t 2/3 …` with the
    /// Turkish tables. `\e` is an escape.
    fn check(parts: &str, expected: Expect) {
        let parts: Vec<Deliver> = parts.trim().lines().map(|line| part(line.trim())).collect();
        let shown = match assemble(&parts) {
            Assembly::Complete(content) => shown(content),
            Assembly::Partial { content, missing } => {
                format!("{} (missing {missing:?})", shown(content))
            }
        };
        expected.assert_eq(&shown);
    }

    fn shown(content: Content) -> String {
        match content {
            Content::Text(text) => text,
            Content::Data(octets) => hex::encode(octets),
        }
    }

    fn part(line: &str) -> Deliver {
        let (kind, line) = match line.split_once(' ') {
            Some((kind @ ("u" | "t" | "d"), rest)) => (kind, rest),
            _ => ("", line),
        };
        let (place, text) = line.split_once(' ').unwrap();
        let (sequence, total) = place.split_once('/').unwrap();
        let (sequence, total) = (sequence.parse().unwrap(), total.parse().unwrap());
        let reference = ConcatReference::Short(7);
        let mut elements = vec![Element::concat(Concat { reference, total, sequence })];
        let (alphabet, body) = match kind {
            "u" => (Alphabet::Ucs2, Body::Ucs2(hex::decode(text).unwrap())),
            "d" => (Alphabet::Data, Body::Data(hex::decode(text).unwrap())),
            _ => {
                let codes = text.replace("\\e", "\u{1b}").replace('_', " ").into_bytes();
                (Alphabet::Gsm7, Body::Gsm7(codes))
            }
        };
        if kind == "t" {
            elements.push(Element::single_shift(NationalLanguage::Turkish));
        }
        Deliver {
            more_messages: false,
            loop_prevention: false,
            reply_path: false,
            status_report: false,
            originator: Address::name("Test").unwrap(),
            protocol: 0,
            coding: DataCoding::new(alphabet, None),
            service_centre_time: ServiceCentreTime::from_octets([0; 7]),
            user_data: UserData { header: UserDataHeader { elements }, body },
        }
    }

    #[test]
    fn equal_references_of_8_and_16_bits_and_of_two_senders_are_different_messages() {
        let with = |reference, sender: &str| {
            let mut deliver = part("1/2 x");
            deliver.originator = Address::name(sender).unwrap();
            let concat = Concat { reference, total: 2, sequence: 1 };
            deliver.user_data.header.elements = vec![Element::concat(concat)];
            deliver.group().unwrap()
        };
        let short = with(ConcatReference::Short(0), "One");
        assert_ne!(short, with(ConcatReference::Long(0), "One"));
        assert_ne!(short, with(ConcatReference::Short(0), "Two"));
        // 0 is a reference like any other.
        assert_eq!(short, with(ConcatReference::Short(0), "One"));
    }

    #[test]
    fn parts_come_in_any_order_and_twice() {
        check(
            "3/3 safe?
             1/3 Is_the_
             3/3 drink?
             2/3 water_",
            expect!["Is the water safe?"],
        );
    }

    #[test]
    fn a_missing_part_leaves_a_mark() {
        check(
            "4/5 the_clinic
             1/5 Where",
            expect!["Where…the clinic… (missing [2, 3, 5])"],
        );
    }

    #[test]
    fn an_escape_applies_to_the_next_part() {
        check("1/2 costs_\\e\n2/2 e_5", expect!["costs € 5"]);
        check("2/2 e_5", expect!["…e 5 (missing [1])"]);
    }

    #[test]
    fn a_surrogate_pair_may_be_cut_anywhere() {
        check("u 1/2 0041d83d\nu 2/2 de000042", expect!["A😀B"]);
        check("u 1/3 0041d8\nu 2/3 3dde\nu 3/3 000042", expect!["A😀B"]);
        check("u 1/3 d83d\nu 3/3 de00", expect!["�…� (missing [2])"]);
    }

    #[test]
    fn each_part_may_have_its_own_alphabet() {
        check("1/3 Ndi_\nu 2/3 0175\nt 3/3 \\eg", expect!["Ndi ŵğ"]);
    }

    #[test]
    fn an_impossible_place_makes_a_message_of_its_own() {
        check("3/2 alone\n1/2 other", expect!["alone"]);
        check("0/0 alone", expect!["alone"]);
    }

    #[test]
    fn data_is_joined_as_octets() {
        check("d 2/2 03\nd 1/2 0102", expect!["010203"]);
        check("d 2/2 ff\n1/2 a", expect!["61ff"]);
    }

    #[test]
    fn nothing_is_nothing() {
        assert_eq!(assemble(&[]), Assembly::Complete(Content::Text(String::new())));
    }
}
