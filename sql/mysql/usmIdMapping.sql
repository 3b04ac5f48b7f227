-- The short number a device knows a folder by, and the folder's id at Open-Xchange. Such an id can be longer than an
-- index allows, so its SHA-256 digest is what makes it unique.
CREATE TABLE IF NOT EXISTS usmIdMapping (
    cid INT UNSIGNED NOT NULL,
    usmSessionId INT UNSIGNED NOT NULL,
    ShortID INT UNSIGNED NOT NULL,
    digest BINARY(32) NOT NULL,
    LongID MEDIUMBLOB NOT NULL,
    PRIMARY KEY (cid, usmSessionId, ShortID),
    UNIQUE KEY digest (cid, usmSessionId, digest)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
