//! What a first copy of a collection and an edit of it cost, on real prose:
//! `cargo test -p jibu-sync --test size -- --nocapture`

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test prints its figures")]

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader};

use jibu_sync::{Body, Content, Document, Hash, HubKey, SignedRoot, Snapshot, bundle};
use jibu_types::{CollectionName, IndexVersion, Language, Timestamp};

/// Passages of about 600 characters, where the evaluation sets lie beside the
/// checkout.
#[allow(clippy::disallowed_methods, reason = "a test reads its material from a file")]
fn passages() -> Option<Vec<String>> {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(3)?;
    let path = root.join("../shared/eval/squad-dev/corpus.jsonl.gz");
    let bytes = std::fs::read(path).ok()?;
    let lines = BufReader::new(flate2::bufread::GzDecoder::new(bytes.as_slice())).lines();
    let texts = lines.map_while(Result::ok).filter_map(|line| {
        let record: serde_json::Value = serde_json::from_str(&line).ok()?;
        Some(record["text"].as_str()?.to_owned())
    });
    let prose: Vec<char> = texts.collect::<Vec<_>>().join(" ").chars().collect();
    Some(prose.chunks_exact(600).take(1000).map(|passage| passage.iter().collect()).collect())
}

fn content(texts: &[String]) -> Content {
    let documents = texts.chunks(10).enumerate().map(|(number, texts)| Document {
        path: format!("en/{number:03}.md"),
        title: format!("Document {number}"),
        language: Language::EN,
        source_url: Some(format!("https://example.org/{number}")),
        date: None,
        licence: Some("CC-BY-4.0".into()),
        reviewed: None,
        passages: texts.iter().map(|text| Body { section: vec![], text: text.clone() }).collect(),
    });
    Content {
        collection: CollectionName::parse("size").expect("a name"),
        documents: documents.collect(),
        golden: vec![],
    }
}

fn names(snapshot: &Snapshot) -> BTreeSet<Hash> {
    snapshot.objects().iter().map(|object| object.name).collect()
}

#[test]
fn a_thousand_passages_fit_two_hundred_kilobytes() {
    let Some(texts) = passages() else {
        println!("skipped: ../shared/eval/squad-dev is not beside this checkout");
        return;
    };
    assert_eq!(texts.len(), 1000);
    let before = Snapshot::build(content(&texts)).unwrap();
    let root = before.root(IndexVersion { epoch: 1, version: 1 }, None, Timestamp::default(), None);
    let signed = SignedRoot::sign(root, &HubKey::from_random([1; 32])).unwrap();
    let file = bundle::write(&signed, &before).unwrap();
    let raw: usize = texts.iter().map(String::len).sum();
    println!("text {raw} bytes; bundle {}; root {}", file.len(), signed.as_bytes().len());
    let mut kinds: std::collections::BTreeMap<String, (usize, usize, usize)> = Default::default();
    for object in before.objects() {
        let entry = kinds.entry(format!("{:?}", object.kind)).or_default();
        entry.0 += 1;
        entry.1 += object.packed.bytes.len();
        entry.2 = entry.2.max(object.packed.bytes.len());
    }
    for (kind, (count, bytes, most)) in kinds {
        println!("{kind}: {count} objects, {bytes} bytes packed, the largest {most}");
    }

    let known = names(&before);
    let mut fetched = Vec::new();
    for place in (7..1000).step_by(197) {
        let mut edited = texts.clone();
        edited[place].replace_range(..20, "Quite another start ");
        let after = Snapshot::build(content(&edited)).unwrap();
        let new = after.objects().iter().filter(|object| !known.contains(&object.name));
        let new: Vec<usize> = new.map(|object| object.packed.bytes.len()).collect();
        fetched.push((new.len(), new.iter().sum::<usize>()));
    }
    println!("one edited passage, new objects and their bytes (unprefixed): {fetched:?}");

    assert!(file.len() <= 200_000, "{} bytes", file.len());
    assert!(fetched.iter().all(|(count, _)| *count <= 5), "{fetched:?}");
}
