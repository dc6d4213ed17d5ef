use proptest::prelude::*;

use jibu_types::{CollectionName, IndexVersion};

use super::*;
use crate::enrol::{Asked, Claim, Grant, Invitation};
use crate::{Hash, HubKey, SiteKey};

fn short(text: &str) -> ShortHash {
    Hash::of(text.as_bytes()).short()
}

fn version(version: u64) -> IndexVersion {
    IndexVersion { epoch: 1, version }
}

fn collection() -> CollectionName {
    CollectionName::parse("health-sw").unwrap()
}

/// The messages of `vectors/wire.txt`: what each says, its topic, its bytes.
fn examples() -> Vec<(&'static str, Topic, Vec<u8>)> {
    let site = SiteName::parse("mangochi-2").unwrap();
    let name = short("object");
    let stored = Item { name, packing: Packing::Stored, base: None, bytes: b"\x02\x80" };
    let page = Item { name: short("page"), packing: Packing::Zstd, base: None, bytes: b"page" };
    let prefixed = Item {
        name: short("new"),
        packing: Packing::ZstdPrefix,
        base: Some(short("old")),
        bytes: b"frame",
    };
    let mut places = Places::default();
    [0, 1, 9, 12].into_iter().for_each(|place| places.insert(place));
    let mut last = Places::default();
    last.insert(127);
    let needs =
        vec![Need { page: short("page"), places }, Need { page: short("other"), places: last }];
    let (root, base) = (short("root"), Some(short("base")));
    let report = Report {
        collection: collection(),
        active: Some((version(6), short("base"))),
        newest: Some(version(7)),
        missing: 4,
        spent: 12_345,
        stall: Stall::OverBudget,
        expired: false,
    };
    let idle = Report {
        active: None,
        newest: None,
        missing: 0,
        spent: 0,
        stall: Stall::None,
        expired: true,
        ..report.clone()
    };
    let will = State::counter(5, State::WILL);
    let chunk = |base| Topic::Chunk { collection: collection(), base, name };
    vec![
        ("a chunk for sites without a version", chunk(None), Parcel(vec![stored]).encode()),
        ("a chunk for sites with a version", chunk(base), Parcel(vec![prefixed]).encode()),
        (
            "a delta of a page and a segment packed on the one that it replaces",
            Topic::Delta { collection: collection(), base: short("base") },
            Parcel(vec![page, prefixed]).encode(),
        ),
        (
            "a request for the top page, from nothing",
            Topic::Request(site.clone()),
            Request { root, base: None, needs: vec![] }.encode(),
        ),
        (
            "a request for the entries 0, 1, 9, 12 of one page and 127 of another",
            Topic::Request(site.clone()),
            Request { root, base, needs }.encode(),
        ),
        (
            "a state, the third of session 5: version 1.6 active, 1.7 seen, over budget; and a \
             collection without a version",
            Topic::State(site.clone()),
            state(State::counter(5, 2), true, vec![report, idle]),
        ),
        ("that session's last will", Topic::State(site.clone()), state(will, false, vec![])),
        (
            "an enrolment by the invitation mangochi-2 and ten bytes of 07",
            Topic::Enrol(site.clone()),
            claim().enrol(&site_key(), &invitation()),
        ),
        ("its answer", Topic::Enrolled(site.clone()), grant().seal(&invitation())),
        (
            "a renewal for the same key",
            Topic::Renew(site.clone()),
            claim().renew(&site_key(), &site_key()),
        ),
        ("its answer", Topic::Renewed(site), grant().sign(&HubKey::from_random([1; 32]))),
    ]
}

fn invitation() -> Invitation {
    Invitation::new(SiteName::parse("mangochi-2").unwrap(), [7; 10])
}

fn claim() -> Claim {
    Claim { site: SiteName::parse("mangochi-2").unwrap(), key: site_key().public(), nonce: [9; 16] }
}

fn grant() -> Grant {
    Grant {
        site: SiteName::parse("mangochi-2").unwrap(),
        nonce: [9; 16],
        certificate: b"certificate".to_vec(),
        authority: b"authority".to_vec(),
        hub: HubKey::from_random([1; 32]).public(),
        until: jibu_types::Timestamp::from_unix_seconds(1_800_000_000),
        collections: vec![collection()],
    }
}

fn site_key() -> SiteKey {
    SiteKey::from_random([2; 32])
}

fn state(counter: u64, online: bool, reports: Vec<Report>) -> Vec<u8> {
    let site = SiteName::parse("mangochi-2").unwrap();
    State { counter, online, done: 3, rate: Some(2000), reports }.sign(&site, &site_key())
}

