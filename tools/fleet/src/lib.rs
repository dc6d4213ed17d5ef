//! Sites in numbers: the peers of `jibu-sync` on real connections to a real
//! broker, with their objects in memory and nobody who asks them anything. They
//! stand for boxes where a test wants several and a measurement thousands.
//!
//! ```text
//! Invitation ──enrol──▶ Enrolled ──start──▶ Member ◀─▶ jibu-mqtt ◀─▶ broker
//!                                             │ seen(): sessions, versions, replies
//! ```

pub mod text;

mod enrol;
mod member;
mod shelf;

pub use enrol::{Enrolled, enlist, enrol};
pub use member::{Member, Pace, Seen, start, watch};
pub use shelf::Pool;
