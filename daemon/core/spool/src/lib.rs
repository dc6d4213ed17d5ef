//! The spool: received → answered → sent, nothing lost and nothing answered twice.
//!
//! (being written)

mod rows;

pub use rows::*;
