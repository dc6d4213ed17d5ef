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
//! The objects are the same ones that travel over MQTT; only the envelope
//! differs. The bytes are described in `FORMAT.md` beside this crate.
//!
//! Nothing here reads a file, a clock or random numbers. Choosing when to
//! publish is the hub's matter; storing and activating is the site's.

mod base32;
pub mod bundle;
mod content;
mod cut;
mod fuzz;
mod hash;
mod key;
mod manifest;
mod pack;
mod root;
mod segment;
mod snapshot;

pub use bundle::{Bundle, BundleError, BundleErrorKind};
pub use content::{Body, Content, Document, GoldenQuery};
#[doc(hidden)]
pub use fuzz::fuzz_decoders;
pub use hash::Hash;
pub use key::{HubKey, KeyError, PublicKey};
pub use manifest::MAX_PAGE_ENTRIES;
pub use pack::{MAX_PACKED_BYTES, MAX_RAW_BYTES, ObjectError, Packed, Packing};
pub use root::{Admission, Root, RootError, SignedRoot, TooOld, admissible};
pub use segment::MAX_PASSAGE_BYTES;
pub use snapshot::{Object, ObjectKind, Snapshot, SnapshotError};
