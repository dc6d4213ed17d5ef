//! The routes over a real socket.

#![allow(clippy::unwrap_used, reason = "a broken server should fail loudly")]

use std::collections::BTreeMap;

use jibu_types::Language;
use jibu_web::{AskError, Asked, Citation, Health, Question, Site};

#[derive(Clone)]
struct Echo;

impl Site for Echo {
    async fn ask(&self, question: Question) -> Result<Asked, AskError> {
        if question.text == "busy" {
            return Err(AskError::TryAgain("the index is being replaced".into()));
        }
        Ok(Asked {
            answer: question.text.clone(),
            kind: "found".into(),
            pages: vec![question.text],
            language: question.language.unwrap_or(Language::EN),
            citations: vec![Citation {
                collection: "health".into(),
                passage: 7,
                title: "Water <safe>".into(),
                score: 0.9,
                document: "water.md".into(),
                source_url: None,
                date: Some("2026-11-22".into()),
                text: "Wash hands. Boil water.".into(),
                marks: vec![0..4, 12..23],
            }],
            index_version: BTreeMap::new(),
            timings_ms: BTreeMap::new(),
        })
    }

    fn health(&self) -> Health {
        Health { ok: false, parts: [("modem".into(), "not found".into())].into() }
    }

    fn metrics(&self) -> String {
        "jibu_questions_total 1\n".into()
    }

    fn status(&self) -> serde_json::Value {
        serde_json::json!({ "version": "test" })
    }

    fn languages(&self) -> Vec<Language> {
        vec![Language::EN, Language::SW]
    }
}

/// Serves on a free port and gives its address.
fn serve() -> String {
    let (tell, told) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        tokio::runtime::Runtime::new().unwrap().block_on(async move {
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
            tell.send(listener.local_addr().unwrap().to_string()).unwrap();
            axum::serve(listener, jibu_web::router(Echo)).await.unwrap();
        });
    });
    format!("http://{}", told.recv().unwrap())
}

/// The status and the body, whatever the status.
fn get(url: &str) -> (u16, String) {
    let agent: ureq::Agent =
        ureq::Agent::config_builder().http_status_as_error(false).build().into();
    let mut response = agent.get(url).call().unwrap();
    (response.status().as_u16(), response.body_mut().read_to_string().unwrap())
}

#[test]
fn a_question_is_answered_as_json_and_as_a_page() {
    let base = serve();
    let (status, body) = get(&format!("{base}/api/ask?question=boil%20water&lang=sw"));
    assert_eq!(status, 200);
    let asked: Asked = serde_json::from_str(&body).unwrap();
    assert_eq!((asked.answer.as_str(), asked.language), ("boil water", Language::SW));

    let (status, page) = get(&format!("{base}/?question=%3Cscript%3E"));
    assert_eq!(status, 200);
    assert!(page.contains("<mark>Boil water.</mark>"), "{page}");
    assert!(page.contains("Water &lt;safe&gt;"));
    assert!(!page.contains("<script"), "what was asked is text, not markup");
}

#[test]
fn what_is_wrong_with_a_request_is_said_in_a_sentence() {
    let base = serve();
    for (query, status, word) in [
        ("", 400, "question"),
        ("?question=a&lang=x", 400, "language"),
        ("?question=a&channel=pigeon", 400, "pigeon"),
        ("?question=busy", 503, "being replaced"),
    ] {
        let (got, body) = get(&format!("{base}/api/ask{query}"));
        assert_eq!(got, status, "{query}");
        assert!(body.contains(word), "{query}: {body}");
    }
}

#[test]
fn health_metrics_and_status_come_from_the_site() {
    let base = serve();
    let (status, body) = get(&format!("{base}/healthz"));
    assert_eq!(status, 503);
    assert!(body.contains("not found"));
    assert_eq!(get(&format!("{base}/metrics")), (200, "jibu_questions_total 1\n".into()));
    assert!(get(&format!("{base}/api/status")).1.contains("version"));
}

#[test]
fn the_page_loads_nothing_from_elsewhere() {
    let base = serve();
    let (_, page) = get(&base);
    assert!(!page.contains("http://") && !page.contains("https://"), "{page}");
    assert!(get(&format!("{base}/kiosk.css")).1.contains("mark"));
}
