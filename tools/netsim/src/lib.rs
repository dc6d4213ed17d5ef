//! A deterministic simulator of index sync: the real peers of `jibu-sync`, a
//! broker, and sites on bad links, in virtual time. The same seed gives the same
//! world to the last byte.
//!
//! It stands in for what lies between and around the peers: links with rates,
//! delays, losses and outages; boxes that lose power between any two steps; a
//! broker that may lie. What must always hold is asserted as it runs: nothing is
//! staged but what the hub signed and published, whole, and never an older
//! version than the active one.

pub mod hostile;
pub mod link;
pub mod scenario;
pub mod text;
pub mod world;

pub use link::{LinkModel, Traffic};
pub use world::{Setting, World};
