//! How long searches take, and what the index weighs, at the size of a site.
//!
//! `cargo run -p jibu-store --example bench_search [PASSAGES]`
//!
//! The passages are made of made-up words with the frequencies of a natural
//! language (Zipf), 100 to 600 characters long; the vectors are random. What is
//! measured is time and space, and how many trigrams it takes to find a passage
//! by a question in misspelt words. It says nothing about answers.

// A program's output is its purpose.
#![allow(clippy::print_stdout)]

use std::error::Error;
use std::time::{Duration, Instant};

use jibu_store::{ContentReader, ContentStore, EditionInfo, FieldWeights, ModelHash, Scope};
use jibu_types::{
    CollectionName, Embedding, IndexVersion, Language, Passage, PassageId, Timestamp,
};

const SEED: u64 = 7;
const QUERIES: usize = 200;

fn main() -> Result<(), Box<dyn Error>> {
    let count = std::env::args().nth(1).map_or(Ok(5000), |count| count.parse())?;
    let mut rng = fastrand::Rng::with_seed(SEED);
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("content.db");
    let passages = passages(&mut rng, count)?;
    let bytes: usize = passages.iter().map(|passage| passage.text.len()).sum();
    println!("{count} passages, {} KB of text, seed {SEED}", bytes / 1000);

    let mut store = ContentStore::open(&path)?;
    publish(&mut store, 1, &passages, &mut rng)?;
    println!("file {} KB", kilobytes(&path)?);
    report("as imported", &path, &passages, &mut rng)?;
    let (_, took) = timed(|| store.tidy());
    println!("\ntidy {took:.0?}; file {} KB", kilobytes(&path)?);
    report("tidied", &path, &passages, &mut rng)?;

    println!("\nten more versions, each with 1 % of the passages changed:");
    let mut changed = passages;
    for version in 2..=11 {
        for _ in 0..count.div_ceil(100) {
            let n = rng.usize(..changed.len());
            if let Some(passage) = changed.get_mut(n) {
                passage.text.push_str(" tena");
            }
        }
        publish(&mut store, version, &changed, &mut rng)?;
    }
    println!("file {} KB", kilobytes(&path)?);
    report("after ten versions", &path, &changed, &mut rng)?;
    let (findings, took) = timed(|| store.verify());
    println!("\nverify {took:.0?}, {} findings", findings?.len());
    drop(store);
    let (opened, took) = timed(|| ContentStore::open(&path));
    opened?;
    println!("open with quick_check {took:.0?}");
    Ok(())
}

fn publish(
    store: &mut ContentStore,
    version: u64,
    passages: &[Passage],
    rng: &mut fastrand::Rng,
) -> Result<(), Box<dyn Error>> {
    let model_hash = ModelHash([0; 32]);
    let info = EditionInfo {
        collection: CollectionName::parse("bench")?,
        version: IndexVersion { epoch: 1, version },
        model_hash,
        golden: Vec::new(),
        root: None,
    };
    let (edition, staging) = timed(|| store.stage(&info, passages.iter().cloned()));
    let edition = edition?;
    let start = Instant::now();
    loop {
        let missing = store.missing_embeddings(edition, 64)?;
        if missing.is_empty() {
            break;
        }
        let embeddings = missing
            .iter()
            .map(|(id, _)| embedding(rng).map(|embedding| (*id, embedding)))
            .collect::<Result<Vec<_>, _>>()?;
        store.put_embeddings(&embeddings)?;
    }
    let embedding = start.elapsed();
    let (flipped, flip) = timed(|| store.activate(Timestamp::default(), edition, model_hash));
    flipped?;
    if version < 3 {
        println!("stage {staging:.0?}, keep vectors {embedding:.0?}, flip {flip:.0?}");
    }
    Ok(())
}

