use std::path::PathBuf;
use std::sync::Arc;

use jibud::library::Engine;

use super::{Mode, ask};
use crate::beir::{Document, Question};
use crate::index::Index;

/// By words alone a question in a language of no document finds one only where the
/// daemon says its words in English.
#[test]
fn words_alone_find_what_was_asked_in_another_language() {
    let models = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../models"));
    let engine = Arc::new(Engine::open(&models).unwrap());
    let documents: Vec<Document> = [
        ("fever", "A boy with a fever must drink. Bring him to the clinic on the second day."),
        ("tuberculosis", "Tuberculosis spreads through the air when somebody coughs."),
        ("maize", "Dry the maize in the sun, then keep it off the ground."),
    ]
    .map(|(id, text)| Document { id: id.into(), title: String::new(), text: text.into() })
    .into();
    let folder = tempfile::tempdir().unwrap();
    let embedder = engine.models().embedder();
    let index = Index::of(folder.path(), &documents, embedder, 1, |_| {}).unwrap();

    // "My boy has a fever" in Hausa, "does tuberculosis spread?" in Greek.
    let asked =
        [("fever", "Yaro na yana da zazzabi"), ("tuberculosis", "Η φυματίωση μεταδίδεται;")];
    let questions = asked.map(|(id, text)| Question { id: id.into(), text: text.into() });
    let found = ask(&engine, &index, &questions, Mode::Lexical, 3, 1).unwrap();
    for (question, found) in questions.iter().zip(found) {
        assert_eq!(found.ranking.first().map(|(id, _)| id), Some(&question.id), "{question:?}");
    }
}
