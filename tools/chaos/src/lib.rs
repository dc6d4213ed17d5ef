//! The whole SMS side of a site in one process and in virtual time: simulated
//! modems, the real driver, codec, spool and store, a trivial answerer. Everything
//! goes wrong that can, and the network's own account is the judge.
//!
//! The same seed gives the same run. See `README.md` beside the crate.

mod fuse;
mod ledger;
mod line;
mod people;
mod site;
mod sky;
mod sms;
mod table;
mod words;
mod world;

pub use fuse::Moment;
pub use ledger::Verdict;
pub use people::Kind;
pub use sky::Sky;
pub use words::{Serial, question};
pub use world::{Plan, Report, World, is_fresh};
