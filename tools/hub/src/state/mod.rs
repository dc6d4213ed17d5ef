//! Where the hub keeps what it knows: SQLite's `hub.db` in its folder, or a
//! PostgreSQL database that several workers share.
//!
//! Both are one trait, [`Database`], and are asked in the same words: SQL that
//! both understand, with `?1`, `?2` … for values. What differs between them is
//! inside the two implementations: how values travel, how a transaction begins,
//! and what the tables' columns are called. `tests/state.rs` holds both to the
//! same promises.

mod postgres;
mod schema;
mod sqlite;
mod value;

use std::error::Error;
use std::fmt::Debug;

pub use self::postgres::Postgres;
pub use self::sqlite::Sqlite;
pub use self::value::{FromValue, Row, Value};

/// A connection to the hub's state.
pub trait Database: Debug + Send {
    /// The rows of one statement, in a transaction of its own.
    ///
    /// # Errors
    /// See [`DatabaseError`].
    fn query(&mut self, sql: &str, values: &[Value]) -> Result<Vec<Row>, DatabaseError>;

    /// Begins to write. While a transaction is open every other connection
    /// waits in its `begin`, ten seconds at most: writers stand in a row, so
    /// that what one has read holds until it commits. Dropping the transaction
    /// undoes it.
    ///
    /// # Errors
    /// See [`DatabaseError`].
    fn begin(&mut self) -> Result<Box<dyn Transaction + '_>, DatabaseError>;

    /// Another connection to the same state.
    ///
    /// # Errors
    /// See [`DatabaseError`].
    fn another(&self) -> Result<Box<dyn Database>, DatabaseError>;
}

/// What is written as a whole or not at all.
pub trait Transaction {
    /// The rows of a statement.
    ///
    /// # Errors
    /// See [`DatabaseError`].
    fn query(&mut self, sql: &str, values: &[Value]) -> Result<Vec<Row>, DatabaseError>;

    /// Carries a statement out; how many rows it touched.
    ///
    /// # Errors
    /// See [`DatabaseError`].
    fn execute(&mut self, sql: &str, values: &[Value]) -> Result<u64, DatabaseError>;

    /// Keeps what was written.
    ///
    /// # Errors
    /// See [`DatabaseError`]; then nothing was written, but for a PostgreSQL
    /// whose connection broke: there nobody can tell.
    fn commit(self: Box<Self>) -> Result<(), DatabaseError>;
}

/// Why the state could not be read or written, and what to do.
#[derive(Debug, thiserror::Error)]
pub enum DatabaseError {
    /// SQLite failed.
    #[error("hub.db: look at the disk's free space and the file's permissions")]
    Sqlite(#[source] rusqlite::Error),
    /// PostgreSQL failed.
    #[error("PostgreSQL: look whether it runs, and at [state] postgres in hub.toml and its log")]
    Postgres(#[source] Box<dyn Error + Send + Sync>),
    /// Another writer kept the state for too long.
    #[error("another jibu-hub has been writing for long: try again when it is done")]
    Busy(#[source] Box<dyn Error + Send + Sync>),
    /// A row that this program did not write.
    #[error("a row cannot be read ({0}): restore the database from its backup")]
    Damaged(&'static str),
    /// A later program's tables.
    #[error("it was made by a later jibu-hub: update this one")]
    Later,
}

/// Values for the places of a statement.
macro_rules! values {
    ($($value:expr),* $(,)?) => { &[$($crate::state::Value::from($value)),*] };
}
pub(crate) use values;
