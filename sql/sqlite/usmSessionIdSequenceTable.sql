-- The last number given to a device of a context. It only grows.
CREATE TABLE IF NOT EXISTS usmSessionIdSequenceTable (
    cid INTEGER NOT NULL,
    id INTEGER NOT NULL,
    PRIMARY KEY (cid)
) STRICT;
