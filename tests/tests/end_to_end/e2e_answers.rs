//! The starter collection's own questions: those that it answers, and those
//! that nobody should get an answer to from it.

use std::path::Path;

use jibu_tests::{Stage, root};
use serde_json::Value;

use crate::e2e_kiosk::{get, wait_for_kiosk};

/// Of the golden questions so many in a hundred must get the right document's
/// words, or find it in the menu.
const HELPED: usize = 65;
/// Of the golden questions no more than so many may get another document's words.
const MISLED: usize = 10;
/// Of the questions that the collection does not answer no more than so many may
/// get words from it.
const GUESSED: usize = 20;

/// The tables of a file of questions.
fn questions(file: &Path, table: &str) -> Vec<toml::Table> {
    let text = std::fs::read_to_string(file).unwrap();
    let tables = text.parse::<toml::Table>().unwrap()[table].as_array().unwrap().clone();
    tables.into_iter().map(|entry| entry.as_table().unwrap().clone()).collect()
}

fn ask(base: &str, question: &str) -> Value {
    let url: String = question
        .bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => char::from(byte).to_string(),
            other => format!("%{other:02X}"),
        })
        .collect();
    serde_json::from_str(&get(&format!("{base}/api/ask?channel=sms&question={url}"))).unwrap()
}

#[test]
fn what_the_documents_answer_is_answered_and_the_rest_is_not_guessed() {
    let starter = root().join("tools/hub/starter");
    let stage = Stage::new(None).unwrap();
    let bundle = stage.bundle("starter", &starter).unwrap();
    stage.configure("").unwrap();
    stage.import(&bundle).unwrap();
    let mut daemon = stage.daemon().unwrap();
    let base = format!("http://127.0.0.1:{}", stage.port);
    wait_for_kiosk(&base, &mut daemon);

    let golden = questions(&starter.join("golden.toml"), "golden");
    let (mut helped, mut misled) = (0, 0);
    for entry in &golden {
        let asked = ask(&base, entry["question"].as_str().unwrap());
        let wanted = entry["document"].as_str().unwrap();
        let documents: Vec<&str> = asked["citations"]
            .as_array()
            .unwrap()
            .iter()
            .filter_map(|citation| citation["document"].as_str())
            .collect();
        match asked["kind"].as_str().unwrap() {
            "found" | "urgent" if documents.first() == Some(&wanted) => helped += 1,
            "choose" if documents.contains(&wanted) => helped += 1,
            "found" => misled += 1,
            _ => {}
        }
    }
    let unanswerable = questions(&starter.join("questions.toml"), "unanswerable");
    let guessed = unanswerable
        .iter()
        .filter(|entry| ask(&base, entry["question"].as_str().unwrap())["kind"] == "found")
        .count();
    println!(
        "of {} golden questions {helped} helped, {misled} misled; of {} that have no answer {guessed} \
         were answered",
        golden.len(),
        unanswerable.len()
    );
    assert!(100 * helped >= HELPED * golden.len());
    assert!(100 * misled <= MISLED * golden.len());
    assert!(100 * guessed <= GUESSED * unanswerable.len());

    // A passage's own words, and nothing else, stand behind an answer.
    let asked = ask(&base, "How long must I boil water?");
    assert_eq!(asked["kind"], "found", "{asked}");
    let words = asked["answer"].as_str().unwrap();
    let passage = asked["citations"][0]["text"].as_str().unwrap();
    assert!(passage.replace('\n', " ").contains(words), "{words} / {passage}");

    // Who speaks a language of no document finds the English one: "my boy has a
    // fever" in Hausa, "does tuberculosis spread?" in Greek.
    for (question, wanted) in [
        ("Yaro na yana da zazzabi", "health/en/fever.md"),
        ("Η φυματίωση μεταδίδεται;", "health/en/tuberculosis.md"),
    ] {
        let asked = ask(&base, question);
        assert_eq!(asked["citations"][0]["document"], wanted, "{question}: {asked}");
    }
}

#[test]
fn odd_questions_get_a_plain_reply() {
    let stage = crate::stage();
    let mut daemon = stage.daemon().unwrap();
    let base = format!("http://127.0.0.1:{}", stage.port);
    wait_for_kiosk(&base, &mut daemon);
    let long = "fever ".repeat(900);
    for question in [
        " ",
        "a",
        "🙂🙂",
        "\u{0}\u{7}\u{1b}[31m",
        "???",
        &long,
        "' OR 1=1 --",
        "NEAR(\"",
        "水が飲みたい",
        "homa fever fièvre ሙቀት",
    ] {
        let asked = ask(&base, question);
        assert!(
            !asked["pages"][0].as_str().unwrap_or_default().is_empty(),
            "{question:?}: {asked}"
        );
        assert!(asked["timings_ms"]["total"].as_f64().unwrap() < 10_000.0, "{asked}");
    }
    assert!(daemon.ended().unwrap().is_none());
}