fn vectors() -> String {
    let mut text = String::from(
        "# Messages of WIRE.md. A line of words, the topic, the payload as hex.\n\
         # Short hashes are of the words that the test names them by; the site's key is\n\
         # made from 32 bytes of 02, the hub's from 32 bytes of 01.\n",
    );
    for (words, topic, bytes) in examples() {
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        text.push_str(&format!("\n{words}\n{topic}\n{hex}\n"));
    }
    text
}

const VECTORS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/vectors/wire.txt");

/// Writes `vectors/wire.txt`, for a new version of the format:
/// `cargo test -p jibu-sync the_vectors -- --ignored`
#[test]
#[ignore = "writes the published vectors, for a new version of the format"]
#[allow(clippy::disallowed_methods, reason = "a test writes the vectors beside the crate")]
fn the_vectors_are_written() {
    std::fs::write(VECTORS, vectors()).unwrap();
}

#[test]
#[allow(clippy::disallowed_methods, reason = "a test reads the vectors beside the crate")]
fn the_vectors_are_what_is_written() {
    assert_eq!(std::fs::read_to_string(VECTORS).unwrap(), vectors());
}

#[test]
fn the_vectors_are_read_as_they_say() {
    for (words, topic, bytes) in examples() {
        assert_eq!(Topic::parse(&topic.to_string()), Some(topic.clone()), "{words}");
        let again = match topic {
            Topic::Request(_) => Request::decode(&bytes).unwrap().encode(),
            Topic::State(site) => {
                let state = State::verify(&bytes, &site, &site_key().public()).unwrap();
                state.sign(&site, &site_key())
            }
            Topic::Enrol(_) => {
                let asked = Asked::decode(&bytes).unwrap();
                asked.invited_by(&invitation()).unwrap().enrol(&site_key(), &invitation())
            }
            Topic::Renew(_) => {
                let asked = Asked::decode(&bytes).unwrap();
                let claim = asked.renewed_by(&site_key().public()).unwrap();
                claim.renew(&site_key(), &site_key())
            }
            Topic::Enrolled(_) => {
                Grant::open(&bytes, &claim(), &invitation()).unwrap().seal(&invitation())
            }
            Topic::Renewed(_) => {
                let hub = HubKey::from_random([1; 32]);
                Grant::verify(&bytes, &claim(), &hub.public()).unwrap().sign(&hub)
            }
            _ => Parcel::decode(&bytes).unwrap().encode(),
        };
        assert_eq!(again, bytes, "{words}");
    }
}

#[test]
fn a_topic_has_one_form() {
    for bad in [
        "",
        "jibu/1/",
        "jibu/2/c/health-sw/root",
        "jibu/1/c/Health/root",
        "jibu/1/c/health-sw/root/",
        "jibu/1/c/health-sw/d/0",
        "jibu/1/c/health-sw/d/00112233445566",
        "jibu/1/c/health-sw/d/001122334455667G",
        "jibu/1/c/health-sw/d/+011223344556677",
        "jibu/1/c/health-sw/d/001122334455667A",
        "jibu/1/c/health-sw/k/0011223344556677",
        "jibu/1/c/+/root",
        "jibu/1/s/9/req",
        "jibu/1/s/#",
    ] {
        assert_eq!(Topic::parse(bad), None, "{bad}");
    }
}

#[test]
fn the_largest_object_fits_a_message() {
    let bytes = [7; MAX_PACKED_BYTES];
    let item = Item {
        name: short("a"),
        packing: Packing::ZstdPrefix,
        base: Some(short("b")),
        bytes: &bytes,
    };
    let parcel = Parcel(vec![item]);
    assert_eq!(parcel.encode().len(), 1 + item.encoded_bytes());
    assert_eq!(Parcel::decode(&parcel.encode()), Some(parcel.clone()));
    let topic = Topic::Chunk {
        collection: CollectionName::parse(&"c".repeat(64)).unwrap(),
        base: item.base,
        name: item.name,
    };
    assert!(MAX_MESSAGE_BYTES + topic.to_string().len() + 20 <= 10 * 1024);
    // One more byte is too much, though the length would allow it.
    let mut larger = Parcel(vec![Item { bytes: &[7; MAX_PACKED_BYTES + 1], ..item }]).encode();
    assert_eq!(Parcel::decode(&larger), None);
    larger.resize(MAX_MESSAGE_BYTES + 1, 0);
    assert_eq!(Parcel::decode(&larger), None);
}

