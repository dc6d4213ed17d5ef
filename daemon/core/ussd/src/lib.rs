//! USSD sessions: language → topic → question → the answer, a page at a time.
//!
//! One session core behind both doors. A gateway calls back with everything that
//! was entered so far, joined by `*`; a modem's `+CUSD: 1` brings each entry
//! alone. Either way a request gets exactly one [`Output::Show`].
//!
//! The keys mean the same on every page: 1 to 7 choose, 9 is the next page, 8
//! sends the answer by SMS, 0 goes back. Words are a question wherever they are
//! written. Somebody whose session dropped and who dials again within
//! [`Config::resume_within`] finds the page where it was.
//!
//! What an answer is, `jibu-answer` knows; what a `+CUSD` line is, `jibu-gsm`;
//! `daemon/jibud` brings them together. Nothing here is kept over a restart: a
//! gateway's next request tells everything again.

mod airtime;
mod page;
mod session;
mod sessions;
mod words;

use std::fmt;
use std::time::Duration;

use jibu_types::{Language, PhoneNumber};

pub use airtime::{
    Airtime, AirtimeConfig, AirtimeInput, AirtimeOutput, Balance, BalancePattern,
    BalancePatternError,
};
pub use page::Limits;
pub use sessions::Sessions;

/// What an installation may set.
#[derive(Debug, Clone)]
pub struct Config {
    /// Above the languages.
    pub service_name: String,
    /// The languages to choose from, the default one first.
    pub languages: Vec<Language>,
    /// What can be chosen instead of writing; a language without topics asks for
    /// the question at once.
    pub topics: Vec<Topic>,
    /// How much a page holds.
    pub limits: Limits,
    /// For how long a session that dropped, or in which nothing was entered,
    /// goes on where it was.
    pub resume_within: Duration,
    /// After how long somebody who waits for an answer is shown that it is
    /// looked for. Gateways give up after about ten seconds.
    pub answer_wait: Duration,
    /// Whether answers may be sent by SMS; they cost airtime.
    pub sms: bool,
    /// The most sessions that are remembered at a time.
    pub most_sessions: usize,
}

impl Config {
    /// The usual settings for these languages.
    pub fn new(languages: Vec<Language>, limits: Limits) -> Self {
        Config {
            service_name: "Jibu".into(),
            languages,
            topics: Vec::new(),
            limits,
            resume_within: Duration::from_secs(10 * 60),
            answer_wait: Duration::from_secs(6),
            sms: true,
            most_sessions: 1000,
        }
    }
}

/// A topic of the menu in one language.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Topic {
    /// The language of its title and questions.
    pub language: Language,
    /// As it stands in the menu.
    pub title: String,
    /// Questions to choose from; with none, the question is to be written.
    pub questions: Vec<String>,
}

/// One request that waits for a page. Whoever drives the sessions gives each a
/// number of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Exchange(pub u64);

/// A question that was asked in a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct QuestionId(pub u64);

/// By which way a session comes.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Line {
    /// A gateway's session, by the gateway's own name for it.
    Gateway(String),
    /// The one session that a modem can have at a time, by the modem's name.
    Modem(String),
}

/// What was entered.
#[derive(Clone, PartialEq, Eq)]
pub enum Heard {
    /// Everything since the session began, joined by `*`; empty at first.
    History(String),
    /// The last entry alone. What opens a session is no entry.
    Entry(String),
}

impl fmt::Debug for Heard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Heard::History(text) => write!(f, "History({} bytes)", text.len()),
            Heard::Entry(text) => write!(f, "Entry({} bytes)", text.len()),
        }
    }
}

/// What was found for a question.
#[derive(Clone, PartialEq, Eq)]
pub enum Reply {
    /// A text, whole: the answer with its source, or that nothing is known.
    Text {
        /// The text. It is cut into pages here.
        text: String,
        /// What goes by SMS in its place, where each part is paid; the text itself
        /// where not said.
        brief: Option<String>,
        /// The language of the words around it.
        language: Language,
    },
    /// Several things may be meant. What is chosen comes as the next question,
    /// by its number from 1, with the conversation of this reply.
    Choose {
        /// What to choose from.
        labels: Vec<String>,
        /// The language of the words around them.
        language: Language,
    },
    /// Nothing could be looked up.
    Failed,
}

impl fmt::Debug for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Reply::Text { text, language, .. } => {
                write!(f, "Text({} bytes, {language})", text.len())
            }
            Reply::Choose { labels, language } => write!(f, "Choose({}, {language})", labels.len()),
            Reply::Failed => f.write_str("Failed"),
        }
    }
}

/// Something happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// Somebody dialled or entered something, and waits for a page.
    Request {
        /// Which page answers it.
        exchange: Exchange,
        /// Where it came from.
        line: Line,
        /// Who it is, where that is known. Nobody else's session is ever shown,
        /// so without a number nothing goes on after a drop.
        caller: Option<PhoneNumber>,
        /// What was entered.
        heard: Heard,
    },
    /// An answer was found. Every [`Output::Ask`] wants one.
    Answered {
        /// To which question.
        question: QuestionId,
        /// What.
        reply: Reply,
        /// The conversation's new state, handed back with the next question.
        conversation: Option<String>,
    },
    /// The network ended a session.
    Dropped {
        /// Which.
        line: Line,
    },
    /// Time has passed.
    Tick,
}

/// What to do. `Debug` shows lengths in place of texts.
#[derive(Clone, PartialEq, Eq)]
pub enum Output {
    /// Answer a request.
    Show {
        /// Which.
        exchange: Exchange,
        /// Within the limits.
        page: String,
        /// Whether the session ends with it (`END`) or goes on (`CON`).
        ends: bool,
    },
    /// Find an answer; [`Input::Answered`] brings it.
    Ask {
        /// Which question.
        question: QuestionId,
        /// Its words, or a number chosen from the last [`Reply::Choose`].
        text: String,
        /// The topic under which it was asked.
        topic: Option<String>,
        /// The language that was chosen; to be identified where none was.
        language: Option<Language>,
        /// The state that came with the last answer of this session.
        conversation: Option<String>,
    },
    /// Send a whole answer by SMS, as its reader chose.
    Sms {
        /// To whom.
        to: PhoneNumber,
        /// The answer.
        text: String,
        /// The language of the session.
        language: Option<Language>,
    },
}

impl fmt::Debug for Output {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Output::Show { exchange, page, ends } => {
                write!(f, "Show({}, {} bytes, ends: {ends})", exchange.0, page.len())
            }
            Output::Ask { question, text, language, .. } => {
                write!(f, "Ask({}, {} bytes, {language:?})", question.0, text.len())
            }
            Output::Sms { to, text, .. } => write!(f, "Sms({to}, {} bytes)", text.len()),
        }
    }
}
