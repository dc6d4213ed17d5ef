//! `content.db`: passages, their full-text indexes and their vectors.
//!
//! A collection comes in editions. An edition is staged beside the active one,
//! embedded, tried, and becomes active in one transaction; the one before it
//! stays for a way back. Editions share the passages that they have in common,
//! so a version that changes 1 % of a collection adds 1 % to the file.
//!
//! BM25's corpus statistics are taken over all passages in the file, those of
//! staged and previous editions included; what a search gives is of its
//! [`Scope`] alone.

mod edition;
mod passage;
mod query;
mod search;
mod shelf;
mod verify;

use std::ops::Deref;
use std::path::Path;

use jibu_types::{CollectionName, IndexVersion, Timestamp};
use rusqlite::Connection;
use serde::Serialize;

pub use query::{MAX_TERMS, MAX_TRIGRAMS};
pub use search::{FieldWeights, Outline, Scope, Snapshot};
pub use shelf::{Fetched, Objects};
pub use verify::Finding;

use crate::StoreError;
use crate::database::Schema;

pub(crate) const SCHEMA: Schema = Schema {
    name: "content.db",
    application_id: 0x4A_42_43_31,
    migrations: &[include_str!("001.sql"), include_str!("002.sql"), include_str!("003.sql")],
    // NORMAL: a power cut may undo the last transactions, never half of one.
    writer: "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = ON;
             PRAGMA cache_size = -8192; PRAGMA temp_store = MEMORY;
             PRAGMA journal_size_limit = 4194304;",
    reader: "PRAGMA query_only = ON; PRAGMA cache_size = -8192; PRAGMA temp_store = MEMORY;",
    remedy: "Stop jibud, delete content.db, content.db-wal and content.db-shm, and import the \
             last bundle again (`jibud index import`): nothing in them is the only copy",
};

/// An edition's row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct EditionId(pub i64);

/// The hash of an embedder's artefacts: which model a vector comes from.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ModelHash(pub [u8; 32]);

impl std::fmt::Display for ModelHash {
    /// The first eight bytes in hexadecimal digits.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.iter().take(8).try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl std::fmt::Debug for ModelHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ModelHash({self})")
    }
}

impl Serialize for ModelHash {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer
            .serialize_str(&self.0.iter().map(|byte| format!("{byte:02x}")).collect::<String>())
    }
}

/// A question with the document that must answer it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct GoldenQuery {
    /// The question.
    pub question: String,
    /// [`Passage::document`](jibu_types::Passage::document) of the answer.
    pub document: String,
}

/// What is known of an edition before its passages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EditionInfo {
    /// Of which collection.
    pub collection: CollectionName,
    /// Which version of it.
    pub version: IndexVersion,
    /// The model that its passages are to be embedded with.
    pub model_hash: ModelHash,
    /// What it must be able to answer before it becomes active.
    pub golden: Vec<GoldenQuery>,
    /// Its root as the hub signed it; none for one that came from no hub.
    pub root: Option<Vec<u8>>,
}

/// Where an edition stands. A collection has at most one in each state but
/// `Failed`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum EditionState {
    /// Being embedded or tried.
    Staged,
    /// Answered from.
    Active,
    /// Kept for a way back.
    Previous,
    /// Refused; its passages are gone.
    Failed,
}

impl EditionState {
    fn as_sql(self) -> &'static str {
        match self {
            EditionState::Staged => "staged",
            EditionState::Active => "active",
            EditionState::Previous => "previous",
            EditionState::Failed => "failed",
        }
    }

    fn from_sql(text: &str) -> Option<Self> {
        [Self::Staged, Self::Active, Self::Previous, Self::Failed]
            .into_iter()
            .find(|state| state.as_sql() == text)
    }
}

/// A version of a collection, as it stands in the file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Edition {
    /// The row.
    pub id: EditionId,
    /// Of which collection.
    pub collection: CollectionName,
    /// Which version of it.
    pub version: IndexVersion,
    /// The model of its vectors.
    pub model_hash: ModelHash,
    /// Where it stands.
    pub state: EditionState,
    /// When it last became active.
    pub activated_at: Option<Timestamp>,
    /// Why it was refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure: Option<String>,
    /// How many passages it has.
    pub passages: u64,
    /// How many of them lack an embedding.
    pub missing: u64,
}

/// The writer of `content.db`; there is one in a running box.
#[derive(Debug)]
pub struct ContentStore {
    reader: ContentReader,
}

/// A connection that searches. Several may be open, one a thread.
///
/// Each call sees one state of the file. Calls that belong together, such as
/// the searches for one question, go through one [`ContentReader::snapshot`].
#[derive(Debug)]
pub struct ContentReader {
    connection: Connection,
}

impl Deref for ContentStore {
    type Target = ContentReader;

    fn deref(&self) -> &ContentReader {
        &self.reader
    }
}

impl ContentStore {
    /// Opens the file, makes it when there is none, checks it and brings an
    /// older one to the newest schema version.
    ///
    /// # Errors
    /// When it cannot be opened, is damaged, is something else's, or was
    /// written by a newer program. It is left as it was.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, StoreError> {
        let connection = SCHEMA.open(path.as_ref())?;
        connection.set_prepared_statement_cache_capacity(64);
        Ok(ContentStore { reader: ContentReader { connection } })
    }
}

impl ContentReader {
    /// Opens the file beside its writer.
    ///
    /// # Errors
    /// When there is no file yet, it is damaged, or of another version than
    /// this program's.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, StoreError> {
        let connection = SCHEMA.open_read_only(path.as_ref())?;
        connection.set_prepared_statement_cache_capacity(64);
        Ok(ContentReader { connection })
    }
}

#[cfg(test)]
mod tests;
