-- How far a collection is followed at the hub.
CREATE TABLE followed (
    collection TEXT PRIMARY KEY,
    -- The highest signed root that was seen.
    newest BLOB,
    -- The highest version that was given up.
    refused_epoch INTEGER,
    refused_version INTEGER,
    -- Bytes that the present update may cost over its budget.
    allowed INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;
