//! What a hub publishes and a site checks: a collection cut into immutable
//! objects, a manifest that names them, a signed root that names the manifest,
//! and the bundle file that carries all of it on a stick.
//!
//! ```text
//! Content ──Snapshot::build──▶ objects + manifest ──Root, HubKey──▶ SignedRoot
//!                                    └──────── bundle::write ◀────────┘
//! bytes ──bundle::read(&PublicKey)──▶ Bundle (everything verified) ──▶ Passage…
//! ```
//!
//! Over a link the same objects travel in messages between two peers, which
//! know nothing of sockets:
//!
//! ```text
//! Release ──▶ hub::Hub ──root, delta, chunks──▶ site::Site ──Save, Stage, Activate──▶
//!                  ◀──────requests, state───────┘
//! ```
//!
//! `FORMAT.md` beside this crate has the objects' bytes and the bundle's,
//! `WIRE.md` the messages'.
//!
//! Nothing here reads a file, a clock or random numbers. Choosing when to
//! publish is the hub's matter; storing and activating is the site's.

mod base32;
pub mod bundle;
pub mod command;
mod content;
mod cut;
mod edition;
pub mod enrol;
mod fuzz;
mod hash;
pub mod hub;
mod key;
mod manifest;
mod pack;
mod past;
mod regroup;
mod release;
mod root;
mod segment;
pub mod site;
mod site_key;
mod snapshot;
pub mod telemetry;
mod tree;
pub mod wire;

pub use bundle::{Bundle, BundleError, BundleErrorKind};
pub use content::{Body, Content, Document, GoldenQuery};
pub use edition::{Edition, EditionError, Shelf};
#[doc(hidden)]
pub use fuzz::fuzz_decoders;
pub use hash::{Hash, ShortHash};
pub use key::{HubKey, KeyError, PublicKey};
pub use manifest::MAX_PAGE_ENTRIES;
pub use pack::{MAX_PACKED_BYTES, MAX_RAW_BYTES, ObjectError, Packed, Packing};
pub use release::Release;
pub use root::{Admission, Root, RootError, SignedRoot, TooOld, admissible};
pub use segment::MAX_PASSAGE_BYTES;
pub use site_key::{SiteKey, SitePublicKey};
pub use snapshot::{Object, ObjectKind, Snapshot, SnapshotError};
