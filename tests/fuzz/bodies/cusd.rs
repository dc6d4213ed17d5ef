//! `+CUSD` lines and `AT+CUSD` commands.

use jibu_gsm::ussd::{self, Mode, RequestForm};

/// Every line is read or refused, and a request that can be written in a form
/// says the same when it is read.
pub(crate) fn check(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let _ = ussd::parse_line(text);
    let _ = ussd::parse_request(text);
    for coding in [None, Some(0), Some(15), Some(16), Some(17), Some(68), Some(72), Some(0xf4)] {
        let _ = ussd::decode(Mode::ActionNeeded, Some(text), coding);
    }
    for form in [RequestForm::Plain, RequestForm::PackedHex, RequestForm::Ucs2Hex] {
        if let Some(command) = ussd::request(text, form) {
            let _ = ussd::parse_request(&command).expect("a request can be read");
        }
    }
}
