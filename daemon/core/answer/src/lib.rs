//! Decides what to answer, and in which words.
//!
//! From a person's text to the pages that go back, without touching a model, an
//! index or a clock: those who call bring hits, cosines, passages and the time.

mod answer;
mod compose;
mod conversation;
mod cut;
mod danger;
mod decide;
mod excerpt;
mod identify;
mod intent;
mod languages;
mod query;
pub mod rank;
pub mod sentences;
pub mod text;

pub use answer::{Answer, Citation, EmergencyLine, Grounded, Topic};
pub use compose::{Budget, Piece, marked};
pub use conversation::{
    ANSWER_LIFE, Conversation, Identifier, MENU_LIFE, Reply, ReplyKind, Site, Step,
};
pub use danger::{Danger, danger};
pub use decide::{Candidate, Decision, MENU_TOPICS, Thresholds, decide};
pub use excerpt::excerpt;
pub use identify::{CONFIDENT, Identified, identify, settle};
pub use intent::{Heard, Intent, intent};
pub use query::Query;
pub use rank::Ranked;
pub use sentences::sentences;
pub use text::normalise;
