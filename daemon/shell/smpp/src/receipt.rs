//! Delivery receipts (SMPP 3.4 §4.6.1 and appendix B) → SMS-STATUS-REPORT.

use std::collections::VecDeque;

use jibu_gsm::{Address, Parameters, Pdu, ServiceCentreTime, Status, StatusReport, Tpdu, alphabet};

use crate::incoming::{Untranslatable, address};
use crate::pdu::{Delivery, esm, tag};

/// What became of a message (§5.2.28).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Enroute,
    Delivered,
    Expired,
    Deleted,
    Undeliverable,
    Accepted,
    Unknown,
    Rejected,
}

impl State {
    fn from_number(number: u16) -> Option<State> {
        Some(match number {
            1 => State::Enroute,
            2 => State::Delivered,
            3 => State::Expired,
            4 => State::Deleted,
            5 => State::Undeliverable,
            6 => State::Accepted,
            7 => State::Unknown,
            8 => State::Rejected,
            _ => return None,
        })
    }

    /// The words of appendix B, and those that SMSCs have added. Some are cut, so
    /// their beginnings count.
    fn from_word(word: &str) -> Option<State> {
        const WORDS: [(&str, State); 9] = [
            ("DELIV", State::Delivered),
            ("EXPIR", State::Expired),
            ("DELET", State::Deleted),
            ("UNDEL", State::Undeliverable),
            ("FAIL", State::Undeliverable),
            ("ACCEP", State::Accepted),
            ("UNKNO", State::Unknown),
            ("REJEC", State::Rejected),
            ("ENROU", State::Enroute),
        ];
        let word = word.to_ascii_uppercase();
        WORDS.iter().find(|(begin, _)| word.starts_with(begin)).map(|(_, state)| *state)
    }

    /// TP-ST (TS 23.040 §9.2.3.15). "Accepted" and "unknown" say nothing about the
    /// phone, so they change nothing.
    fn status(self) -> Status {
        Status::from_octet(match self {
            State::Delivered => 0x00,
            State::Enroute | State::Accepted | State::Unknown => 0x30,
            State::Rejected => 0x42,
            State::Undeliverable => 0x43,
            State::Expired => 0x46,
            State::Deleted => 0x48,
        })
    }

    fn is_final(self) -> bool {
        !matches!(self, State::Enroute | State::Accepted | State::Unknown)
    }
}

/// Whether a delivery is a receipt rather than somebody's message. Some SMSCs
/// forget the message type and give the parameters.
pub(crate) fn is_receipt(delivery: &Delivery) -> bool {
    matches!(delivery.esm_class & esm::TYPE, esm::RECEIPT | esm::INTERMEDIATE)
        || delivery.parameter(tag::RECEIPTED_MESSAGE_ID).is_some()
}

/// What a receipt comes to.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Read {
    /// SMSC octet and SMS-STATUS-REPORT.
    Report(Vec<u8>),
    /// It was told already, and the SMSC does not know that we have it.
    Again,
}

/// Reads a receipt: the optional parameters first, then the text of appendix B.
pub(crate) fn read(delivery: &Delivery, ids: &mut Ids) -> Result<Read, Untranslatable> {
    let text = match delivery.data_coding {
        0x08 => alphabet::from_ucs2(&delivery.message),
        _ => delivery.message.iter().map(|octet| char::from(*octet)).collect(),
    };
    let by_parameter = delivery.parameter(tag::RECEIPTED_MESSAGE_ID).map(crate::pdu::first_string);
    let id = by_parameter.filter(|id| !id.is_empty());
    let id = id.or_else(|| field(&text, "id").map(str::to_owned)).ok_or(Untranslatable)?;
    let state = delivery.number(tag::MESSAGE_STATE).and_then(State::from_number);
    let state = state.or_else(|| field(&text, "stat").and_then(State::from_word));
    let state = state.ok_or(Untranslatable)?;

    let found = ids.find(&id, state.is_final());
    if found.is_over {
        return Ok(Read::Again);
    }
    let report = StatusReport {
        more_messages: false,
        loop_prevention: false,
        answers_command: false,
        reference: found.reference,
        // SMSCs disagree on which side the recipient stands.
        recipient: found.recipient.unwrap_or_else(|| address(&delivery.source)),
        service_centre_time: ServiceCentreTime::from_octets([0; 7]),
        discharge: ServiceCentreTime::from_octets([0; 7]),
        status: state.status(),
        parameters: Parameters::default(),
    };
    let pdu = Pdu { service_centre: None, tpdu: Tpdu::StatusReport(report) };
    pdu.encode().map(Read::Report).map_err(|_| Untranslatable)
}

