use std::collections::BTreeSet;
use std::error::Error as _;

use expect_test::{Expect, expect};
use jibu_types::{CollectionName, Date, IndexVersion, Language, Timestamp};
use proptest::prelude::*;

use super::*;
use crate::{Admission, Body, Content, HubKey, SnapshotError, admissible};

fn hub() -> HubKey {
    HubKey::from_random(std::array::from_fn(|i| i as u8))
}

fn document(path: &str, texts: &[&str]) -> Document {
    Document {
        path: path.into(),
        title: "Malaria".into(),
        language: Language::SW,
        source_url: Some("https://example.org/malaria".into()),
        date: Some(Date::parse("2026-01-31").unwrap()),
        licence: Some("CC-BY-4.0".into()),
        reviewed: None,
        passages: texts
            .iter()
            .map(|text| Body { section: vec!["Dalili".into()], text: (*text).into() })
            .collect(),
    }
}

fn small() -> Content {
    Content {
        collection: CollectionName::parse("health-sw").unwrap(),
        documents: vec![
            document("sw/malaria.md", &["Homa na baridi ni dalili.", "Nenda kliniki leo."]),
            document("sw/kipindupindu.md", &["Kunywa maji yaliyochemshwa."]),
        ],
        golden: vec![GoldenQuery {
            question: "dalili za malaria".into(),
            language: Language::SW,
            document: "sw/malaria.md".into(),
        }],
    }
}

/// Text from a small vocabulary, so that it compresses as prose does.
fn prose(rng: &mut fastrand::Rng, bytes: usize) -> String {
    let mut text = String::new();
    while text.len() < bytes {
        for _ in 0..rng.usize(4..12) {
            let rank = 3000f64.powf(rng.f64()) as u64;
            let mut word = fastrand::Rng::with_seed(rank);
            (0..word.usize(2..9)).for_each(|_| text.push(word.char('a'..='z')));
            text.push(' ');
        }
        text.pop();
        text.push_str(". ");
    }
    text
}

fn large(passages: usize) -> Content {
    let mut rng = fastrand::Rng::with_seed(4);
    let documents = (0..passages.div_ceil(10)).map(|number| {
        let texts: Vec<String> = (0..10).map(|_| prose(&mut rng, 600)).collect();
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        document(&format!("sw/{number:04}.md"), &texts)
    });
    Content { documents: documents.collect(), golden: vec![], ..small() }
}

fn publish(content: Content, version: u64) -> Vec<u8> {
    let snapshot = Snapshot::build(content).unwrap();
    let version = IndexVersion { epoch: 1, version };
    let issued = Timestamp::from_unix_seconds(1_795_367_760);
    let root = SignedRoot::sign(snapshot.root(version, None, issued, None), &hub()).unwrap();
    write(&root, &snapshot).unwrap()
}

/// Parts of one document as the document again.
fn whole(parts: impl Iterator<Item = Document>) -> Vec<Document> {
    let mut documents: Vec<Document> = Vec::new();
    for mut part in parts {
        match documents.last_mut() {
            Some(last) if last.path == part.path => last.passages.append(&mut part.passages),
            _ => documents.push(part),
        }
    }
    documents
}

fn refused(bytes: &[u8], sentence: Expect) {
    let error = read(bytes, &hub().public()).expect_err("a bad bundle was taken");
    sentence.assert_eq(&error.to_string());
}

/// A bundle with a checksum that fits, whatever was done to it: what somebody
/// could write who has no key.
fn resealed(mut bytes: Vec<u8>) -> Vec<u8> {
    let content = bytes.len() - CHECKSUM_BYTES;
    bytes.truncate(content);
    bytes[12..20].copy_from_slice(&((content + CHECKSUM_BYTES) as u64).to_be_bytes());
    let checksum = Hash::of(&bytes);
    bytes.extend(checksum.as_bytes());
    bytes
}

