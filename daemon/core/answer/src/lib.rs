//! Decides what to answer, and in which words.
//!
//! From a person's text to the pages that go back, without touching a model, an
//! index or a clock: those who call bring hits, cosines, passages and the time.

pub mod sentences;
pub mod text;

pub use sentences::sentences;
pub use text::normalise;
