//! What a broker may pass on: parcels, requests, states, topics.

use jibu_sync::SiteKey;
use jibu_sync::enrol::{Asked, Invitation};
use jibu_sync::telemetry::{Ack, Batch, Record};
use jibu_sync::wire::{Parcel, Request, SiteName, State, Stream, Topic};

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
    if let Some(state) = State::decode(data) {
        let (site, key) = (SiteName::parse("zomba").unwrap(), SiteKey::from_random([1; 32]));
        let again = state.sign(&site, &key);
        assert_eq!(State::verify(&again, &site, &key.public()), Ok(state));
    }
    if let Some(batch) = Batch::decode(data) {
        assert_eq!(Batch::decode(&batch.encode()).as_ref(), Some(&batch));
    }
    if let Some(ack) = Ack::decode(data) {
        assert_eq!(ack.encode(), data);
    }
    for stream in Stream::ALL {
        if let Some(record) = Record::decode(stream, data) {
            assert_eq!(Record::decode(stream, &record.encode()), Some(record));
        }
    }
    if let Some(asked) = Asked::decode(data) {
        let other = SiteKey::from_random([1; 32]).public();
        assert_eq!(asked.renewed_by(&other), None);
    }
    if let Ok(text) = std::str::from_utf8(data)
        && let Some(topic) = Topic::parse(text)
    {
        assert_eq!(topic.to_string(), text);
    }
    if let Ok(text) = std::str::from_utf8(data)
        && let Ok(invitation) = Invitation::parse(text)
    {
        assert_eq!(Invitation::parse(&invitation.reveal()), Ok(invitation));
    }
}
