-- The last number given to a device of a context. It only grows.
CREATE TABLE IF NOT EXISTS usmSessionIdSequenceTable (
    cid INT UNSIGNED NOT NULL,
    id INT UNSIGNED NOT NULL,
    PRIMARY KEY (cid)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