/// The value behind `name:`.
fn field<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let mut words = text.split_ascii_whitespace();
    words.find_map(|word| {
        let (key, value) = word.split_once(':')?;
        (key.eq_ignore_ascii_case(name) && !value.is_empty()).then_some(value)
    })
}

/// In which form a message id stands in a receipt, against its `submit_sm_resp`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Same,
    /// In decimal, and in hexadecimal in the response.
    Decimal,
    /// In hexadecimal, and in decimal in the response.
    Hexadecimal,
}

impl Form {
    /// An id of a receipt as the response had it.
    fn as_sent(self, id: &str) -> Option<String> {
        match self {
            Form::Same => Some(canonical(id)),
            Form::Decimal => id.parse().ok().map(|number: u128| format!("{number:x}")),
            Form::Hexadecimal => u128::from_str_radix(id, 16).ok().map(|n| n.to_string()),
        }
    }
}

fn canonical(id: &str) -> String {
    let id = id.trim().trim_start_matches('0').to_ascii_lowercase();
    if id.is_empty() { "0".to_owned() } else { id }
}

/// Message ids that are remembered; receipts of older ones find their message by
/// the hash alone.
const REMEMBERED: usize = 1024;

/// Ids of the messages that were sent.
#[derive(Debug)]
pub(crate) struct Ids {
    sent: VecDeque<SentId>,
    form: Form,
}

struct SentId {
    id: String,
    recipient: Address,
    is_over: bool,
}

impl std::fmt::Debug for SentId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SentId({:?}, over: {})", self.recipient, self.is_over)
    }
}

#[derive(Debug)]
struct Found {
    reference: u8,
    recipient: Option<Address>,
    /// Its last receipt has come before.
    is_over: bool,
}

impl Default for Ids {
    fn default() -> Self {
        Ids { sent: VecDeque::new(), form: Form::Same }
    }
}

impl Ids {
    /// Remembers a message, and gives its reference; none where the SMSC gave no id.
    pub(crate) fn sent(&mut self, id: &str, recipient: Address) -> Option<u8> {
        if id.trim().is_empty() {
            return None;
        }
        let id = canonical(id);
        let reference = reference(&id);
        if self.sent.len() >= REMEMBERED {
            self.sent.pop_front();
        }
        self.sent.push_back(SentId { id, recipient, is_over: false });
        Some(reference)
    }

    fn find(&mut self, id: &str, is_final: bool) -> Found {
        let forms = [self.form, Form::Same, Form::Decimal, Form::Hexadecimal];
        for form in forms {
            let Some(id) = form.as_sent(id) else { continue };
            let Some(sent) = self.sent.iter_mut().rev().find(|sent| sent.id == id) else {
                continue;
            };
            let is_over = sent.is_over;
            sent.is_over |= is_final;
            let recipient = Some(sent.recipient.clone());
            self.form = form;
            return Found { reference: reference(&id), recipient, is_over };
        }
        let id = self.form.as_sent(id).unwrap_or_else(|| canonical(id));
        Found { reference: reference(&id), recipient: None, is_over: false }
    }
}

/// A byte of a hash: the same after a restart, without a table to keep.
fn reference(id: &str) -> u8 {
    let [first, ..] = *blake3::hash(id.as_bytes()).as_bytes();
    first
}

#[cfg(test)]
mod tests {
    use jibu_gsm::{Incoming, Outcome};
    use jibu_types::PhoneNumber;

    use super::*;
    use crate::pdu::{Frame, id};

