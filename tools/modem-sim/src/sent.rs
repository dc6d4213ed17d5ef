//! What went on the air, put together again as the recipients' phones would.

use std::time::Duration;

use serde::Serialize;

use crate::codec::{Alphabet, Concatenation, Submit};

/// One SMS-SUBMIT that reached the network.
#[derive(Debug, Clone)]
pub struct OnAir {
    /// When the network took it.
    pub at: Duration,
    /// The TPDU with the reference that the modem gave it.
    pub tpdu: Vec<u8>,
    /// The same, decoded.
    pub submit: Submit,
}

/// A message as its recipient sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SentMessage {
    /// Whom it went to.
    pub to: String,
    /// The text of the parts that are there, in their order.
    pub text: String,
    /// The alphabet of its first part.
    pub alphabet: Alphabet,
    /// Whether all parts are there.
    pub complete: bool,
    /// The parts in the order in which they were sent.
    pub parts: Vec<SentPart>,
}

/// A part of a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SentPart {
    /// The TPDU in hexadecimal.
    pub pdu: String,
    /// TP-MR, as assigned by the modem.
    pub reference: u8,
    /// When the network took it.
    pub at_ms: u64,
    /// Its number, from 1.
    pub part: u8,
    /// Whether a status report was asked for.
    pub wants_report: bool,
}

/// Puts parts together. A part that comes a second time begins a new message,
/// so a host that sends something twice is seen to do so.
pub(crate) fn reassemble(on_air: &[OnAir]) -> Vec<SentMessage> {
    struct Open {
        key: (String, Option<(u16, u8, u8)>),
        texts: Vec<(u8, String)>,
        message: SentMessage,
    }
    let mut open: Vec<Open> = Vec::new();
    for sent in on_air {
        let place = sent.submit.data.concatenation();
        let to = sent.submit.destination.to_string();
        let number = place.map_or(1, |place| place.part);
        let key = (
            to.clone(),
            place.map(|Concatenation { reference, bits, total, .. }| (reference, bits, total)),
        );
        let part = SentPart {
            pdu: hex::encode_upper(&sent.tpdu),
            reference: sent.submit.reference,
            at_ms: millis(sent.at),
            part: number,
            wants_report: sent.submit.wants_report,
        };
        let text = sent.submit.data.text.clone();
        let found = open.iter_mut().rev().find(|open| {
            place.is_some() && open.key == key && open.texts.iter().all(|(n, _)| *n != number)
        });
        match found {
            Some(open) => {
                open.texts.push((number, text));
                open.message.parts.push(part);
            }
            None => open.push(Open {
                key,
                texts: vec![(number, text)],
                message: SentMessage {
                    to,
                    text: String::new(),
                    alphabet: sent.submit.data.alphabet,
                    complete: false,
                    parts: vec![part],
                },
            }),
        }
    }
    open.into_iter()
        .map(|mut open| {
            open.texts.sort_by_key(|(number, _)| *number);
            open.message.text = open.texts.iter().map(|(_, text)| text.as_str()).collect();
            let total = open.key.1.map_or(1, |(_, _, total)| usize::from(total));
            open.message.complete = open.texts.len() == total;
            open.message
        })
        .collect()
}

/// Whole milliseconds, for people and JSON.
pub(crate) fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::{Address, UserData, encode_submit};

    fn part(to: &str, text: &str, place: Option<(u16, u8, u8)>) -> OnAir {
        let header = place.map(|(reference, total, part)| {
            Concatenation { reference, bits: 8, total, part }.element()
        });
        let submit = Submit {
            reference: 7,
            destination: Address::new(to).expect("a number"),
            protocol: 0,
            coding: 0,
            validity: vec![0xa7],
            enhanced_validity: false,
            wants_report: false,
            rejects_duplicates: false,
            reply_path: false,
            data: UserData {
                header: header.into_iter().collect(),
                alphabet: Alphabet::Gsm7,
                text: text.to_owned(),
            },
        };
        let tpdu = encode_submit(&submit).expect("it fits");
        OnAir { at: Duration::ZERO, tpdu, submit }
    }

    fn told(on_air: &[OnAir]) -> Vec<(String, bool)> {
        reassemble(on_air).into_iter().map(|m| (m.text, m.complete)).collect()
    }

    #[test]
    fn parts_come_together_in_any_order_and_per_recipient() {
        let on_air = [
            part("+1", "two ", Some((9, 2, 2))),
            part("+2", "other", Some((9, 2, 1))),
            part("+1", "one ", Some((9, 2, 1))),
            part("+1", "alone", None),
        ];
        let expected = [("one two ", true), ("other", false), ("alone", true)];
        assert_eq!(told(&on_air), expected.map(|(t, c)| (t.to_owned(), c)));
    }

    #[test]
    fn a_part_that_is_sent_twice_shows_as_a_second_message() {
        let on_air = [
            part("+1", "a", Some((9, 2, 1))),
            part("+1", "b", Some((9, 2, 2))),
            part("+1", "b", Some((9, 2, 2))),
            part("+1", "x", None),
            part("+1", "x", None),
        ];
        let expected = [("ab", true), ("b", false), ("x", true), ("x", true)];
        assert_eq!(told(&on_air), expected.map(|(t, c)| (t.to_owned(), c)));
    }
}
