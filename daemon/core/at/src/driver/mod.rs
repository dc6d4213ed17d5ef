//! The modem procedure: what is said to a modem, and what its answers mean.

mod api;

pub use api::*;
