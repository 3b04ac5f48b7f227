-- The devices of a context: one row for a user's device and the protocol it speaks.
CREATE TABLE IF NOT EXISTS USMSession (
    cid INTEGER NOT NULL,
    usmSessionId INTEGER NOT NULL,
    id INTEGER NOT NULL, -- the user
    protocol TEXT NOT NULL,
    device TEXT NOT NULL,
    PRIMARY KEY (cid, usmSessionId),
    UNIQUE (cid, id, protocol, device)
) STRICT;
