//! A stream from an SMSC.

use jibu_gsm::{DecodeError, Pdu};
use jibu_smpp::{DefaultAlphabet, translate};

/// Whatever comes is a TPDU that can be read, or is taken for none by everybody;
/// how the stream is cut at its end changes nothing before.
pub(crate) fn check(data: &[u8]) {
    for alphabet in [DefaultAlphabet::Gsm7, DefaultAlphabet::Latin1, DefaultAlphabet::Ascii] {
        let whole = translate(data, alphabet);
        for tpdu in &whole {
            match Pdu::decode_incoming(tpdu) {
                Ok(_) => {}
                Err(error) => assert_eq!(error, DecodeError::ReservedType),
            }
        }
        let half = translate(&data[..data.len() / 2], alphabet);
        assert_eq!(half, whole[..half.len()]);
    }
}
