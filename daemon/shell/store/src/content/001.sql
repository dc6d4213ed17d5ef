-- A version of a collection. Times are milliseconds since 1970.
CREATE TABLE edition (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    collection TEXT NOT NULL,
    epoch INTEGER NOT NULL,
    version INTEGER NOT NULL,
    model BLOB NOT NULL,
    -- Over the sorted hashes of its passages.
    digest BLOB NOT NULL,
    state TEXT NOT NULL,
    activated_at INTEGER,
    failure TEXT
) STRICT;
CREATE UNIQUE INDEX edition_one_of_a_state ON edition (collection, state) WHERE state <> 'failed';

-- Passages are immutable. One that is embedded by two models is two rows, so
-- that a search never compares vectors of different models. AUTOINCREMENT
-- keeps an id that was seen before a flip from naming something else after it.
CREATE TABLE passage (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    model BLOB NOT NULL,
    hash BLOB NOT NULL,
    collection TEXT NOT NULL,
    document TEXT NOT NULL,
    title TEXT NOT NULL,
    -- A JSON array.
    section TEXT NOT NULL,
    language TEXT NOT NULL,
    source_url TEXT,
    date TEXT,
    text TEXT NOT NULL,
    -- Whether `vector` has its row.
    embedded INTEGER NOT NULL DEFAULT 0,
    UNIQUE (model, hash)
) STRICT;
CREATE INDEX passage_without_vector ON passage (id) WHERE embedded = 0;

CREATE TABLE membership (
    edition INTEGER NOT NULL REFERENCES edition (id) ON DELETE CASCADE,
    passage INTEGER NOT NULL REFERENCES passage (id),
    PRIMARY KEY (edition, passage)
) STRICT, WITHOUT ROWID;
CREATE INDEX membership_of_passage ON membership (passage);

-- Questions with the document that must answer them.
CREATE TABLE golden (
    edition INTEGER NOT NULL REFERENCES edition (id) ON DELETE CASCADE,
    place INTEGER NOT NULL,
    question TEXT NOT NULL,
    document TEXT NOT NULL,
    PRIMARY KEY (edition, place)
) STRICT, WITHOUT ROWID;

-- Contentless: the text stands in `passage` alone. BM25 needs positions, so
-- the detail stays full.
CREATE VIRTUAL TABLE word USING fts5 (
    heading, body, content = '', contentless_delete = 1,
    tokenize = "unicode61 remove_diacritics 2"
);
CREATE VIRTUAL TABLE trigram USING fts5 (
    heading, body, content = '', contentless_delete = 1,
    tokenize = "trigram case_sensitive 0 remove_diacritics 1"
);

-- In how many passages a trigram stands: which ones are worth looking up.
-- Written when passages are added.
CREATE VIRTUAL TABLE trigram_vocabulary USING fts5vocab (trigram, row);
CREATE TABLE trigram_count (
    trigram TEXT PRIMARY KEY,
    passages INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- sqlite-vec frees a chunk only when it is empty, so chunks are small.
CREATE VIRTUAL TABLE vector USING vec0 (
    passage INTEGER PRIMARY KEY,
    embedding int8[384] distance_metric=cosine,
    chunk_size=128
);
