//! What a broker may pass on: parcels, requests, states, topics.

use jibu_sync::wire::{Parcel, Request, Topic, decode_state, encode_state};

/// The first byte of a message is its kind. What is read is written again as it
/// was: a message has one form, and so has a topic.
pub(crate) fn check(data: &[u8]) {
    if let Some(parcel) = Parcel::decode(data) {
        assert_eq!(parcel.encode(), data);
    }
    if let Some(request) = Request::decode(data) {
        assert_eq!(request.encode(), data);
    }
    // CBOR has several forms of one number.
    if let Some(reports) = decode_state(data) {
        assert_eq!(decode_state(&encode_state(&reports)), Some(reports));
    }
    if let Ok(text) = std::str::from_utf8(data)
        && let Some(topic) = Topic::parse(text)
    {
        assert_eq!(topic.to_string(), text);
    }
}
