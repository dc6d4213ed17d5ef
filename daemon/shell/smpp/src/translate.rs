//! What comes, as TPDUs, without a connection: for fuzzing.

use crate::pdu::{Delivery, Frame, Frames, id};
use crate::receipt::{self, Ids, Read};
use crate::{DefaultAlphabet, incoming};

/// The TPDUs (SMSC octet first, the time of the service centre zero) of the
/// `deliver_sm` and `data_sm` in a stream, up to where it stops being SMPP. What
/// cannot be read is there in a form that no decoder takes for a TPDU.
pub fn translate(stream: &[u8], alphabet: DefaultAlphabet) -> Vec<Vec<u8>> {
    let mut frames = Frames::default();
    frames.push(stream);
    let mut ids = Ids::default();
    let mut tpdus = Vec::new();
    while let Ok(Some(frame)) = frames.next() {
        if matches!(frame.command, id::DELIVER_SM | id::DATA_SM) {
            tpdus.extend(of(&frame, alphabet, &mut ids));
        }
    }
    tpdus
}

fn of(frame: &Frame, alphabet: DefaultAlphabet, ids: &mut Ids) -> Vec<Vec<u8>> {
    let unreadable = |_| vec![incoming::unreadable(frame)];
    let Ok(delivery) = Delivery::decode(frame) else { return vec![incoming::unreadable(frame)] };
    if receipt::is_receipt(&delivery) {
        return match receipt::read(&delivery, ids) {
            Ok(Read::Report(pdu)) => vec![pdu],
            Ok(Read::Again) => Vec::new(),
            Err(error) => unreadable(error),
        };
    }
    let pdus = incoming::delivers(&delivery, alphabet)
        .and_then(|delivers| delivers.into_iter().map(incoming::encode).collect());
    pdus.unwrap_or_else(unreadable)
}
