-- The short number a device knows a folder by, and the folder's id at Open-Xchange with its SHA-256 digest.
CREATE TABLE IF NOT EXISTS usmIdMapping (
    cid INTEGER NOT NULL,
    usmSessionId INTEGER NOT NULL,
    ShortID INTEGER NOT NULL,
    digest BLOB NOT NULL,
    LongID TEXT NOT NULL,
    PRIMARY KEY (cid, usmSessionId, ShortID),
    UNIQUE (cid, usmSessionId, digest)
) STRICT;
