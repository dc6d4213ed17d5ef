//! Opening a file: settings, checks and migrations, the same for both files.

use std::path::Path;
use std::sync::Once;
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OpenFlags, Transaction, TransactionBehavior};

use crate::StoreError;
use crate::error::Doing;

/// How long a statement waits for another connection's lock.
const PATIENCE: Duration = Duration::from_secs(5);

/// One of the two files.
pub(crate) struct Schema {
    /// What the file is called in sentences.
    pub(crate) name: &'static str,
    /// `PRAGMA application_id`, by which the two are told apart.
    pub(crate) application_id: i32,
    /// What brings version n to n + 1, at place n.
    pub(crate) migrations: &'static [&'static str],
    /// Settings of a writing connection.
    pub(crate) writer: &'static str,
    /// Settings of a reading connection.
    pub(crate) reader: &'static str,
    /// What a person can do when the file is damaged.
    pub(crate) remedy: &'static str,
}

impl Schema {
    fn newest(&self) -> i64 {
        i64::try_from(self.migrations.len()).unwrap_or(i64::MAX)
    }

    /// Opens the file for writing, makes it when there is none, checks it and
    /// brings it to the newest version.
    pub(crate) fn open(&self, path: &Path) -> Result<Connection, StoreError> {
        register_sqlite_vec();
        let mut connection =
            Connection::open(path).map_err(|source| self.unopened(path, source))?;
        let ready = connection
            .busy_timeout(PATIENCE)
            .and_then(|()| connection.execute_batch(self.writer))
            .and_then(|()| quick_check(&connection));
        match ready {
            Ok(None) => {}
            Ok(Some(found)) => return Err(self.damaged(path, found)),
            Err(source) => return Err(self.unopened(path, source)),
        }
        self.migrate(&mut connection, path)?;
        Ok(connection)
    }

    /// Opens the file for reading only, beside the writer.
    pub(crate) fn open_read_only(&self, path: &Path) -> Result<Connection, StoreError> {
        register_sqlite_vec();
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(path, flags)
            .map_err(|source| self.unopened(path, source))?;
        let found = connection
            .busy_timeout(PATIENCE)
            .and_then(|()| connection.execute_batch(self.reader))
            .and_then(|()| version(&connection))
            .map_err(|source| self.unopened(path, source))?;
        self.recognise(&connection, path, found)?;
        if found < self.newest() {
            let (path, known) = (path.to_owned(), self.newest());
            return Err(StoreError::Older { path, found, known });
        }
        Ok(connection)
    }

    fn migrate(&self, connection: &mut Connection, path: &Path) -> Result<(), StoreError> {
        loop {
            let found = version(connection).map_err(|source| self.unopened(path, source))?;
            self.recognise(connection, path, found)?;
            let step = usize::try_from(found).ok().and_then(|n| self.migrations.get(n));
            let Some(step) = step else { return Ok(()) };
            let migrated = (|| {
                let transaction =
                    connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
                // Another process may have been faster; then the loop looks again.
                if version(&transaction)? == found {
                    transaction.execute_batch(step)?;
                    transaction.pragma_update(None, "application_id", self.application_id)?;
                    transaction.pragma_update(None, "user_version", found + 1)?;
                }
                transaction.commit()
            })();
            migrated.map_err(|source| StoreError::Migrate {
                path: path.to_owned(),
                to: found + 1,
                source,
            })?;
        }
    }

    /// Refuses a file of another kind, and one from a newer program.
    fn recognise(
        &self,
        connection: &Connection,
        path: &Path,
        found: i64,
    ) -> Result<(), StoreError> {
        let id: i32 = connection
            .pragma_query_value(None, "application_id", |row| row.get(0))
            .map_err(|source| self.unopened(path, source))?;
        let tables: i64 = connection
            .query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))
            .map_err(|source| self.unopened(path, source))?;
        if id != self.application_id && (found != 0 || tables != 0) {
            return Err(StoreError::Foreign { path: path.to_owned(), name: self.name });
        }
        if found > self.newest() {
            return Err(StoreError::Newer { path: path.to_owned(), found, known: self.newest() });
        }
        Ok(())
    }

    fn unopened(&self, path: &Path, source: rusqlite::Error) -> StoreError {
        match source.sqlite_error_code() {
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
                self.damaged(path, source.to_string())
            }
            _ => StoreError::Open { path: path.to_owned(), source },
        }
    }

    fn damaged(&self, path: &Path, found: String) -> StoreError {
        StoreError::Damaged { path: path.to_owned(), found, remedy: self.remedy }
    }
}

fn version(connection: &Connection) -> rusqlite::Result<i64> {
    connection.pragma_query_value(None, "user_version", |row| row.get(0))
}

/// Does the work in one transaction: all of it or nothing.
pub(crate) fn in_transaction<T>(
    connection: &mut Connection,
    doing: &'static str,
    work: impl FnOnce(&Connection) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    let transaction = begin(connection).doing(doing)?;
    let value = work(&transaction)?;
    transaction.commit().doing(doing)?;
    Ok(value)
}

/// Begins a transaction that writes. One that is dropped without a commit is
/// rolled back.
pub(crate) fn begin(connection: &mut Connection) -> rusqlite::Result<Transaction<'_>> {
    settle(connection)?;
    connection.transaction_with_behavior(TransactionBehavior::Immediate)
}

/// Undoes a transaction that could not be rolled back when it failed.
pub(crate) fn settle(connection: &Connection) -> rusqlite::Result<()> {
    if connection.is_autocommit() { Ok(()) } else { connection.execute_batch("ROLLBACK") }
}

/// The first thing that SQLite's `quick_check` finds, if any.
pub(crate) fn quick_check(connection: &Connection) -> rusqlite::Result<Option<String>> {
    let found: String = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
    Ok((found != "ok").then_some(found))
}

/// Makes the `vec0` virtual table known to every connection opened from now on.
#[allow(unsafe_code)]
fn register_sqlite_vec() {
    type Entry = unsafe extern "C" fn(
        *mut rusqlite::ffi::sqlite3,
        *mut *mut std::ffi::c_char,
        *const rusqlite::ffi::sqlite3_api_routines,
    ) -> std::ffi::c_int;
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // SAFETY: the crate declares its entry point without parameters, but the
        // C source defines it with exactly these three (sqlite-vec.h), which is
        // what SQLite calls. `Once` keeps it from being registered twice. It
        // fails only when memory runs out, and then `vec0` is reported missing
        // by the first statement that wants it.
        unsafe {
            let entry: Entry = std::mem::transmute(sqlite_vec::sqlite3_vec_init as *const ());
            rusqlite::ffi::sqlite3_auto_extension(Some(entry));
        }
    });
}

#[cfg(test)]
mod tests;
