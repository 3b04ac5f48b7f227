-- The devices of a context: one row for a user's device and the protocol it speaks.
-- Names and ids are VARBINARY in all our tables: they differ by case and by trailing blanks, which no collation keeps.
-- `cid` comes first everywhere, so that Open-Xchange finds and removes the rows of a context that is deleted or moved.
CREATE TABLE IF NOT EXISTS USMSession (
    cid INT UNSIGNED NOT NULL,
    usmSessionId INT UNSIGNED NOT NULL,
    id INT UNSIGNED NOT NULL, -- the user
    protocol VARBINARY(32) NOT NULL,
    device VARBINARY(255) NOT NULL,
    PRIMARY KEY (cid, usmSessionId),
    UNIQUE KEY device (cid, id, protocol, device)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
