use std::path::PathBuf;

use jibu_spool::MessageId;
use jibu_types::{CollectionName, IndexVersion};
use rusqlite::ErrorCode;

use crate::{EditionId, ModelHash};

/// What the caller can do about an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// Somebody else held the file, or the work was interrupted: at once again.
    TryAgain,
    /// The disk is full or not answering: later, when a person or time has helped.
    TryLater,
    /// It will fail in the same way again.
    GiveUp,
}

/// Why a store did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The file cannot be opened.
    #[error("{path} cannot be opened{}", opening(source))]
    Open {
        /// The file.
        path: PathBuf,
        /// What SQLite says.
        source: rusqlite::Error,
    },
    /// The file is no database, or fails its check.
    #[error("{path} is damaged ({found}). {remedy}")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// The first thing that the check found.
        found: String,
        /// What a person can do.
        remedy: &'static str,
    },
    /// The file is a database of something else.
    #[error("{path} is a database, but not a {name}; give the path of the right file")]
    Foreign {
        /// The file.
        path: PathBuf,
        /// What it should have been: `state.db` or `content.db`.
        name: &'static str,
    },
    /// A newer program wrote the file.
    #[error(
        "{path} has schema version {found}, and this program knows up to {known}; \
         install the newer jibud again"
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: i64,
        /// The newest version that this program knows.
        known: i64,
    },
    /// The file was made by an older program, and this reader may not change it.
    #[error("{path} has schema version {found} and {known} is wanted; start `jibud run` once")]
    Older {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: i64,
        /// The version that is wanted.
        known: i64,
    },
    /// An older file could not be brought up to date. It is as it was.
    #[error("{path} cannot be brought to schema version {to}")]
    Migrate {
        /// The file.
        path: PathBuf,
        /// The version that could not be reached.
        to: i64,
        /// What SQLite says.
        source: rusqlite::Error,
    },
    /// A statement failed. Nothing of its transaction is kept.
    #[error("could not {doing}{}", advice(source))]
    Statement {
        /// What was being done, as a verb: `save the spool's changes`.
        doing: &'static str,
        /// What SQLite says.
        source: rusqlite::Error,
    },
    /// A row holds something that this program never writes.
    #[error("{table} {row} cannot be read: {found}")]
    Row {
        /// The table.
        table: &'static str,
        /// The row's id.
        row: i64,
        /// What is wrong with it; never a person's words.
        found: String,
    },
    /// A change names a row that is not there.
    #[error("there is no {table} {row} to change")]
    NoRow {
        /// The table.
        table: &'static str,
        /// The row's id.
        row: i64,
    },
    /// A segment is kept already, so the save would make a second message of it.
    #[error("the segment is kept already, in message {}", kept_in.0)]
    SegmentKnown {
        /// The message that has it.
        kept_in: MessageId,
    },
    /// An index version below the highest one seen.
    #[error("{collection} {wanted} is older than {floor}, which this box has accepted already")]
    BelowFloor {
        /// The collection.
        collection: CollectionName,
        /// The highest version accepted so far.
        floor: IndexVersion,
        /// The version that was offered.
        wanted: IndexVersion,
    },
    /// The audit trail was changed from outside.
    #[error("the audit trail does not fit together at entry {entry}: it was changed from outside")]
    AuditBroken {
        /// The first entry whose chain value is wrong.
        entry: i64,
    },
    /// There is no such edition.
    #[error("there is no edition {}", .0.0)]
    NoEdition(EditionId),
    /// The edition is not one that waits to be activated.
    #[error("edition {} of {collection} is not staged", edition.0)]
    NotStaged {
        /// The edition.
        edition: EditionId,
        /// Its collection.
        collection: CollectionName,
    },
    /// The edition lacks embeddings.
    #[error("{collection} {version} still lacks the embeddings of {missing} passages")]
    EmbeddingsMissing {
        /// Its collection.
        collection: CollectionName,
        /// Its version.
        version: IndexVersion,
        /// How many passages lack theirs.
        missing: u64,
    },
    /// The edition's vectors come from another model than the one that asks.
    #[error("{collection} {version} was embedded with model {edition}, and the box runs {running}")]
    OtherModel {
        /// Its collection.
        collection: CollectionName,
        /// Its version.
        version: IndexVersion,
        /// The model of its vectors.
        edition: ModelHash,
        /// The model that the box runs.
        running: ModelHash,
    },
    /// The collection has no earlier version.
    #[error("{0} has no earlier version to go back to")]
    NothingToRevert(CollectionName),
    /// A passage of another collection than the edition's.
    #[error("a passage of {found} cannot be part of an edition of {wanted}")]
    OtherCollection {
        /// The edition's collection.
        wanted: CollectionName,
        /// The passage's.
        found: CollectionName,
    },
    /// A vector of another width than the index has.
    #[error("an embedding has {found} components, and the index has {wanted}")]
    Width {
        /// The index's width.
        wanted: usize,
        /// The vector's.
        found: usize,
    },
}

impl StoreError {
    /// What the caller can do about it.
    pub fn kind(&self) -> ErrorKind {
        match self {
            StoreError::Open { source, .. }
            | StoreError::Migrate { source, .. }
            | StoreError::Statement { source, .. } => match source.sqlite_error_code() {
                Some(
                    ErrorCode::DatabaseBusy
                    | ErrorCode::DatabaseLocked
                    | ErrorCode::OperationInterrupted,
                ) => ErrorKind::TryAgain,
                Some(
                    ErrorCode::DiskFull
                    | ErrorCode::SystemIoFailure
                    | ErrorCode::OutOfMemory
                    | ErrorCode::CannotOpen
                    | ErrorCode::ReadOnly,
                ) => ErrorKind::TryLater,
                _ => ErrorKind::GiveUp,
            },
            StoreError::EmbeddingsMissing { .. } => ErrorKind::TryLater,
            _ => ErrorKind::GiveUp,
        }
    }
}

/// What a person can do about a file that does not open.
fn opening(source: &rusqlite::Error) -> &'static str {
    match advice(source) {
        "" => "; the folder must exist and belong to the user that jibud runs as",
        known => known,
    }
}

/// What a person can do about a statement that failed, where that is known.
fn advice(source: &rusqlite::Error) -> &'static str {
    // How SQLite says that there is no room for the index of the write-ahead log.
    const NO_ROOM_FOR_INDEX: i32 = rusqlite::ffi::SQLITE_IOERR_SHMSIZE;
    if source.sqlite_error().is_some_and(|error| error.extended_code == NO_ROOM_FOR_INDEX) {
        return ": the disk is full; make room";
    }
    match source.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => ": the disk is full; make room",
        Some(ErrorCode::SystemIoFailure) => ": the disk does not answer; look at the card",
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
            ": the file is damaged; `jibud check` says what to do"
        }
        _ => "",
    }
}

/// Says what was being done when SQLite refused.
pub(crate) trait Doing<T> {
    fn doing(self, doing: &'static str) -> Result<T, StoreError>;
}

impl<T> Doing<T> for rusqlite::Result<T> {
    fn doing(self, doing: &'static str) -> Result<T, StoreError> {
        self.map_err(|source| StoreError::Statement { doing, source })
    }
}