/// The published example of FORMAT.md: file bytes as hex, `#` begins a comment.
fn vector() -> Vec<u8> {
    let text = include_str!("../../vectors/two-documents.hex");
    let digits: String = text
        .lines()
        .flat_map(|line| line.split('#').next().unwrap_or_default().split_whitespace())
        .collect();
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
    digits.as_bytes().chunks(2).map(byte).collect()
}

#[test]
fn a_bundle_gives_back_what_was_written() {
    let bytes = publish(small(), 7);
    let bundle = read(&bytes, &hub().public()).unwrap();
    assert_eq!(bundle.root().version.to_string(), "1.7");
    assert_eq!(bundle.root().passages, 3);
    assert_eq!(bundle.root().languages, [Language::SW]);
    assert_eq!(bundle.golden(), small().golden);
    let heads: Vec<String> = bundle
        .passages()
        .map(|p| format!("{} | {} | {}", p.document, p.heading(), p.text))
        .collect();
    expect![[r#"
        [
            "sw/kipindupindu.md | Malaria › Dalili | Kunywa maji yaliyochemshwa.",
            "sw/malaria.md | Malaria › Dalili | Homa na baridi ni dalili.",
            "sw/malaria.md | Malaria › Dalili | Nenda kliniki leo.",
        ]
    "#]]
    .assert_debug_eq(&heads);
}

#[test]
fn the_published_example_is_read_and_its_names_stand() {
    let bytes = vector();
    let bundle = read(&bytes, &hub().public()).unwrap();
    let mut documents = small().documents;
    documents.sort_by(|a, b| a.path.cmp(&b.path));
    assert_eq!(whole(bundle.documents()), documents);
    assert_eq!(bundle.golden(), small().golden);
    let again = publish(small(), 7);
    let again = read(&again, &hub().public()).unwrap();
    // Another zstd may pack otherwise; names do not depend on it.
    assert_eq!(again.root().manifest, bundle.root().manifest);
    expect!["hub-aoqqpp7tzyil4hlq3umoos6atft6jvrqtosq2xy53sdgiesvgg4hspol"]
        .assert_eq(&hub().public().to_string());
}

#[test]
fn every_flipped_bit_is_refused() {
    let bytes = publish(small(), 7);
    for place in 0..bytes.len() {
        for bit in 0..8 {
            let mut flipped = bytes.clone();
            flipped[place] ^= 1 << bit;
            assert!(read(&flipped, &hub().public()).is_err(), "byte {place}, bit {bit}");
        }
    }
}

#[test]
fn a_changed_byte_under_a_fitting_checksum_never_changes_what_is_read() {
    let bytes = publish(small(), 7);
    let honest = whole(read(&bytes, &hub().public()).unwrap().documents());
    for place in 0..bytes.len() - CHECKSUM_BYTES {
        for value in [bytes[place] ^ 1, bytes[place] ^ 0x80, 0, 0xff] {
            let mut changed = bytes.clone();
            changed[place] = value;
            // A zstd frame has bits that mean nothing; what they unpack to is
            // still what the hub signed.
            if let Ok(bundle) = read(&resealed(changed), &hub().public()) {
                assert_eq!(whole(bundle.documents()), honest, "byte {place} as {value}");
            }
        }
    }
}

#[test]
fn every_shortened_file_is_refused_with_its_size() {
    let bytes = publish(small(), 7);
    for length in 0..bytes.len() {
        let error = read(&bytes[..length], &hub().public()).expect_err("a stump was taken");
        assert!(matches!(error, BundleError::Truncated { .. }), "{length}: {error}");
        assert_eq!(error.kind(), BundleErrorKind::CopyAgain);
        assert!(read(&resealed([&bytes[..length], &[0; 64]].concat()), &hub().public()).is_err());
    }
    refused(
        &bytes[..10],
        expect!["the bundle is cut short: 10 bytes of a longer file: copy it again"],
    );
    let sentence = read(&bytes[..100], &hub().public()).unwrap_err().to_string();
    assert_eq!(
        sentence,
        format!("the bundle is cut short: 100 bytes of {}: copy it again", bytes.len())
    );
}

#[test]
fn what_is_wrong_is_said_in_a_sentence() {
    let bytes = publish(small(), 7);
    refused(
        b"PK\x03\x04 a zip file",
        expect!["this is not a Jibu bundle: choose a file that `jibu-hub bundle` has written"],
    );
    refused(
        &[bytes.clone(), b"more".to_vec()].concat(),
        expect!["4 bytes follow the bundle's end, so something was added to it: copy it again"],
    );
    let mut damaged = bytes.clone();
    damaged[300] ^= 4;
    refused(
        &damaged,
        expect!["the bundle was damaged on its way (its checksum does not fit): copy it again"],
    );
    for (format, sentence) in [
        (
            0,
            expect![
                "the bundle has format 0 and this program reads format 1: let a current jibu-hub write the bundle again"
            ],
        ),
        (
            2,
            expect!["the bundle has format 2 and this program reads format 1: update this program"],
        ),
    ] {
        let mut other = bytes.clone();
        other[9] = format;
        refused(&resealed(other), sentence);
    }
    let other = HubKey::from_random([9; 32]).public();
    let error = read(&bytes, &other).unwrap_err();
    expect!["the bundle was signed by another hub (key …spol): import a bundle of your own hub (key …xaxx), or set hub.public_key"]
        .assert_eq(&error.to_string());
    assert_eq!(error.kind(), BundleErrorKind::WrongFile);
}

#[test]
fn a_forged_root_is_not_believed() {
    let mut bytes = publish(small(), 7);
    // The version, in the middle of the signed bytes.
    let place = bytes.windows(9).position(|w| w == b"health-sw").unwrap() + 10;
    assert_eq!(bytes[place], 7);
    bytes[place] = 8;
    let error = read(&resealed(bytes), &hub().public()).unwrap_err();
    assert_eq!(error, BundleError::Root(RootError::Signature));
    assert_eq!(error.kind(), BundleErrorKind::NotAuthentic);
    expect![
        "the bundle's root is not your hub's: do not use this file, and get a new one from the hub"
    ]
    .assert_eq(&error.to_string());
    expect!["the root's signature does not fit: it was changed after your hub signed it"]
        .assert_eq(&error.source().unwrap().to_string());
}

#[test]
fn objects_of_another_version_are_refused() {
    let (one, mut two) = (publish(small(), 7), small());
    two.documents[0].passages[0].text.push('!');
    let two = publish(two, 8);
    let root_end =
        |bytes: &[u8]| HEADER_BYTES + usize::from(u16::from_be_bytes([bytes[10], bytes[11]]));
    let mixed = [&one[..root_end(&one)], &two[root_end(&two)..]].concat();
    let error = read(&resealed(mixed), &hub().public()).unwrap_err();
    assert_eq!(error, BundleError::Object { part: 1, source: ObjectError::Name });
}

#[test]
fn objects_left_out_or_added_are_noticed() {
    let bytes = publish(small(), 7);
    let end = bytes.len() - CHECKSUM_BYTES;
    let added = [&bytes[..end], &[0, 0, 1, 65], &bytes[end..]].concat();
    assert_eq!(read(&resealed(added), &hub().public()).unwrap_err(), BundleError::TrailingBytes(4));
    let left_out = [&bytes[..end - 9], &bytes[end..]].concat();
    let error = read(&resealed(left_out), &hub().public()).unwrap_err();
    assert!(
        matches!(error, BundleError::Object { part: 3, source: ObjectError::Frame }),
        "{error:?}"
    );
}

#[test]
fn a_root_that_counts_wrong_is_refused_though_it_is_signed() {
    let snapshot = Snapshot::build(small()).unwrap();
    let version = IndexVersion { epoch: 1, version: 1 };
    let mut root = snapshot.root(version, None, Timestamp::default(), None);
    root.passages += 1;
    let signed = SignedRoot::sign(root, &hub()).unwrap();
    let bytes = write(&signed, &snapshot).unwrap();
    refused(
        &bytes,
        expect!["the bundle holds 3 passages where its root says 4: get a new one from the hub"],
    );
}

#[test]
fn a_root_of_another_snapshot_is_not_written() {
    let one = Snapshot::build(small()).unwrap();
    let two = Snapshot::build(Content { golden: vec![], ..small() }).unwrap();
    let root = one.root(IndexVersion::default(), None, Timestamp::default(), None);
    let signed = SignedRoot::sign(root, &hub()).unwrap();
    assert_eq!(write(&signed, &two), Err(BundleError::OtherSnapshot));
}

/// Reads a bundle whose manifest is one page of these entries, signed: what a
/// hub with a fault could publish.
fn signed_page(entries: &[Entry], objects: &[Vec<u8>]) -> BundleError {
    let page = manifest::encode(entries);
    let root = Root {
        manifest: Hash::of(&page),
        bytes: (page.len() + objects.iter().map(Vec::len).sum::<usize>()) as u64,
        ..Snapshot::build(small()).unwrap().root(
            IndexVersion::default(),
            None,
            Timestamp::default(),
            None,
        )
    };
    let root = SignedRoot::sign(root, &hub()).unwrap();
    let mut file = [MAGIC.as_slice(), &FORMAT.to_be_bytes()].concat();
    file.extend((root.as_bytes().len() as u16).to_be_bytes());
    file.extend([0; 8]);
    file.extend(root.as_bytes());
    for object in [&[page], objects].concat() {
        file.push(Packing::Stored as u8);
        file.extend((object.len() as u16).to_be_bytes());
        file.extend(object);
    }
    file.extend([0; CHECKSUM_BYTES]);
    read(&resealed(file), &hub().public()).expect_err("a faulty manifest was taken")
}

#[test]
fn a_faulty_manifest_is_refused_though_it_is_signed() {
    let raw = segment::encode(&small().documents);
    let entry =
        |kind, items| Entry { kind, name: Hash::of(&raw), raw_bytes: raw.len() as u32, items };
    let passages = entry(ObjectKind::Passages, 3);
    let objects = std::slice::from_ref(&raw);
    let content = |part| BundleError::Object { part, source: ObjectError::Content };

    let unnamed = signed_page(&[entry(ObjectKind::Shared, 3)], objects);
    assert_eq!(unnamed, BundleError::Object { part: 2, source: ObjectError::Name });
    let miscounted = signed_page(&[entry(ObjectKind::Passages, 2)], objects);
    assert_eq!(miscounted, content(2));
    let wrong_kind = signed_page(&[entry(ObjectKind::Golden, 3)], objects);
    assert_eq!(wrong_kind, content(2));
    let missized = signed_page(&[Entry { raw_bytes: passages.raw_bytes + 1, ..passages }], objects);
    assert_eq!(missized, content(2));
    let twice = signed_page(&[passages, passages], objects);
    assert_eq!(twice, BundleError::Object { part: 3, source: ObjectError::Frame });
    let not_a_page = signed_page(&[entry(ObjectKind::Page, 3)], objects);
    assert_eq!(not_a_page, content(2));
    let mixed = signed_page(&[passages, entry(ObjectKind::Page, 3)], objects);
    assert_eq!(mixed, content(1));
    let empty = signed_page(&[], &[]);
    assert_eq!(empty, content(1));
}

#[test]
fn an_older_version_is_not_admissible() {
    let root = Snapshot::build(small()).unwrap().root(
        IndexVersion { epoch: 2, version: 5 },
        None,
        Timestamp::default(),
        None,
    );
    let at = |epoch, version| Some(IndexVersion { epoch, version });
    assert_eq!(admissible(None, &root), Ok(Admission::Newer));
    assert_eq!(admissible(at(1, 900), &root), Ok(Admission::Newer));
    assert_eq!(admissible(at(2, 4), &root), Ok(Admission::Newer));
    assert_eq!(admissible(at(2, 5), &root), Ok(Admission::Same));
    assert!(admissible(at(3, 1), &root).is_err());
    expect![[r#"version 2.5 of "health-sw" is older than version 2.6, which this box has had: take a newer bundle (to bring old content back, let the hub publish it as a new version)"#]]
        .assert_eq(&admissible(at(2, 6), &root).unwrap_err().to_string());
}

#[test]
fn expiry_is_a_question_only_for_a_box_that_knows_the_time() {
    let snapshot = Snapshot::build(small()).unwrap();
    let at = Timestamp::from_unix_seconds;
    let root = snapshot.root(IndexVersion::default(), None, at(0), Some(at(100)));
    assert!(!root.is_expired(None));
    assert!(!root.is_expired(Some(at(100))));
    assert!(root.is_expired(Some(at(101))));
}

#[test]
fn a_root_stays_small_with_many_languages() {
    let snapshot = Snapshot::build(small()).unwrap();
    let hash = Some(Hash::of(b"x"));
    let code = |i: u8| format!("{}{}", char::from(b'a' + i / 26), char::from(b'a' + i % 26));
    let mut root = Root {
        collection: CollectionName::parse(&"c".repeat(64)).unwrap(),
        version: IndexVersion { epoch: u32::MAX, version: u64::MAX },
        previous: hash,
        dictionary: hash,
        model: hash,
        expires: Some(Timestamp::from_unix_ms(i64::MAX)),
        languages: (0..150).map(|i| Language::parse(&code(i)).unwrap()).collect(),
        ..snapshot.root(IndexVersion::default(), None, Timestamp::from_unix_ms(i64::MAX), None)
    };
    let signed = SignedRoot::sign(root.clone(), &hub()).unwrap();
    assert!(signed.as_bytes().len() <= SignedRoot::MAX_BYTES);
    assert_eq!(SignedRoot::verify(signed.as_bytes(), &hub().public()).unwrap().root(), &root);
    root.languages.extend(root.languages.clone());
    assert!(matches!(SignedRoot::sign(root, &hub()), Err(RootError::TooLong(_))));
}

#[test]
fn what_cannot_be_published_is_said_in_a_sentence() {
    let build = |content| Snapshot::build(content).unwrap_err().to_string();
    expect![[r#"the collection "health-sw" has no passages: ingest documents first"#]]
        .assert_eq(&build(Content { documents: vec![], ..small() }));
    let mut twice = small();
    twice.documents.push(twice.documents[0].clone());
    expect![[r#"the document "sw/malaria.md" is there twice: give one of them another path"#]]
        .assert_eq(&build(twice));
    let mut lost = small();
    lost.golden[0].document = "sw/homa.md".into();
    expect![[r#"the golden query "dalili za malaria" wants the document "sw/homa.md", which is not in the collection: correct its path, or ingest the document"#]]
        .assert_eq(&build(lost));
    let mut long = small();
    long.documents[1].passages[0].text = "maji safi ".repeat(900);
    let error = Snapshot::build(long).unwrap_err();
    assert!(matches!(error, SnapshotError::TooLong { bytes, .. } if bytes > 9000), "{error}");
}

#[test]
fn no_object_is_larger_than_the_caps_whatever_the_text() {
    let mut rng = fastrand::Rng::with_seed(11);
    let mut content = large(100);
    for document in &mut content.documents {
        for body in &mut document.passages {
            // Text that hardly compresses.
            body.text =
                std::iter::repeat_with(|| rng.char('\u{4e00}'..'\u{9fff}')).take(900).collect();
        }
    }
    let bytes = publish(content.clone(), 1);
    let snapshot = Snapshot::build(content.clone()).unwrap();
    assert!(snapshot.objects().iter().all(|o| o.packed.bytes.len() <= MAX_PACKED_BYTES));
    assert!(snapshot.objects().iter().all(|o| o.raw_bytes as usize <= MAX_RAW_BYTES));
    let bundle = read(&bytes, &hub().public()).unwrap();
    assert_eq!(whole(bundle.documents()), content.documents);
}

#[test]
fn the_same_content_gives_the_same_bytes() {
    let mut shuffled = large(300);
    fastrand::Rng::with_seed(3).shuffle(&mut shuffled.documents);
    assert!(publish(large(300), 2) == publish(shuffled, 2));
}

#[test]
fn an_edit_changes_few_objects() {
    let names = |content: Content| -> BTreeSet<Hash> {
        Snapshot::build(content).unwrap().objects().iter().map(|o| o.name).collect()
    };
    let before = names(large(400));
    let mut rng = fastrand::Rng::with_seed(5);
    let mut changed = 0;
    for round in 0..12 {
        let mut content = large(400);
        let document = &mut content.documents[rng.usize(..40)];
        let place = rng.usize(..10);
        match round % 3 {
            0 => document.passages[place].text.push_str("One sentence more."),
            1 => drop(document.passages.remove(place)),
            _ => {
                let text = prose(&mut rng, 500);
                document.passages.insert(place, Body { section: vec![], text });
            }
        }
        let new = names(content).difference(&before).count();
        // A segment, or two or three where a border moved, and the pages above.
        assert!((2..=8).contains(&new), "round {round}: {new} new objects");
        changed += new;
    }
    assert!(changed <= 12 * 4, "{changed} objects changed by 12 edits");
}

#[test]
fn a_large_collection_has_a_tree_of_pages() {
    let bytes = publish(large(3000), 1);
    let bundle = read(&bytes, &hub().public()).unwrap();
    assert_eq!(bundle.root().passages, 3000);
    assert!(bundle.root().dictionary.is_some());
    assert_eq!(whole(bundle.documents()), large(3000).documents);
}

/// Prints the file of FORMAT.md's example for `vectors/`:
/// `cargo test -p jibu-sync print_the_example -- --ignored --nocapture`
#[test]
#[ignore = "prints the published example, for a new version of the format"]
fn print_the_example() {
    let bytes = publish(small(), 7);
    for line in bytes.chunks(32) {
        println!("{}", line.iter().map(|byte| format!("{byte:02x}")).collect::<String>());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_is_bundled_is_unbundled(
        documents in proptest::collection::btree_map(
            "[a-z]{1,8}/[^\0]{1,12}\\.md",
            (".{0,40}", proptest::option::of(".{1,30}"), proptest::collection::vec(
                (proptest::collection::vec(".{0,20}", 0..4), ".{1,400}"), 1..6)),
            1..8,
        ),
        version in any::<u64>(),
    ) {
        let documents: Vec<Document> = documents
            .into_iter()
            .map(|(path, (title, url, passages))| Document {
                title,
                source_url: url.clone(),
                reviewed: url,
                passages: passages
                    .into_iter()
                    .map(|(section, text)| Body { section, text })
                    .collect(),
                ..document(&path, &[])
            })
            .collect();
        let content = Content { documents: documents.clone(), golden: vec![], ..small() };
        let bytes = publish(content, version);
        let bundle = read(&bytes, &hub().public()).unwrap();
        prop_assert_eq!(whole(bundle.documents()), documents);
    }

    #[test]
    fn bytes_from_anywhere_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        crate::fuzz_decoders(&bytes);
        let framed = [MAGIC.as_slice(), &bytes, &[0; 40]].concat();
        crate::fuzz_decoders(&[&[0], framed.as_slice()].concat());
    }
}
