-- The last short number given to a folder of a device. It only grows: a number once used never means another folder.
CREATE TABLE IF NOT EXISTS usmIdSequenceTable (
    cid INTEGER NOT NULL,
    usmSessionId INTEGER NOT NULL,
    id INTEGER NOT NULL,
    PRIMARY KEY (cid, usmSessionId)
) STRICT;
