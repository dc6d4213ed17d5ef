//! What a technician may paste into `jibud pdu`.

use jibu_gsm::{Description, describe};

/// Whatever the line, there is a description of it.
pub(crate) fn check(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let nothing = Description::default();
    assert_ne!(describe::line(text), nothing);
    assert_ne!(describe::tpdu(text), nothing);
}
