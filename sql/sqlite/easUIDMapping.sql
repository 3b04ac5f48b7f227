-- The journal: what a device asked for on top of a SyncKey and Open-Xchange has confirmed. A device that repeats its
-- request after a lost answer gets the recorded outcome, and no second object appears.
CREATE TABLE IF NOT EXISTS easUIDMapping (
    cid INTEGER NOT NULL,
    usmSessionId INTEGER NOT NULL,
    ObjectID TEXT NOT NULL,
    SyncKey INTEGER NOT NULL,
    operation BLOB NOT NULL,
    outcome BLOB NOT NULL,
    created INTEGER NOT NULL, -- milliseconds since 1970
    PRIMARY KEY (cid, usmSessionId, ObjectID, SyncKey, operation)
) STRICT;
CREATE INDEX IF NOT EXISTS easUIDMapping_created ON easUIDMapping (created);
