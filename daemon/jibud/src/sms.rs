//! Between short messages as the network has them and as the spool has them.

use std::time::Duration;

use jibu_answer::{Budget, Medium, Words};
use jibu_gsm::{
    Address, Assembly, ConcatReference, Content, Deliver, EncodeError, Incoming, Layout, Letters,
    Outcome, Pdu, Shifts, StatusReport, SubmitOptions, ValidityPeriod, assemble, parts_needed,
    plain, submit_parts,
};
use jibu_spool::{Group, Input, MessageId, ModemName, ReportOutcome, Segment, SegmentKey, Ticket};
use jibu_types::{PhoneNumber, Timestamp};

use crate::config::Sms;

/// What a modem showed, as the spool takes it in. A PDU that cannot be decoded
/// is kept as such, so that it neither gets lost nor fills the SIM.
pub fn incoming(modem: ModemName, ticket: Ticket, pdu: &[u8]) -> Input {
    match Pdu::decode_incoming(pdu) {
        Ok(Incoming::Deliver(deliver)) => {
            Input::Arrived { modem, ticket, segment: segment(&deliver, pdu) }
        }
        Ok(Incoming::StatusReport(report)) => match report.recipient.number() {
            Some(recipient) => Input::Report {
                modem,
                ticket,
                recipient,
                reference: report.reference,
                outcome: outcome(&report),
            },
            None => unreadable(modem, ticket, pdu),
        },
        Err(_) => unreadable(modem, ticket, pdu),
    }
}

fn unreadable(modem: ModemName, ticket: Ticket, pdu: &[u8]) -> Input {
    let key = SegmentKey {
        sender: String::new(),
        sent_at: Timestamp::default(),
        tpdu_hash: blake3::hash(pdu).into(),
    };
    Input::Unreadable { modem, ticket, key, pdu: pdu.to_vec() }
}

fn segment(deliver: &Deliver, pdu: &[u8]) -> Segment {
    // The service centre's address in front may differ between two showings of
    // one message; what it is lies behind.
    let tpdu = Pdu::split(pdu).map_or(pdu, |(_, tpdu)| tpdu);
    let key = SegmentKey {
        sender: deliver.originator.reveal().to_owned(),
        // Without a readable time stamp the hash alone tells messages apart.
        sent_at: deliver.service_centre_time.timestamp().unwrap_or_default(),
        tpdu_hash: blake3::hash(tpdu).into(),
    };
    let group = deliver.concat().map(|concat| {
        let wide = matches!(concat.reference, ConcatReference::Long(_));
        let reference = concat.reference.value();
        Group { reference, wide, total: concat.total, part: concat.sequence }
    });
    Segment { key, sender: deliver.originator.number(), group, pdu: pdu.to_vec() }
}

fn outcome(report: &StatusReport) -> ReportOutcome {
    match report.status.outcome() {
        Outcome::Delivered => ReportOutcome::Delivered,
        Outcome::Trying => ReportOutcome::Trying,
        Outcome::FailedTemporarily | Outcome::FailedPermanently => {
            ReportOutcome::Failed { status: report.status.octet() }
        }
    }
}

/// The text of a message's parts; data that is no text reads as nothing.
pub fn text(pdus: &[Vec<u8>]) -> String {
    let parts: Vec<Deliver> = pdus
        .iter()
        .filter_map(|pdu| match Pdu::decode_incoming(pdu) {
            Ok(Incoming::Deliver(deliver)) => Some(deliver),
            _ => None,
        })
        .collect();
    let content = match assemble(&parts) {
        Assembly::Complete(content) => content,
        Assembly::Partial { content, .. } => content,
    };
    match content {
        Content::Text(text) => text,
        Content::Data(_) => String::new(),
    }
}

fn shifts(sms: &Sms) -> Shifts {
    if sms.national_shifts { Shifts::All } else { Shifts::None }
}

impl Medium for Sms {
    fn parts(&self, text: &str) -> usize {
        parts_needed(text, Layout { shifts: shifts(self), ..Layout::default() })
    }

    fn plainly(&self, text: &str, words: Words) -> String {
        let bare = match words {
            Words::Own => true,
            Words::Quoted(language) => self.transliterate.contains(&language),
        };
        plain(text, if bare { Letters::Bare } else { Letters::Kept })
    }
}

/// What an answer by SMS may cost.
pub fn budget(sms: &Sms) -> Budget<'_> {
    Budget { parts: sms.max_parts, medium: sms }
}

/// For how long an answer is worth being delivered.
const VALIDITY: Duration = Duration::from_secs(48 * 60 * 60);

