-- The last short number given to a folder of a device. It only grows: a number once used never means another folder.
CREATE TABLE IF NOT EXISTS usmIdSequenceTable (
    cid INT UNSIGNED NOT NULL,
    usmSessionId INT UNSIGNED NOT NULL,
    id INT UNSIGNED NOT NULL,
    PRIMARY KEY (cid, usmSessionId)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
