//! The tables of `hub.db`, and how an older one becomes the present one.

use rusqlite::Connection;

/// Each step brings the tables from one version (`user_version`) to the next.
/// A published step is never edited.
const STEPS: &[&str] = &["
CREATE TABLE hub (
    -- Raised when the hub begins anew without its old database.
    epoch INTEGER NOT NULL
) STRICT;

CREATE TABLE collection (
    name TEXT PRIMARY KEY
) STRICT, WITHOUT ROWID;

CREATE TABLE document (
    id INTEGER PRIMARY KEY,
    collection TEXT NOT NULL REFERENCES collection (name),
    -- Its name in the collection: the path below the folder that was ingested.
    path TEXT NOT NULL,
    -- That folder.
    source TEXT NOT NULL,
    title TEXT NOT NULL,
    language TEXT NOT NULL,
    source_url TEXT,
    date TEXT,
    licence TEXT,
    reviewed TEXT,
    UNIQUE (collection, path)
) STRICT;

CREATE TABLE passage (
    document INTEGER NOT NULL REFERENCES document (id) ON DELETE CASCADE,
    position INTEGER NOT NULL,
    -- The headings above it, a JSON array.
    section TEXT NOT NULL,
    text TEXT NOT NULL,
    PRIMARY KEY (document, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE golden (
    collection TEXT NOT NULL REFERENCES collection (name),
    source TEXT NOT NULL,
    position INTEGER NOT NULL,
    question TEXT NOT NULL,
    language TEXT NOT NULL,
    document TEXT NOT NULL,
    PRIMARY KEY (collection, source, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE release (
    collection TEXT NOT NULL REFERENCES collection (name),
    epoch INTEGER NOT NULL,
    version INTEGER NOT NULL,
    -- The signed root as it travels.
    root BLOB NOT NULL,
    -- The whole file, byte for byte; NULL for old releases.
    bundle BLOB,
    PRIMARY KEY (collection, epoch, version)
) STRICT;
"];

/// The version of the present tables.
pub(crate) const VERSION: usize = STEPS.len();

/// Brings the tables up to date. `Ok(false)` when a later program made them.
pub(crate) fn migrate(connection: &mut Connection) -> rusqlite::Result<bool> {
    let transaction = connection.transaction()?;
    let version: i64 = transaction.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    let Some(steps) = usize::try_from(version).ok().and_then(|version| STEPS.get(version..)) else {
        return Ok(false);
    };
    for step in steps {
        transaction.execute_batch(step)?;
    }
    transaction.pragma_update(None, "user_version", VERSION as i64)?;
    transaction.commit()?;
    Ok(true)
}
