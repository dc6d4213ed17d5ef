//! Versions of the index: how they come, from a stick or from the hub, and how
//! they become the one that answers.
//!
//! ```text
//! bundle ──import──┐
//!                  ├──▶ Follower (jibu-sync's site peer and the stores) ──▶ trial ──▶ flip
//! crate::hub ──────┘
//! ```

pub mod follower;
pub mod import;
mod trial;

pub use trial::{Golden, Trial};
