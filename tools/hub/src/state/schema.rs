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
    "
CREATE TABLE site (
    name TEXT PRIMARY KEY,
    added_ms INTEGER NOT NULL,
    -- What the present invitation's code is made from, with the hub's key; until
    -- when it is good; and the key that has used it.
    salt BLOB,
    invited_until_ms INTEGER,
    claimed BLOB,
    -- The key that it signs with, and the one before, which holds until the site
    -- first signs with the present one.
    public_key BLOB,
    old_key BLOB,
    certified_until_ms INTEGER,
    revoked_ms INTEGER,
    -- JSON arrays. No languages: all of them.
    member_of TEXT NOT NULL,
    languages TEXT NOT NULL,
    -- What its link is said to bring, what a megabyte costs in thousandths, and
    -- how much an update may bring.
    rate_kbit INTEGER,
    price_per_mb INTEGER,
    budget_kb INTEGER,
    -- Whether it may tell questions that had no answer.
    tells_unanswered INTEGER NOT NULL DEFAULT 0,
    -- Of its last state.
    counter INTEGER NOT NULL DEFAULT 0,
    online INTEGER NOT NULL DEFAULT 0,
    done INTEGER NOT NULL DEFAULT 0,
    rate INTEGER,
    heard_ms INTEGER
) STRICT, WITHOUT ROWID;

CREATE TABLE certificate (
    serial BLOB PRIMARY KEY,
    site TEXT NOT NULL REFERENCES site (name),
    until_ms INTEGER NOT NULL,
    revoked_ms INTEGER
) STRICT, WITHOUT ROWID;

-- What sites last said of their collections.
CREATE TABLE report (
    site TEXT NOT NULL REFERENCES site (name),
    collection TEXT NOT NULL,
    epoch INTEGER,
    version INTEGER,
    -- The short hash of the active root, sixteen digits.
    root TEXT,
    newest_epoch INTEGER,
    newest_version INTEGER,
    missing INTEGER NOT NULL,
    spent INTEGER NOT NULL,
    stall INTEGER NOT NULL,
    expired INTEGER NOT NULL,
    PRIMARY KEY (site, collection)
) STRICT, WITHOUT ROWID;

-- The groups that may read a collection. None: every site.
CREATE TABLE entitlement (
    collection TEXT NOT NULL REFERENCES collection (name),
    member_of TEXT NOT NULL,
    PRIMARY KEY (collection, member_of)
) STRICT, WITHOUT ROWID;
",
    "
-- Up to which record each stream of a site is here.
CREATE TABLE told (
    site TEXT NOT NULL REFERENCES site (name),
    stream TEXT NOT NULL,
    through INTEGER NOT NULL,
    PRIMARY KEY (site, stream)
) STRICT, WITHOUT ROWID;

-- Health and usage, as they came.
CREATE TABLE telemetry (
    id INTEGER PRIMARY KEY,
    site TEXT NOT NULL REFERENCES site (name),
    stream TEXT NOT NULL,
    taken_ms INTEGER NOT NULL,
    record BLOB NOT NULL
) STRICT;
CREATE INDEX telemetry_site ON telemetry (site, stream, taken_ms);

-- Questions that had no answer, and those for a person.
CREATE TABLE question (
    id INTEGER PRIMARY KEY,
    site TEXT NOT NULL REFERENCES site (name),
    stream TEXT NOT NULL,
    taken_ms INTEGER NOT NULL,
    language TEXT NOT NULL,
    text TEXT NOT NULL,
    -- Whom a reply names; the pseudonym where nobody waits for one.
    whose BLOB NOT NULL,
    answered_ms INTEGER,
    answer TEXT,
    -- Where the answer was put for the next who asks.
    collection TEXT
) STRICT;

-- What a site has not yet said to have carried out.
CREATE TABLE command (
    site TEXT NOT NULL REFERENCES site (name),
    number INTEGER NOT NULL,
    command BLOB NOT NULL,
    PRIMARY KEY (site, number)
) STRICT, WITHOUT ROWID;

-- What one worker does for all, and until when the others leave it to it.
CREATE TABLE lease (
    task TEXT PRIMARY KEY,
    worker TEXT NOT NULL,
    until_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- When a worker last sent each chunk.
CREATE TABLE sent (
    topic TEXT PRIMARY KEY,
    at_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
",
];

/// The version of the present tables.
pub(super) const VERSION: i64 = STEPS.len() as i64;

/// The steps from `version` on. `None` when a later program made the tables.
pub(super) fn after(version: i64) -> Option<&'static [&'static str]> {
    usize::try_from(version).ok().and_then(|version| STEPS.get(version..))
}
