-- +goose Up

DROP INDEX prediction_log_newest;
ALTER TABLE prediction_log RENAME TO prediction_log_by_id;

-- The rows lie in the order of their only key: (ts, id) is what makes a
-- prediction the same, and the order of the newest. They come nearly in that
-- order, so that the table grows at its end, and there is no index beside it.
-- Whoever has nothing but an ID finds the time in it: the first 48 bits of a
-- UUIDv7 are milliseconds of Unix time, taken when the prediction was logged,
-- which is at most seconds after ts.
CREATE TABLE prediction_log (
    ts            INTEGER NOT NULL, -- microseconds
    id            TEXT NOT NULL,    -- UUID, canonical form
    role          TEXT NOT NULL DEFAULT 'served' CHECK (role IN ('served', 'shadow')),
    as_of         INTEGER,          -- microseconds, time of the data used; NULL when the client gave the features
    data_age      REAL AS ((ts - as_of) / 1e6) VIRTUAL, -- seconds from as_of to ts
    latency       INTEGER NOT NULL, -- nanoseconds
    proba         REAL NOT NULL,
    y             INTEGER NOT NULL CHECK (y IN (0, 1)),
    threshold     REAL NOT NULL,
    horizon       REAL NOT NULL,    -- hours
    model         TEXT NOT NULL,
    model_version TEXT NOT NULL,
    model_digest  TEXT NOT NULL,
    request_id    TEXT NOT NULL,
    network       TEXT,             -- NULL as as_of; no foreign key: a client may name any
    station       TEXT,             -- NULL unless the prediction is about a station
    features      TEXT NOT NULL,    -- JSON object of numbers, "Infinity" and "-Infinity"
    PRIMARY KEY (ts, id)
) STRICT, WITHOUT ROWID;

INSERT INTO prediction_log (ts, id, as_of, latency, proba, y, threshold, horizon,
    model, model_version, model_digest, request_id, network, features)
SELECT ts, id, as_of, latency, proba, y, threshold, horizon,
    model, model_version, model_digest, request_id, network, features
FROM prediction_log_by_id;

DROP TABLE prediction_log_by_id;
