-- The synchronisation states of a folder or of the folder hierarchy (`ObjectID`), one row a SyncKey. The largest key is
-- the newest state. What stands in `Element` is known to the synchronisation only.
CREATE TABLE IF NOT EXISTS USMDataStorage (
    cid INT UNSIGNED NOT NULL,
    usmSessionId INT UNSIGNED NOT NULL,
    ObjectID VARBINARY(128) NOT NULL,
    SyncKey BIGINT UNSIGNED NOT NULL,
    Element LONGBLOB NOT NULL,
    PRIMARY KEY (cid, usmSessionId, ObjectID, SyncKey)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