#[test]
fn a_request_never_exceeds_its_limit() {
    let mut places = Places::default();
    places.insert(127);
    let need = Need { page: short("page"), places };
    let request =
        Request { root: short("root"), base: None, needs: vec![need.clone(); MAX_NEEDS + 9] };
    assert_eq!(request.encode().len(), 817);
    assert_eq!(Request::decode(&request.encode()).unwrap().needs.len(), MAX_NEEDS);
    let mut longer = request.encode();
    longer.extend(&longer.clone()[17..42]);
    assert_eq!(Request::decode(&longer), None);
}

#[test]
fn a_state_is_believed_of_its_site_and_key_only() {
    let site = |name: &str| SiteName::parse(name).unwrap();
    let (name, key) = (site("mangochi-2"), site_key().public());
    let bytes = state(State::counter(5, 2), true, vec![]);
    assert_eq!(State::verify(&bytes, &name, &key).map(|state| state.counter), Ok(5 << 32 | 2));
    assert_eq!(State::verify(&bytes, &site("mangochi-3"), &key), Err(StateError::Signature));
    let other = SiteKey::from_random([3; 32]).public();
    assert_eq!(State::verify(&bytes, &name, &other), Err(StateError::Signature));
    for at in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[at] ^= 1;
        assert!(State::verify(&changed, &name, &key).is_err(), "byte {at}");
    }
    // A will is above every state of its session and below the next session.
    let will = State::counter(5, State::WILL);
    assert!(State::counter(5, u32::MAX - 1) < will && will < State::counter(6, 0));
}

#[test]
fn a_cut_message_is_no_message_or_a_shorter_one() {
    for (words, topic, bytes) in examples() {
        for length in 0..bytes.len() {
            let cut = &bytes[..length];
            match topic {
                Topic::Request(_) => {
                    let fewer = Request::decode(cut).map(|request| request.encode());
                    assert!(fewer.is_none_or(|fewer| fewer == cut), "{words}: {length}");
                }
                Topic::State(_) => assert_eq!(State::decode(cut), None, "{words}: {length}"),
                // `enrol/tests.rs` cuts these.
                Topic::Enrol(_) | Topic::Renew(_) => {
                    assert!(Asked::decode(cut).is_none(), "{words}: {length}");
                }
                Topic::Enrolled(_) | Topic::Renewed(_) => {}
                _ => {
                    let fewer = Parcel::decode(cut).map(|parcel| parcel.encode());
                    assert!(fewer.is_none_or(|fewer| fewer == cut), "{words}: {length}");
                }
            }
        }
    }
}

proptest! {
    #[test]
    fn what_is_encoded_is_decoded(
        items in proptest::collection::vec(
            (any::<[u8; 8]>(), 0u8..4, any::<[u8; 8]>(),
             proptest::collection::vec(any::<u8>(), 0..300)), 1..12),
        needs in proptest::collection::vec((any::<[u8; 8]>(), 1u128..), 0..32),
        base in proptest::option::of(any::<[u8; 8]>().prop_filter("not zeros", |b| *b != [0; 8])),
    ) {
        let parcel = Parcel(items.iter().map(|(name, packing, base, bytes)| {
            let packing = Packing::from_wire(*packing).unwrap();
            let base = (packing == Packing::ZstdPrefix).then_some(ShortHash(*base));
            Item { name: ShortHash(*name), packing, base, bytes }
        }).collect());
        let bytes = parcel.encode();
        prop_assert_eq!(Parcel::decode(&bytes), Some(parcel));
        let needs = needs.into_iter().map(|(page, places)| {
            Need { page: ShortHash(page), places: Places(places) }
        });
        let request = Request {
            root: ShortHash([9; 8]),
            base: base.map(ShortHash),
            needs: needs.collect(),
        };
        prop_assert_eq!(Request::decode(&request.encode()), Some(request.clone()));
        for need in &request.needs {
            let mut again = Places::default();
            need.places.iter().for_each(|place| again.insert(place));
            prop_assert_eq!(again, need.places);
        }
    }

    #[test]
    fn bytes_from_anywhere_never_panic(
        kind in 0u8..4, bytes in proptest::collection::vec(any::<u8>(), 0..300),
    ) {
        let framed = [&[kind], bytes.as_slice()].concat();
        if let Some(parcel) = Parcel::decode(&framed) {
            prop_assert_eq!(parcel.encode(), framed.clone());
        }
        if let Some(request) = Request::decode(&framed) {
            prop_assert_eq!(request.encode(), framed.clone());
        }
        if let Some(state) = State::decode(&framed) {
            let site = SiteName::parse("mangochi-2").unwrap();
            prop_assert_eq!(State::decode(&state.sign(&site, &site_key())), Some(state));
        }
    }
}