fn report(
    state: &str,
    path: &std::path::Path,
    passages: &[Passage],
    rng: &mut fastrand::Rng,
) -> Result<(), Box<dyn Error>> {
    let reader = ContentReader::open(path)?;
    println!("\n{state}: milliseconds a query (median, 95th of 100), {QUERIES} queries");
    let mut words = Vec::new();
    let mut frequencies = Vec::new();
    let mut dense = Vec::new();
    for _ in 0..QUERIES {
        let question = question(rng, passages, 8);
        let terms: Vec<String> = question.split(' ').map(str::to_owned).collect();
        let (hits, took) = timed(|| reader.search_words(&terms, 50));
        hits?;
        words.push(took);
        let (counts, took) = timed(|| reader.document_frequencies(&terms));
        counts?;
        frequencies.push(took);
        let embedding = embedding(rng)?;
        let (hits, took) = timed(|| reader.search_dense(&embedding, 50));
        hits?;
        dense.push(took);
    }
    row("words, 8 terms", words);
    row("frequencies, 8 terms", frequencies);
    row("dense", dense);
    for (long, most) in
        [(8, 8), (8, 16), (8, 32), (8, 1000), (24, 16), (24, 32), (24, 64), (24, 1000)]
    {
        let mut times = Vec::new();
        let mut found = 0;
        for _ in 0..QUERIES {
            let wanted = rng.usize(..passages.len());
            let Some(passage) = passages.get(wanted) else { continue };
            let question = question(rng, std::slice::from_ref(passage), long);
            let question = misspell(rng, &question);
            let weights = FieldWeights::default();
            let (hits, took) =
                timed(|| reader.search_trigrams_in(Scope::Active, weights, most, &question, 10));
            let ids: Vec<PassageId> = hits?.iter().map(|hit| hit.passage).collect();
            let texts = reader.passages(&ids)?;
            found += usize::from(texts.iter().any(|(_, hit)| hit.text == passage.text));
            times.push(took);
        }
        let recall = 100 * found / QUERIES;
        row(&format!("trigrams, {long} words, {most} at most: found {recall} %"), times);
    }
    println!("resident memory {} KB", resident()?);
    Ok(())
}

fn row(name: &str, mut times: Vec<Duration>) {
    times.sort_unstable();
    let at = |share: usize| times.get(times.len() * share / 100).copied().unwrap_or_default();
    let ms = |time: Duration| time.as_secs_f64() * 1000.0;
    println!("{name:52} {:7.2} {:7.2}", ms(at(50)), ms(at(95)));
}

fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let start = Instant::now();
    let value = work();
    (value, start.elapsed())
}

/// The size of the file and its write-ahead log.
fn kilobytes(path: &std::path::Path) -> std::io::Result<u64> {
    let log = path.with_extension("db-wal");
    let log = std::fs::metadata(log).map_or(0, |metadata| metadata.len());
    Ok((std::fs::metadata(path)?.len() + log) / 1000)
}

/// The process's resident memory; 0 where /proc does not say.
fn resident() -> std::io::Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    Ok(line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok()).unwrap_or(0))
}

fn embedding(rng: &mut fastrand::Rng) -> Result<Embedding, jibu_types::EmbeddingError> {
    Embedding::normalised((0..Embedding::WIDTH).map(|_| rng.f32() - 0.5).collect())
}

fn passages(rng: &mut fastrand::Rng, count: usize) -> Result<Vec<Passage>, Box<dyn Error>> {
    let vocabulary: Vec<String> = (0..8000).map(|_| word(rng)).collect();
    let collection = CollectionName::parse("bench")?;
    Ok((0..count)
        .map(|n| {
            let length = rng.usize(100..600);
            let mut text = String::new();
            while text.len() < length {
                // Zipf: the word of rank r is drawn in proportion to 1 / r.
                let rank = (vocabulary.len() as f64).powf(rng.f64()) as usize - 1;
                text.push_str(vocabulary.get(rank).map_or("", String::as_str));
                text.push(' ');
            }
            Passage {
                collection: collection.clone(),
                document: format!("{}.md", n / 20),
                title: rng.choice(&vocabulary).cloned().unwrap_or_default(),
                section: vec![rng.choice(&vocabulary).cloned().unwrap_or_default()],
                language: Language::SW,
                source_url: None,
                date: None,
                text,
            }
        })
        .collect())
}

fn word(rng: &mut fastrand::Rng) -> String {
    let syllables = rng.usize(1..5);
    (0..syllables)
        .flat_map(|_| {
            let consonant = *rng.choice(b"bcdfghjklmnprstvwyz").unwrap_or(&b'k');
            let vowel = *rng.choice(b"aaaeiiou").unwrap_or(&b'a');
            [char::from(consonant), char::from(vowel)]
        })
        .collect()
}

/// So many words of one of the passages.
fn question(rng: &mut fastrand::Rng, passages: &[Passage], words: usize) -> String {
    let text = rng.choice(passages).map_or("", |passage| passage.text.as_str());
    let all: Vec<&str> = text.split_whitespace().collect();
    let chosen: Vec<&str> = (0..words).filter_map(|_| rng.choice(&all).copied()).collect();
    chosen.join(" ")
}

/// One letter in eight is another one.
fn misspell(rng: &mut fastrand::Rng, text: &str) -> String {
    text.chars().map(|c| if c != ' ' && rng.u8(..8) == 0 { rng.lowercase() } else { c }).collect()
}
