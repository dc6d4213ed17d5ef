//! Telling a stored copy from the message that was given to be sent.

use jibu_at::driver::{Pdu, Stored};
use jibu_gsm::MessageType;

/// Puts back what modems change in a copy: they fill in the service centre, and
/// the message reference (TP-MR, the octet after the first) when they send.
#[must_use]
pub fn as_given(stored: Stored) -> Stored {
    let Ok((_, tpdu)) = jibu_gsm::Pdu::split(&stored.pdu.0) else { return stored };
    let mut pdu = vec![0];
    pdu.extend_from_slice(tpdu);
    if let [_, first, reference, ..] = pdu.as_mut_slice()
        && MessageType::stored(*first) == Some(MessageType::Submit)
    {
        *reference = 0;
    }
    Stored { pdu: Pdu(pdu), ..stored }
}

#[cfg(test)]
mod tests {
    use jibu_at::{Slot, StorageName};

    use super::*;

    fn given(hex: &str) -> String {
        let octets = hex
            .as_bytes()
            .chunks(2)
            .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap());
        let slot = Slot { storage: StorageName::SM, index: 1 };
        let stored = Stored { slot, pdu: Pdu(octets.collect()), sent: true };
        as_given(stored).pdu.0.iter().map(|octet| format!("{octet:02X}")).collect()
    }

    #[test]
    fn the_service_centre_and_the_reference_are_put_back() {
        assert_eq!(given("0791527422050092112A0B915274"), "0011000B915274");
        assert_eq!(given("0011000B915274"), "0011000B915274");
    }

    #[test]
    fn what_is_no_submit_keeps_its_octets() {
        assert_eq!(given("00040B915274"), "00040B915274");
        assert_eq!(given("05"), "05");
        assert_eq!(given(""), "");
    }
}
