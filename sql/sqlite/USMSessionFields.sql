-- What is remembered of a device for good: its policy key, its name, its sticky choices.
CREATE TABLE IF NOT EXISTS USMSessionFields (
    cid INTEGER NOT NULL,
    usmSessionId INTEGER NOT NULL,
    field TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (cid, usmSessionId, field)
) STRICT;
