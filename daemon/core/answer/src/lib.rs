//! Decides what to answer, and in which words.
//!
//! From a person's text to the pages that go back, without touching a model, an
//! index or a clock: those who call bring hits, cosines, passages and the time.
//!
//! The way of a message:
//!
//! 1. [`Conversation::receive`] tells commands from questions. A question comes
//!    out as [`Step::Search`] with its language settled, the courtesies around it
//!    gone and its words ready.
//! 2. [`spelling::restore`] puts misspelt words right, by the index's own words and
//!    a lexicon; [`gloss::in_english`] says in English what no passage says in the asker's
//!    language, and [`letters::in_latin`] writes it in Latin letters where no passage
//!    has the asker's. The caller searches; [`rank`] puts what was found into one order with
//!    probabilities; [`decide()`] chooses between an answer, a menu and nothing.
//! 3. [`Decision::into_answer`] makes an [`Answer`] of it; [`excerpt()`] picks the
//!    sentences, with the span that a reader found or the cosines of
//!    [`sentences()`], where a model gives them.
//! 4. [`Conversation::answer`] composes the pages within a [`Budget`] and
//!    remembers what MORE, WHY and a number will mean. The conversation is then
//!    stored with the reply, as JSON.
//!
//! A kiosk needs no conversation: it shows [`marked`] pieces of the passage.

mod answer;
mod compose;
mod conversation;
mod courtesy;
mod cut;
mod danger;
mod decide;
mod excerpt;
pub mod gloss;
mod identify;
mod intent;
mod languages;
pub mod letters;
mod query;
pub mod rank;
pub mod sentences;
pub mod spelling;
pub mod text;
mod voice;

pub use answer::{Answer, Citation, EmergencyLine, Grounded, Topic};
pub use compose::{Budget, Medium, Piece, Words, marked};
pub use conversation::{
    ANSWER_LIFE, Conversation, Identifier, MENU_LIFE, Reply, ReplyKind, Site, Step,
};
pub use danger::{Danger, danger};
pub use decide::{Candidate, Decision, MENU_TOPICS, Thresholds, decide};
pub use excerpt::excerpt;
pub use identify::{CONFIDENT, Identified, LanguageModel, LanguageModelError, settle};
pub use intent::{Heard, Intent, intent};
pub use query::Query;
pub use rank::Ranked;
pub use sentences::sentences;
pub use text::normalise;