/// The PDUs that carry an answer's pages to a person.
///
/// # Errors
/// When a page is beyond 255 parts or the number cannot be written.
pub fn pdus(
    sms: &Sms,
    message: MessageId,
    recipient: &PhoneNumber,
    pages: &[String],
) -> Result<Vec<Vec<u8>>, EncodeError> {
    let recipient = Address::from(recipient);
    let mut pdus = Vec::new();
    for (page, text) in (0i64..).zip(pages) {
        // Neighbouring answers and pages must differ in their reference.
        let reference = message.0.wrapping_mul(5).wrapping_add(page).to_le_bytes()[0];
        let options = SubmitOptions {
            shifts: shifts(sms),
            concat_reference: ConcatReference::Short(reference),
            status_report: sms.status_reports,
            validity: Some(ValidityPeriod::at_least(VALIDITY)),
            ..SubmitOptions::default()
        };
        for part in submit_parts(&recipient, text, &options)? {
            let mut pdu = part.pdu;
            // The modem gives the message reference; ours stays 0 so that a
            // copy in its storage can be compared (SMSC length 0, first octet, TP-MR).
            if let [0, _, reference, ..] = pdu.as_mut_slice() {
                *reference = 0;
            }
            pdus.push(pdu);
        }
    }
    Ok(pdus)
}

#[cfg(test)]
mod tests {
    use jibu_types::Language;

    use super::*;

    const SMS: Sms = Sms {
        max_parts: 2,
        gather_wait: Duration::from_secs(600),
        fail_over_after: Duration::from_secs(300),
        answers_per_day: 50,
        answers_per_day_and_modem: u32::MAX,
        answers_per_day_in_all: u32::MAX,
        quiet: None,
        status_reports: true,
        national_shifts: false,
        transliterate: Vec::new(),
    };

    fn showing(hex: &str) -> Input {
        incoming(ModemName("gsm".into()), Ticket(1), &hex::decode(hex).unwrap())
    }

    /// "How" from +265991234567, without and with the service centre's address.
    const BARE: &str = "00040C91629519325476000062112202740180 03C8F71D";
    const WITH_SMSC: &str = "0791628588001011040C91629519325476000062112202740180 03C8F71D";

    #[test]
    fn a_message_is_the_same_however_the_modem_shows_it() {
        let (bare, full) = (BARE.replace(' ', ""), WITH_SMSC.replace(' ', ""));
        let (Input::Arrived { segment: a, .. }, Input::Arrived { segment: b, .. }) =
            (showing(&bare), showing(&full))
        else {
            panic!("both are messages");
        };
        assert_eq!(a.key, b.key);
        assert_eq!(a.sender.unwrap().reveal(), "+265991234567");
        assert_eq!(text(&[hex::decode(full).unwrap()]), "How");
    }

    #[test]
    fn what_cannot_be_decoded_is_kept_as_such() {
        for broken in ["", "00", "0004FF", "0791"] {
            assert!(matches!(showing(broken), Input::Unreadable { .. }), "{broken}");
        }
    }

    #[test]
    fn every_part_of_an_answer_has_reference_zero_and_pages_differ() {
        let number = PhoneNumber::parse("+265991234567").unwrap();
        let pages = ["a ".repeat(120), "b ".repeat(120)];
        let pdus = pdus(&SMS, MessageId(7), &number, &pages).unwrap();
        assert_eq!(pdus.len(), 4);
        assert!(pdus.iter().all(|pdu| pdu[0] == 0 && pdu[2] == 0));
        assert_eq!(SMS.parts(&pages[0]), 2);
        assert!(pdus.iter().enumerate().all(|(at, pdu)| !pdus[..at].contains(pdu)));
    }

    #[test]
    fn letters_go_bare_only_where_it_is_configured_and_saves_a_message() {
        let portuguese = "Vacinação – à terça-feira, às 9 horas. ".repeat(3);
        let signs_only = portuguese.replace('–', "-");
        let quoted = Words::Quoted(Language::PT);
        let configured = Sms { transliterate: vec![Language::PT], ..SMS };
        assert_eq!(SMS.plainly(&portuguese, quoted), signs_only);
        assert_eq!(SMS.cheapest(&portuguese, quoted), portuguese);
        assert!(configured.cheapest(&portuguese, quoted).starts_with("Vacinacao - à terca-feira"));
        assert_eq!(configured.cheapest("Vacinação", quoted), "Vacinação");
        assert_eq!(configured.parts(&configured.cheapest(&portuguese, quoted)), 1);
        assert!(SMS.cheapest(&portuguese, Words::Own).starts_with("Vacinacao - à"));
    }
}
