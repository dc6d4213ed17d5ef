//! The box's own web server: the kiosk page, the question API, health and metrics.
//!
//! It shows and asks; what the answer is, and whether the box is well, comes
//! from the [`Site`] that `daemon/jibud` gives it. Every page works without
//! scripts and without anything from another server, because there is none.

mod kiosk;
mod labels;
pub mod ussd;

use std::collections::BTreeMap;
use std::future::Future;
use std::ops::Range;

use axum::extract::{DefaultBodyLimit, Query, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use jibu_types::{Channel, Language};
use serde::{Deserialize, Serialize};

/// A question as it comes by HTTP.
#[derive(Debug, Clone)]
pub struct Question {
    /// What was asked.
    pub text: String,
    /// The language that the asker chose, if any.
    pub language: Option<Language>,
    /// The channel to fit the answer to.
    pub channel: Channel,
}

/// An answer in the form of the command and HTTP contracts.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Asked {
    /// The answer in one piece.
    pub answer: String,
    /// `found`, `choose`, `unknown`, `urgent`, or the command that was obeyed.
    pub kind: String,
    /// The answer fitted to the channel.
    pub pages: Vec<String>,
    /// The language answered in.
    pub language: Language,
    /// What the answer rests on, best first.
    pub citations: Vec<Citation>,
    /// The version of the index that was asked, `epoch.version`, by collection.
    pub index_version: BTreeMap<String, String>,
    /// Milliseconds by step.
    pub timings_ms: BTreeMap<String, f64>,
}

/// A passage that an answer rests on.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Citation {
    /// The collection.
    pub collection: String,
    /// The passage's number on this box.
    pub passage: i64,
    /// Title and section path.
    pub title: String,
    /// The probability that the passage answers the question, 0 to 1.
    pub score: f64,
    /// The document within the collection.
    pub document: String,
    /// Where the document can be read in full.
    pub source_url: Option<String>,
    /// The day that the document speaks for.
    pub date: Option<String>,
    /// The passage's own words.
    pub text: String,
    /// The byte ranges of `text` that answer.
    pub marks: Vec<Range<usize>>,
}

/// Why a question could not be worked on.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    /// Another try may work, for example while an index is being replaced.
    #[error("the question could not be worked on now: {0}")]
    TryAgain(String),
}

/// Whether the box is well: a line for each thing that was looked at.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Health {
    /// Whether it can do its work.
    pub ok: bool,
    /// `"modem gsm": "registered"` and so on.
    pub parts: BTreeMap<String, String>,
}

/// What stands behind the web pages.
pub trait Site: Clone + Send + Sync + 'static {
    /// Answers one question. Nothing of the question is kept.
    fn ask(&self, question: Question) -> impl Future<Output = Result<Asked, AskError>> + Send;
    /// Whether the box is well.
    fn health(&self) -> Health;
    /// The metrics in Prometheus' text format 0.0.4.
    fn metrics(&self) -> String;
    /// What the daemon says of itself.
    fn status(&self) -> serde_json::Value;
    /// The languages to offer, the default one first.
    fn languages(&self) -> Vec<Language>;
}

/// The box's routes.
pub fn router<S: Site>(site: S) -> Router {
    Router::new()
        .route("/", get(kiosk::page::<S>))
        .route("/kiosk.css", get(kiosk::style))
        .route("/api/ask", get(ask_by_query::<S>).post(ask_by_body::<S>))
        .route("/api/status", get(status::<S>))
        .route("/healthz", get(health::<S>))
        .route("/metrics", get(metrics::<S>))
        .layer(DefaultBodyLimit::max(64 * 1024))
        .layer(axum::middleware::map_response(harden))
        .with_state(site)
}

/// Pages may load nothing from elsewhere and be framed by nobody.
async fn harden(mut response: Response) -> Response {
    const HEADERS: [(HeaderName, &str); 3] = [
        (
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; \
             frame-ancestors 'none'",
        ),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
    ];
    for (name, value) in HEADERS {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

/// The parameters of `/api/ask` and of the kiosk page, all optional so that what
/// is missing is named in a sentence.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Asking {
    #[serde(alias = "q", alias = "text")]
    question: String,
    #[serde(alias = "lang")]
    language: String,
    channel: String,
}

impl Asking {
    fn question(self) -> Result<Question, String> {
        let language = match self.language.as_str() {
            "" => None,
            subtag => Some(Language::parse(subtag).map_err(|error| error.to_string())?),
        };
        let channel = match self.channel.as_str() {
            "" => Channel::Kiosk,
            name => name.parse()?,
        };
        if self.question.is_empty() {
            return Err("\"question\" is missing (an example: /api/ask?question=fever)".into());
        }
        Ok(Question { text: self.question, language, channel })
    }
}

async fn ask_by_query<S: Site>(State(site): State<S>, Query(asking): Query<Asking>) -> Response {
    answer(&site, asking).await
}

async fn ask_by_body<S: Site>(State(site): State<S>, Json(asking): Json<Asking>) -> Response {
    answer(&site, asking).await
}

async fn answer<S: Site>(site: &S, asking: Asking) -> Response {
    let question = match asking.question() {
        Ok(question) => question,
        Err(sentence) => return refusal(StatusCode::BAD_REQUEST, &sentence),
    };
    match site.ask(question).await {
        Ok(asked) => Json(asked).into_response(),
        Err(error) => refusal(StatusCode::SERVICE_UNAVAILABLE, &error.to_string()),
    }
}

fn refusal(status: StatusCode, sentence: &str) -> Response {
    (status, Json(serde_json::json!({ "error": sentence }))).into_response()
}

async fn health<S: Site>(State(site): State<S>) -> Response {
    let health = site.health();
    let status = if health.ok { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(health)).into_response()
}

async fn metrics<S: Site>(State(site): State<S>) -> Response {
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], site.metrics()).into_response()
}

async fn status<S: Site>(State(site): State<S>) -> Response {
    Json(site.status()).into_response()
}
