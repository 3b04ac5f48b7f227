-- The journal: what a device asked for on top of a SyncKey and Open-Xchange has confirmed. A device that repeats its
-- request after a lost answer gets the recorded outcome, and no second object appears.
CREATE TABLE IF NOT EXISTS easUIDMapping (
    cid INT UNSIGNED NOT NULL,
    usmSessionId INT UNSIGNED NOT NULL,
    ObjectID VARBINARY(128) NOT NULL,
    SyncKey BIGINT UNSIGNED NOT NULL,
    operation VARBINARY(64) NOT NULL,
    outcome MEDIUMBLOB NOT NULL,
    created BIGINT NOT NULL, -- milliseconds since 1970
    PRIMARY KEY (cid, usmSessionId, ObjectID, SyncKey, operation),
    KEY created (created)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
