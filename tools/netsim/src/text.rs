//! Collections to send: real prose where it is given, else prose of an invented
//! language that compresses about as well.

use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;

use anyhow::{Context as _, ensure};
use jibu_sync::{Body, Content, Document, HubKey, Release, SignedRoot, Snapshot, bundle};
use jibu_types::{CollectionName, IndexVersion, Language, Timestamp};

/// Characters of a passage.
const PASSAGE: usize = 600;

/// The hub that signs here.
pub fn hub_key() -> HubKey {
    HubKey::from_random([7; 32])
}

/// The collection that sites follow here.
pub fn collection() -> CollectionName {
    CollectionName::parse("health-en").expect("a name by its form")
}

/// Passages of 600 characters from a BEIR corpus (`text` of each line of a
/// JSON-lines file, gzip accepted).
///
/// # Errors
/// When the file cannot be read or holds too little.
pub fn read(path: &Path, count: usize) -> anyhow::Result<Vec<String>> {
    let mut bytes = Vec::new();
    std::fs::File::open(path)
        .and_then(|mut file| file.read_to_end(&mut bytes))
        .with_context(|| format!("reading {}", path.display()))?;
    let unzipped = flate2::bufread::MultiGzDecoder::new(bytes.as_slice());
    let lines: Vec<String> = if bytes.starts_with(&[0x1f, 0x8b]) {
        BufReader::new(unzipped).lines().collect::<Result<_, _>>()?
    } else {
        bytes.lines().collect::<Result<_, _>>()?
    };
    let texts = lines.iter().filter_map(|line| {
        let record: serde_json::Value = serde_json::from_str(line).ok()?;
        Some(record["text"].as_str()?.to_owned())
    });
    let prose: Vec<char> = texts.collect::<Vec<_>>().join(" ").chars().collect();
    let passages: Vec<String> =
        prose.chunks_exact(PASSAGE).take(count).map(|passage| passage.iter().collect()).collect();
    ensure!(passages.len() == count, "{} holds {} passages only", path.display(), passages.len());
    Ok(passages)
}

/// Passages of 600 characters in an invented language whose words are as uneven
/// in use as real ones (Zipf's law).
pub fn invent(count: usize, rng: &mut fastrand::Rng) -> Vec<String> {
    let mut passage = || {
        let mut text = String::new();
        while text.len() < PASSAGE {
            text.push_str(&sentence(rng));
        }
        text.truncate(PASSAGE);
        text
    };
    (0..count).map(|_| passage()).collect()
}

/// A sentence of the invented language.
fn sentence(rng: &mut fastrand::Rng) -> String {
    let words: Vec<String> = (0..rng.usize(4..14))
        .map(|_| {
            let rank = 4000f64.powf(rng.f64()) as u64;
            let mut word = fastrand::Rng::with_seed(rank);
            (0..word.usize(2..9)).map(|_| word.char('a'..='z')).collect()
        })
        .collect();
    words.join(" ") + ". "
}

/// Puts another sentence into the middle of some passages, no passage twice.
pub fn edit(passages: &mut [String], count: usize, rng: &mut fastrand::Rng) {
    for place in rng.choose_multiple(0..passages.len(), count) {
        let text = &passages[place];
        let half: usize = text.chars().take(text.chars().count() / 2).map(char::len_utf8).sum();
        let rest: String = text[half..].chars().skip(60).collect();
        passages[place] = format!("{}{}{rest}", &text[..half], sentence(rng));
    }
}

/// Puts wholly other passages in the place of some, no passage twice.
pub fn rewrite(passages: &mut [String], count: usize, rng: &mut fastrand::Rng) {
    let places = rng.choose_multiple(0..passages.len(), count);
    for (place, text) in places.into_iter().zip(invent(count, rng)) {
        passages[place] = text;
    }
}

/// Passages as a signed release, ten to a document, grouped as the release
/// before was where there is one.
///
/// # Panics
/// Never, for passages that [`read`] or [`invent`] made.
pub fn release(
    passages: &[String],
    version: IndexVersion,
    issued: Timestamp,
    before: Option<&Release>,
) -> Release {
    let documents = passages.chunks(10).enumerate().map(|(number, texts)| Document {
        path: format!("en/{number:04}.md"),
        title: format!("Document {number}"),
        language: Language::EN,
        source_url: Some(format!("https://example.org/{number}")),
        date: None,
        licence: Some("CC-BY-4.0".into()),
        reviewed: None,
        passages: texts.iter().map(|text| Body { section: vec![], text: text.clone() }).collect(),
    });
    let content =
        Content { collection: collection(), documents: documents.collect(), golden: vec![] };
    let snapshot = match before {
        Some(before) => Snapshot::build_after(content, before),
        None => Snapshot::build(content),
    };
    let snapshot = snapshot.expect("passages of one length, distinct paths");
    let root = snapshot.root(version, None, issued, None);
    let root = SignedRoot::sign(root, &hub_key()).expect("a root of one language is short");
    let bytes = bundle::write(&root, &snapshot).expect("the root is this snapshot's");
    Release::open(&bytes, &hub_key().public()).expect("a bundle that was just written")
}
