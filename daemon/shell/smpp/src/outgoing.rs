//! SMS-SUBMIT → `submit_sm`.

use std::time::Duration;

use jibu_gsm::{Address, Body, Pdu, Tpdu, TypeOfNumber, UserData, alphabet};
use jibu_modem::SendError;

use crate::pdu::{Submission, WireAddress, esm};
use crate::{Config, DefaultAlphabet};

/// The body of the `submit_sm` that says what a PDU says, and whom it is for.
///
/// # Errors
/// [`SendError::Malformed`] where it is no SMS-SUBMIT to a number.
pub(crate) fn submit(pdu: &[u8], config: &Config) -> Result<(Vec<u8>, Address), SendError> {
    let Ok(Pdu { tpdu: Tpdu::Submit(submit), .. }) = Pdu::decode(pdu) else {
        return Err(SendError::Malformed);
    };
    if submit.recipient.is_name() {
        return Err(SendError::Malformed);
    }
    let (data_coding, message) =
        message(&submit.user_data, config.alphabet).ok_or(SendError::Malformed)?;
    let has_header = !submit.user_data.header.elements.is_empty();
    let (ton, npi) = config.source_type;
    let submission = Submission {
        source: WireAddress { ton, npi, text: config.source.clone() },
        destination: wire(&submit.recipient),
        esm_class: if has_header { esm::UDHI } else { 0 },
        protocol: submit.protocol,
        validity: submit.validity.and_then(|v| v.duration()).map(relative).unwrap_or_default(),
        receipt: submit.status_report,
        data_coding,
        message,
    };
    let body = submission.encode().ok_or(SendError::Malformed)?;
    Ok((body, submit.recipient))
}

fn wire(address: &Address) -> WireAddress {
    let ton = match address.type_of_number() {
        TypeOfNumber::International => 1,
        TypeOfNumber::National => 2,
        TypeOfNumber::NetworkSpecific => 3,
        TypeOfNumber::Subscriber => 4,
        TypeOfNumber::Abbreviated => 6,
        TypeOfNumber::Unknown | TypeOfNumber::Alphanumeric | TypeOfNumber::Reserved => 0,
    };
    // This is where a number goes to the network.
    let text = address.reveal().trim_start_matches('+').to_owned();
    WireAddress { ton, npi: address.numbering_plan().code(), text }
}

/// `data_coding` and `short_message`: the header, and a character an octet.
fn message(user_data: &UserData, default: DefaultAlphabet) -> Option<(u8, Vec<u8>)> {
    let mut message = user_data.header.encode()?;
    let data_coding = match &user_data.body {
        Body::Gsm7(septets) if default == DefaultAlphabet::Gsm7 => {
            message.extend(septets);
            0x00
        }
        Body::Gsm7(septets) => {
            let last = if default == DefaultAlphabet::Ascii { 0x7f } else { 0xff };
            let text = alphabet::from_septets(septets, user_data.header.shift());
            let octet = |c: char| u8::try_from(u32::from(c)).ok().filter(|octet| *octet <= last);
            message.extend(text.chars().map(|c| octet(c).unwrap_or(b'?')));
            0x00
        }
        Body::Ucs2(octets) => {
            message.extend(octets);
            0x08
        }
        Body::Data(octets) => {
            message.extend(octets);
            0x04
        }
        Body::Compressed(_) => return None,
    };
    Some((data_coding, message))
}

/// A relative time, `YYMMDDhhmmss000R` (SMPP 3.4 §7.1.1), with months of 30 days.
fn relative(span: Duration) -> String {
    let seconds = span.as_secs();
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86_400);
    let months = days / 30;
    format!(
        "{:02}{:02}{:02}{:02}{:02}{:02}000R",
        (months / 12).min(99),
        months % 12,
        days % 30,
        hours % 24,
        minutes % 60,
        seconds % 60
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_period_is_written_as_the_standard_says() {
        let hours = |hours: u64| relative(Duration::from_secs(hours * 3600));
        assert_eq!(hours(48), "000002000000000R");
        assert_eq!(hours(24 * 400 + 5), "010110050000000R");
        assert_eq!(relative(Duration::from_secs(3661)), "000000010101000R");
    }

    #[test]
    fn what_is_no_submit_is_malformed() {
        let config = Config::new("smsc", "localhost", 2775);
        // Nothing, a DELIVER, a broken SUBMIT, a SUBMIT to a name.
        for hex in [
            "",
            "00040C9162951932547600006211220274018003C8F71D",
            "000100",
            "0001000BD0C2F7BABC0600000003C8F71D",
        ] {
            let refused = submit(&hex::decode(hex).unwrap(), &config);
            assert_eq!(refused.unwrap_err(), SendError::Malformed, "{hex}");
        }
    }
}
