-- The synchronisation states of a folder or of the folder hierarchy (`ObjectID`), one row a SyncKey. The largest key is
-- the newest state. What stands in `Element` is known to the synchronisation only.
CREATE TABLE IF NOT EXISTS USMDataStorage (
    cid INTEGER NOT NULL,
    usmSessionId INTEGER NOT NULL,
    ObjectID TEXT NOT NULL,
    SyncKey INTEGER NOT NULL,
    Element BLOB NOT NULL,
    PRIMARY KEY (cid, usmSessionId, ObjectID, SyncKey)
) STRICT;
