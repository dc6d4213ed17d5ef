use std::path::PathBuf;
use std::sync::LazyLock;

use serde::Deserialize;

use super::*;
use crate::artefact::Models;

static MODELS: LazyLock<Models> = LazyLock::new(|| Models::open(&folder()).unwrap());

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../models")
}

/// A line of `models/golden.json`: what the unquantised model says.
#[derive(Deserialize)]
struct Golden {
    language: String,
    heading: Option<String>,
    text: String,
    ids: Vec<u32>,
    /// In units of 0.00001.
    embedding: Vec<i32>,
}

fn golden() -> Vec<Golden> {
    let json = std::fs::read(folder().join("golden.json")).unwrap();
    let golden: Vec<Golden> = serde_json::from_slice(&json).unwrap();
    assert!(golden.len() >= 18);
    golden
}

#[test]
fn token_ids_are_the_golden_ones() {
    let tokenizer = &MODELS.embedder().vocabulary.tokenizer;
    for line in golden() {
        let prompt = match &line.heading {
            None => query_prompt(&line.text),
            Some(heading) => passage_prompt(heading, &line.text),
        };
        assert_eq!(tokenizer.encode(&prompt, 512), line.ids, "{}: {}", line.language, line.text);
    }
}

#[test]
fn embeddings_are_close_to_the_unquantised_ones() {
    let embedder = MODELS.embedder();
    let mut lowest = f32::INFINITY;
    for line in golden() {
        let ours = match &line.heading {
            None => embedder.query(&line.text).unwrap(),
            Some(heading) => embedder.passage(heading, &line.text).unwrap(),
        };
        let wanted = line.embedding.iter().map(|v| *v as f32 / 1e5).collect();
        let cosine = ours.cosine(&Embedding::normalised(wanted).unwrap());
        assert!(cosine >= 0.995, "{}: {} has {cosine}", line.language, line.text);
        lowest = lowest.min(cosine);
    }
    println!("lowest cosine {lowest:.5}");
}

#[test]
fn a_question_lies_nearest_to_the_passage_that_answers_it_in_any_language() {
    let embedder = MODELS.embedder();
    let passages = [
        ("Birth", "A birth is registered at the district office with the clinic card."),
        ("Malaria", "A child with fever is tested for malaria on the same day."),
        ("Pension", "Old people above sixty receive a monthly pension from the state."),
    ];
    let passages = passages.map(|(heading, text)| embedder.passage(heading, text).unwrap());
    let questions = [
        ("Nitasajili wapi kuzaliwa kwa mtoto?", 0),
        ("Mon enfant a de la fièvre, est-ce le paludisme ?", 1),
        ("वृद्धावस्था पेंशन कैसे मिलती है?", 2),
    ];
    for (question, wanted) in questions {
        let query = embedder.query(question).unwrap();
        let nearest = (0..passages.len())
            .max_by(|a, b| query.cosine(&passages[*a]).total_cmp(&query.cosine(&passages[*b])));
        assert_eq!(nearest, Some(wanted), "{question}");
    }
}

#[test]
fn any_text_has_an_embedding() {
    let embedder = MODELS.embedder();
    for text in
        ["", " ", "\u{0}\u{7}\u{1b}[31m", "\u{fffd}\u{202e}", "👩🏽‍⚕️", "東京", "\u{10ffff}", "</s>"]
    {
        assert!(embedder.query(text).is_ok(), "{text:?}");
        assert!(embedder.passage(text, text).is_ok(), "{text:?}");
    }
}

#[test]
fn a_long_text_counts_up_to_the_limit() {
    let embedder = MODELS.embedder();
    let start = "The clinic opens at eight. ".repeat(60);
    let long = embedder.passage("Hours", &format!("{start}{}", "goats and cows ".repeat(9_000)));
    assert_eq!(long.unwrap(), embedder.passage("Hours", &start).unwrap());
    assert!(embedder.query(&"ក".repeat(100_000)).is_ok());
}

#[test]
fn threads_share_one_embedder() {
    let embedder = MODELS.embedder();
    let questions = ["Where is the clinic?", "Kliniki iko wapi?", "Où est la clinique ?"];
    let alone = questions.map(|question| embedder.query(question).unwrap());
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..4)
            .map(|_| scope.spawn(|| questions.map(|question| embedder.query(question).unwrap())))
            .collect();
        for worker in workers {
            assert_eq!(worker.join().unwrap(), alone);
        }
    });
}

#[test]
fn the_hash_names_what_a_vector_depends_on() {
    let usual = MODELS.embedder().model_hash();
    let limits = Limits { query_tokens: 32, ..Limits::default() };
    let same = Models::open_with(&folder(), limits).unwrap();
    assert_eq!(same.embedder().model_hash(), usual);
    let limits = Limits { passage_tokens: 64, ..Limits::default() };
    let other = Models::open_with(&folder(), limits).unwrap();
    assert_ne!(other.embedder().model_hash(), usual);
}
