//! Between PDUs and the spool, as `daemon/jibud/src/sms.rs` does it. That file
//! cannot be shared without the models that `jibud` links, so its few decisions
//! stand here again, over the same codec.

use std::time::Duration;

use jibu_gsm::{
    Address, Assembly, ConcatReference, Content, Deliver, EncodeError, Incoming, Outcome, Pdu,
    StatusReport, SubmitOptions, ValidityPeriod, assemble, submit_parts,
};
use jibu_spool::{Group, Input, MessageId, ModemName, ReportOutcome, Segment, SegmentKey, Ticket};
use jibu_types::{PhoneNumber, Timestamp};

/// What a modem showed, as the spool takes it in.
pub(crate) fn incoming(modem: ModemName, ticket: Ticket, pdu: &[u8]) -> Input {
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
    let tpdu = Pdu::split(pdu).map_or(pdu, |(_, tpdu)| tpdu);
    let key = SegmentKey {
        sender: deliver.originator.reveal().to_owned(),
        sent_at: deliver.service_centre_time.timestamp().unwrap_or_default(),
        tpdu_hash: blake3::hash(tpdu).into(),
    };
    let group = deliver.concat().map(|concat| Group {
        reference: concat.reference.value(),
        wide: matches!(concat.reference, ConcatReference::Long(_)),
        total: concat.total,
        part: concat.sequence,
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

/// The text of a message's parts, as far as they came.
pub(crate) fn text(pdus: &[Vec<u8>]) -> String {
    let parts: Vec<Deliver> = pdus
        .iter()
        .filter_map(|pdu| match Pdu::decode_incoming(pdu) {
            Ok(Incoming::Deliver(deliver)) => Some(deliver),
            _ => None,
        })
        .collect();
    let content = match assemble(&parts) {
        Assembly::Complete(content) | Assembly::Partial { content, .. } => content,
    };
    match content {
        Content::Text(text) => text,
        Content::Data(_) => String::new(),
    }
}

/// The PDUs that carry an answer to a person.
///
/// # Errors
/// When it is beyond 255 parts or the number cannot be written.
pub(crate) fn pdus(
    message: MessageId,
    recipient: &PhoneNumber,
    text: &str,
) -> Result<Vec<Vec<u8>>, EncodeError> {
    let reference = message.0.wrapping_mul(5).to_le_bytes()[0];
    let options = SubmitOptions {
        concat_reference: ConcatReference::Short(reference),
        status_report: true,
        validity: Some(ValidityPeriod::at_least(Duration::from_secs(48 * 60 * 60))),
        ..SubmitOptions::default()
    };
    let mut pdus = Vec::new();
    for part in submit_parts(&Address::from(recipient), text, &options)? {
        let mut pdu = part.pdu;
        if let [0, _, reference, ..] = pdu.as_mut_slice() {
            *reference = 0;
        }
        pdus.push(pdu);
    }
    Ok(pdus)
}
