//! PDUs as modems print them, with and without the service centre's address.

use jibu_gsm::{Direction, Incoming, Pdu, Tpdu};

/// Decoding returns, and what it makes of octets can be written and read again.
pub(crate) fn check(data: &[u8]) {
    let _ = Pdu::decode_incoming(data).map(read);
    let _ = Tpdu::decode_travelling(data, Direction::FromMobile);
    let Ok(pdu) = Pdu::decode(data) else { return };
    // Octets that a network made need not fit what the standard lets us write:
    // a name of 12 characters, user data above 140 octets.
    let Ok(written) = pdu.encode() else { return };
    let again = Pdu::decode(&written).expect("what was written can be read");
    assert_eq!(again, pdu, "written as {written:02x?}");
}

fn read(incoming: Incoming) {
    match incoming {
        Incoming::Deliver(deliver) => {
            let _ = (deliver.text(), deliver.group(), deliver.originator.number());
            let _ = (deliver.service_centre_time.timestamp(), deliver.user_data.header.ports());
            let _ = format!("{deliver:?}");
        }
        Incoming::StatusReport(report) => {
            let _ = (report.status.outcome(), report.recipient.number());
            let _ = (report.discharge.timestamp(), format!("{report:?}"));
        }
    }
}
