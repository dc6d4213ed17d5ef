//! Measures what the daemon does, with files that other programs write and
//! score: BEIR in, TREC runs out; SQuAD in, predictions out.
//!
//! The searches, the embedder, the ranker and the reader are the daemon's own, so that a
//! figure is about what a person would have been told. [`openness`] checks what
//! the models come with.

pub mod answers;
pub mod beir;
pub mod index;
pub mod openness;
mod parallel;
pub mod retrieval;
pub mod trec;
