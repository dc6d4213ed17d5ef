//! Version after version of one collection, each grouped as the one before: what
//! an edit costs, and that nothing grows or shrinks on the way.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::BTreeSet;

use jibu_sync::{
    Body, Content, Document, GoldenQuery, Hash, HubKey, MAX_PACKED_BYTES, ObjectKind, Release,
    SignedRoot, Snapshot, bundle, hub,
};
use jibu_types::{CollectionName, IndexVersion, Language, Timestamp};

fn key() -> HubKey {
    HubKey::from_random([3; 32])
}

fn collection() -> CollectionName {
    CollectionName::parse("health").unwrap()
}

/// Words of an invented language, as uneven in use as real ones.
fn prose(rng: &mut fastrand::Rng, bytes: usize) -> String {
    let mut text = String::new();
    while text.len() < bytes {
        let mut word = fastrand::Rng::with_seed(3000f64.powf(rng.f64()) as u64);
        (0..word.usize(2..9)).for_each(|_| text.push(word.char('a'..='z')));
        text.push(' ');
    }
    text
}

fn body(rng: &mut fastrand::Rng) -> Body {
    Body { section: vec![], text: prose(rng, 600) }
}

fn document(number: usize, rng: &mut fastrand::Rng) -> Document {
    Document {
        path: format!("{number:06}.md"),
        title: format!("Document {number}"),
        language: Language::EN,
        source_url: Some(format!("https://example.org/{number}")),
        date: None,
        licence: None,
        reviewed: None,
        passages: (0..10).map(|_| body(rng)).collect(),
    }
}

fn content(passages: usize, rng: &mut fastrand::Rng) -> Content {
    let documents = (0..passages / 10).map(|number| document(number * 1000, rng)).collect();
    let golden = GoldenQuery {
        question: "what then?".into(),
        language: Language::EN,
        document: "000000.md".into(),
    };
    Content { collection: collection(), documents, golden: vec![golden] }
}

fn released(snapshot: &Snapshot, version: u64) -> (Vec<u8>, Release) {
    let version = IndexVersion { epoch: 1, version };
    let root = snapshot.root(version, None, Timestamp::default(), None);
    let bytes = bundle::write(&SignedRoot::sign(root, &key()).unwrap(), snapshot).unwrap();
    let release = Release::open(&bytes, &key().public()).unwrap();
    (bytes, release)
}

fn after(content: &Content, before: &Release) -> Snapshot {
    Snapshot::build_after(content.clone(), before).unwrap()
}

/// Puts another sentence into the middle of a passage.
fn edit(text: &mut String, rng: &mut fastrand::Rng) {
    let at = text.len() / 2;
    text.replace_range(at..at + 60, &prose(rng, 60));
}

#[test]
fn an_edited_passage_costs_its_words_wherever_it_stands() {
    let mut rng = fastrand::Rng::with_seed(1);
    let first = content(300, &mut rng);
    let (_, before) = released(&Snapshot::build(first.clone()).unwrap(), 1);
    let mut costs = Vec::new();
    for _ in 0..25 {
        let mut edited = first.clone();
        let passages = &mut edited.documents[rng.usize(..30)].passages;
        edit(&mut passages[rng.usize(..10)].text, &mut rng);
        let (_, next) = released(&after(&edited, &before), 2);
        let mut hub = hub::Hub::new(hub::Config::default(), Timestamp::default());
        for release in [before.clone(), next] {
            hub.handle(hub::Input::Release(Box::new(release)), Timestamp::default());
        }
        let cost = hub.cost(&collection(), Some(before.id())).unwrap();
        assert_eq!(cost.messages, 1, "{cost:?}");
        costs.push(cost.bytes);
    }
    costs.sort_unstable();
    // The root, the words, a page or two, the names.
    assert!(costs[24] <= 750, "{costs:?}");
}

#[test]
fn content_that_has_not_changed_is_the_same_version() {
    let mut rng = fastrand::Rng::with_seed(2);
    let mut prose = content(400, &mut rng);
    let mut dense = content(60, &mut rng);
    for body in dense.documents.iter_mut().flat_map(|document| &mut document.passages) {
        // Text that hardly compresses: its segments are halved.
        body.text = std::iter::repeat_with(|| rng.char('\u{4e00}'..'\u{9fff}')).take(900).collect();
    }
    for content in [&mut prose, &mut dense] {
        let snapshot = Snapshot::build(content.clone()).unwrap();
        let (bytes, mut before) = released(&snapshot, 1);
        let again = after(content, &before);
        assert_eq!(again.manifest(), snapshot.manifest());
        assert!(released(&again, 1).0 == bytes);
        for version in 2..6 {
            let document = &mut content.documents[rng.usize(..6)];
            document.passages.truncate(rng.usize(1..12));
            document.passages.push(body(&mut rng));
            let snapshot = after(content, &before);
            before = released(&snapshot, version).1;
            assert_eq!(after(content, &before).manifest(), snapshot.manifest());
        }
    }
}

#[test]
fn a_collection_that_changes_for_long_stays_as_good_as_a_new_one() {
    let mut rng = fastrand::Rng::with_seed(4);
    let mut content = content(60, &mut rng);
    let (_, mut before) = released(&Snapshot::build(content.clone()).unwrap(), 1);
    for version in 2..60 {
        let documents = &mut content.documents;
        let at = rng.usize(1..documents.len());
        let place = rng.usize(..documents[at].passages.len());
        let passages = &mut documents[at].passages;
        let touched = match rng.u8(..6) {
            0 | 1 => {
                edit(&mut passages[place].text, &mut rng);
                1
            }
            2 => {
                passages.insert(place, body(&mut rng));
                1
            }
            3 if passages.len() > 1 => {
                passages.remove(place);
                1
            }
            4 if documents.len() > 5 => {
                documents.remove(at);
                // All of its segments, and what they are joined to.
                3
            }
            _ => {
                documents.push(document(rng.usize(1..1_000_000), &mut rng));
                2
            }
        };
        documents.sort_by(|a, b| a.path.cmp(&b.path));
        documents.dedup_by(|a, b| a.path == b.path);
        let snapshot = after(&content, &before);
        let known: BTreeSet<Hash> = before.objects().map(|(name, _)| name).collect();
        let new = snapshot.objects().iter().filter(|object| !known.contains(&object.name));
        let new: Vec<ObjectKind> = new.map(|object| object.kind).collect();
        let segments = new.iter().filter(|kind| **kind != ObjectKind::Page).count();
        assert!(segments <= touched + 1, "version {version}: {new:?}");
        assert!(snapshot.objects().iter().all(|o| o.packed.bytes.len() <= MAX_PACKED_BYTES));

        let (bytes, release) = released(&snapshot, version);
        let bundle = bundle::read(&bytes, &key().public()).unwrap();
        let texts = bundle.documents().flat_map(|document| document.passages);
        let expected = content.documents.iter().flat_map(|document| document.passages.clone());
        assert!(texts.eq(expected), "version {version}");
        before = release;
    }
    let fresh = Snapshot::build(content.clone()).unwrap().bytes();
    let grown = after(&content, &before).bytes();
    assert!(grown * 100 <= fresh * 108, "{grown} bytes, {fresh} if cut anew");
}
