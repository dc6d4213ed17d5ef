-- One row for every message that came in, by whatever channel.
-- AUTOINCREMENT keeps the highest id ever given when old rows are pruned.
CREATE TABLE message (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    channel TEXT NOT NULL,
    modem TEXT NOT NULL,
    sender TEXT,
    received_at INTEGER NOT NULL,
    state TEXT NOT NULL,
    ignore_reason TEXT,
    answered_at INTEGER,
    answer_kind TEXT,
    answer_language TEXT,
    answer_details TEXT
) STRICT;
CREATE INDEX message_open ON message (id) WHERE state IN ('gathering', 'received');
CREATE INDEX message_by_state ON message (state);
CREATE INDEX message_by_arrival ON message (received_at);
CREATE INDEX message_by_answer ON message (answered_at) WHERE answered_at IS NOT NULL;

CREATE TABLE segment (
    id INTEGER PRIMARY KEY,
    message INTEGER NOT NULL REFERENCES message (id) ON DELETE CASCADE,
    address TEXT NOT NULL,
    sent_at INTEGER NOT NULL,
    tpdu_hash BLOB NOT NULL,
    sender TEXT,
    group_reference INTEGER,
    group_wide INTEGER,
    group_total INTEGER,
    group_part INTEGER,
    pdu BLOB NOT NULL,
    -- When it was last read from a modem, by the box's clock.
    seen_at INTEGER NOT NULL,
    UNIQUE (address, sent_at, tpdu_hash)
) STRICT;
CREATE INDEX segment_of_message ON segment (message);
CREATE INDEX segment_by_seen ON segment (seen_at);

CREATE TABLE part (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    message INTEGER NOT NULL REFERENCES message (id) ON DELETE CASCADE,
    sequence INTEGER NOT NULL,
    modem TEXT NOT NULL,
    recipient TEXT NOT NULL,
    pdu BLOB NOT NULL,
    attempts INTEGER NOT NULL,
    state TEXT NOT NULL,
    -- The state's moment: not_before, since or at.
    at INTEGER NOT NULL,
    sending_modem TEXT,
    slot_storage TEXT,
    slot_index INTEGER,
    reference INTEGER,
    why TEXT,
    UNIQUE (message, sequence)
) STRICT;
CREATE INDEX part_by_state ON part (state, at);

CREATE TABLE conversation (
    number TEXT PRIMARY KEY,
    at INTEGER NOT NULL,
    state TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- Each row's chain value covers the row and the chain value before it.
CREATE TABLE audit (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at INTEGER NOT NULL,
    event TEXT NOT NULL,
    details TEXT NOT NULL,
    chain BLOB NOT NULL
) STRICT;
CREATE INDEX audit_by_event ON audit (event, at);
CREATE TRIGGER audit_keeps_its_rows BEFORE DELETE ON audit
BEGIN SELECT RAISE(ABORT, 'the audit trail only grows'); END;
CREATE TRIGGER audit_keeps_its_words BEFORE UPDATE ON audit
BEGIN SELECT RAISE(ABORT, 'the audit trail only grows'); END;

-- The highest index version accepted of each collection.
CREATE TABLE floor (
    collection TEXT PRIMARY KEY,
    epoch INTEGER NOT NULL,
    version INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE setting (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- How many saves there were: by it a save is known to be in the file when its
-- COMMIT came through and yet reported an error.
CREATE TABLE save_count (
    only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
    saves INTEGER NOT NULL
) STRICT;
INSERT INTO save_count VALUES (1, 0);
