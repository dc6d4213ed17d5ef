-- What the hub is to be told and has not acknowledged, by stream and number.
CREATE TABLE telemetry (
    stream INTEGER NOT NULL,
    number INTEGER NOT NULL,
    record BLOB NOT NULL,
    PRIMARY KEY (stream, number)
) STRICT, WITHOUT ROWID;

-- The highest number of each stream that is dropped.
CREATE TABLE told (
    stream INTEGER PRIMARY KEY,
    through INTEGER NOT NULL
) STRICT;

-- Whom the hub calls by a token: whoever wished for a person.
CREATE TABLE asker (
    token BLOB PRIMARY KEY,
    number TEXT NOT NULL,
    language TEXT NOT NULL,
    at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
