-- The signed root of an edition, where it came with one.
ALTER TABLE edition ADD COLUMN root BLOB;

-- What the sync protocol has fetched, by the hash of its bytes. What is lost here
-- is fetched again.
CREATE TABLE object (
    collection TEXT NOT NULL,
    name BLOB NOT NULL,
    raw BLOB NOT NULL,
    PRIMARY KEY (collection, name)
) STRICT;

-- Items that wait for the object that they are packed on.
CREATE TABLE parked (
    collection TEXT NOT NULL,
    name BLOB NOT NULL,
    parcel BLOB NOT NULL,
    PRIMARY KEY (collection, name)
) STRICT;

-- Bytes that the present update has cost.
CREATE TABLE spent (
    collection TEXT PRIMARY KEY,
    bytes INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
