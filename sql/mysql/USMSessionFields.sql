-- What is remembered of a device for good: its policy key, its name, its sticky choices. Text in UTF-8.
CREATE TABLE IF NOT EXISTS USMSessionFields (
    cid INT UNSIGNED NOT NULL,
    usmSessionId INT UNSIGNED NOT NULL,
    field VARBINARY(64) NOT NULL,
    value MEDIUMBLOB NOT NULL,
    PRIMARY KEY (cid, usmSessionId, field)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
