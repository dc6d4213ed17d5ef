//! What the box keeps on its disk, in two SQLite files.
//!
//! [`StateStore`] is `state.db`: the message spool, the audit trail, the floors
//! of the index versions and how far the hub is followed. Every save is on the disk before it returns.
//! [`ContentStore`] is `content.db`: passages, their full-text indexes and
//! their vectors, and the objects that they came as, which can be fetched again. Two files, so that a corrupt
//! index never takes a message with it.
//!
//! Nothing is decided here: `core/spool` says which rows change, `core/answer`
//! what a hit is worth, `core/sync` which bundle is genuine.

mod content;
mod database;
mod error;
mod state;

pub use content::{
    ContentReader, ContentStore, Edition, EditionId, EditionInfo, EditionState, Fetched,
    FieldWeights, Finding, GoldenQuery, MAX_TERMS, MAX_TRIGRAMS, ModelHash, Objects, Outline,
    Scope, Snapshot,
};
pub use error::{ErrorKind, StoreError};
pub use state::{
    AnswerView, Asker, AuditEntry, Counts, Followed, MessageFilter, MessageView, PartView,
    StateReader, StateStore,
};