    fn receipt(esm_class: u8, text: &str, parameters: &[u8]) -> Delivery {
        let mut body = b"\0\x01\x01265991234567\0\0\x0150131\0".to_vec();
        body.extend([esm_class, 0, 0, 0, 0, 0, 0, 0, 0, text.len() as u8]);
        body.extend(text.as_bytes());
        body.extend(parameters);
        Delivery::decode(&Frame::request(id::DELIVER_SM, 1, body)).unwrap()
    }

    fn recipient() -> Address {
        Address::from(&PhoneNumber::parse("+265991234567").unwrap())
    }

    fn report(read: Read) -> StatusReport {
        let Read::Report(pdu) = read else { panic!("it was told already") };
        match Pdu::decode_incoming(&pdu).unwrap() {
            Incoming::StatusReport(report) => report,
            other => panic!("{other:?}"),
        }
    }

    fn of(text: &str, ids: &mut Ids) -> (u8, Outcome) {
        let report = report(read(&receipt(0x04, text, &[]), ids).unwrap());
        assert_eq!(report.recipient.reveal(), "+265991234567");
        (report.reference, report.status.outcome())
    }

    #[test]
    fn the_text_of_appendix_b_names_its_message() {
        let mut ids = Ids::default();
        let reference = ids.sent("0123ABC", recipient()).unwrap();
        let text = "id:0123abc sub:001 dlvrd:001 submit date:2611231200 done date:2611231201 \
                    stat:DELIVRD err:000 text:id:7 stat:EXPIRED";
        assert_eq!(of(text, &mut ids), (reference, Outcome::Delivered));
        let again = read(&receipt(0x04, text, &[]), &mut ids).unwrap();
        assert_eq!(again, Read::Again, "the SMSC did not get our response");
    }

    #[test]
    fn an_id_may_be_hexadecimal_on_one_side_and_decimal_on_the_other() {
        let mut ids = Ids::default();
        let hexadecimal = ids.sent("1A2B3C", recipient()).unwrap();
        assert_eq!(of("id:1715004 stat:DELIVRD", &mut ids).0, hexadecimal);
        // Learnt: also one that nobody remembers is read so.
        let forgotten = Ids::default().sent("ff", recipient()).unwrap();
        assert_eq!(of("id:0000000255 stat:UNDELIV", &mut ids).0, forgotten);

        let mut ids = Ids::default();
        let decimal = ids.sent("1715004", recipient()).unwrap();
        assert_eq!(of("id:001A2B3C stat:DELIVRD", &mut ids).0, decimal);
    }

    #[test]
    fn parameters_come_before_the_text() {
        let mut ids = Ids::default();
        let reference = ids.sent("abc", recipient()).unwrap();
        let parameters = b"\x00\x1e\x00\x04abc\x00\x04\x27\x00\x01\x05";
        for esm_class in [0x04, 0x00] {
            let mut fresh = Ids::default();
            let receipt = receipt(esm_class, "id:7 stat:DELIVRD", parameters);
            assert!(is_receipt(&receipt));
            let report = report(read(&receipt, &mut fresh).unwrap());
            assert_eq!(report.reference, reference);
            assert_eq!(report.status.outcome(), Outcome::FailedPermanently);
        }
        assert!(!is_receipt(&receipt(0x00, "id:7 stat:DELIVRD", &[])), "anybody can write that");
    }

    #[test]
    fn every_state_has_its_outcome() {
        let outcome = |word: &str| of(&format!("id:5 stat:{word}"), &mut Ids::default()).1;
        assert_eq!(outcome("DELIVRD"), Outcome::Delivered);
        for word in ["EXPIRED", "DELETED", "UNDELIV", "REJECTD", "FAILED"] {
            assert_eq!(outcome(word), Outcome::FailedPermanently, "{word}");
        }
        for word in ["ENROUTE", "ACCEPTD", "UNKNOWN", "enroute"] {
            assert_eq!(outcome(word), Outcome::Trying, "{word}");
        }
        for text in ["", "id:7", "stat:DELIVRD", "id:7 stat:", "id: stat:DELIVRD", "id:7 stat:?"] {
            assert_eq!(read(&receipt(0x04, text, &[]), &mut Ids::default()), Err(Untranslatable));
        }
    }
}
