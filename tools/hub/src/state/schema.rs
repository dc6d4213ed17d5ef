//! The hub's tables, and how older ones become the present ones.

/// Each step brings the tables from one version to the next, in SQLite's words
/// (`postgres.rs` has PostgreSQL's). A published step is never edited.
const STEPS: &[&str] = &[
    "
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
",
    "
-- The manifest of the content that this release was rolled back from: while
-- the documents are those, there is nothing new to publish.
ALTER TABLE release ADD COLUMN instead_of BLOB;

-- Raised with everything that running workers must look at.
ALTER TABLE hub ADD COLUMN changes INTEGER NOT NULL DEFAULT 0;

-- The highest version above this hub's own that a site has reported: the hub
-- was restored from an old backup, or another has its key.
CREATE TABLE behind (
    collection TEXT PRIMARY KEY,
    epoch INTEGER NOT NULL,
    version INTEGER NOT NULL,
    site TEXT NOT NULL
) STRICT, WITHOUT ROWID;
",
];

/// The version of the present tables.
pub(super) const VERSION: i64 = STEPS.len() as i64;

/// The steps from `version` on. `None` when a later program made the tables.
pub(super) fn after(version: i64) -> Option<&'static [&'static str]> {
    usize::try_from(version).ok().and_then(|version| STEPS.get(version..))
}
