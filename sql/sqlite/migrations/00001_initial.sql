-- +goose Up

-- Marks the file as LiveLab's ("LiVL"), so that a file of another program is
-- refused before anything is written to it.
PRAGMA application_id = 0x4c69564c;

-- Times are Unix seconds of UTC, except where a column says microseconds.
-- A count or a measure that is not known is NULL.
-- Text is compared bytewise (BINARY, the default), as the stores promise.

-- What the store as a whole is: at present its origin, real or simulated.
CREATE TABLE store_meta (
    key   TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- A network that is not described yet has nothing but its ID.
CREATE TABLE networks (
    id        TEXT PRIMARY KEY,
    name      TEXT NOT NULL DEFAULT '',
    city      TEXT NOT NULL DEFAULT '',
    country   TEXT NOT NULL DEFAULT '',
    latitude  REAL,
    longitude REAL
) STRICT, WITHOUT ROWID;

-- The integer key keeps the millions of observations narrow. The unique index
-- is also the order in which the stations of a network are read.
CREATE TABLE stations (
    key        INTEGER PRIMARY KEY,
    network    TEXT NOT NULL REFERENCES networks (id),
    station_id TEXT NOT NULL,
    name       TEXT NOT NULL DEFAULT '',
    latitude   REAL,
    longitude  REAL,
    capacity   INTEGER,
    UNIQUE (network, station_id)
) STRICT;

-- One row for each change of a station: it holds until the station's next row.
-- Station comes first in the key because every question is about a station at
-- or over a time: the state as of t is one seek, a station's history one range.
-- WITHOUT ROWID stores the rows in that order, with no second copy of the key.
CREATE TABLE observations (
    station     INTEGER NOT NULL REFERENCES stations (key),
    at          INTEGER NOT NULL,
    free_bikes  INTEGER,
    empty_slots INTEGER,
    in_service  INTEGER NOT NULL CHECK (in_service IN (0, 1)),
    PRIMARY KEY (station, at)
) STRICT, WITHOUT ROWID;

-- The network summed up each time it was seen. A row also says that it was
-- seen then, which observations do not: they are only written on change.
CREATE TABLE snapshots (
    network     TEXT NOT NULL REFERENCES networks (id),
    at          INTEGER NOT NULL,
    stations    INTEGER NOT NULL,
    free_bikes  INTEGER,
    empty_slots INTEGER,
    PRIMARY KEY (network, at)
) STRICT, WITHOUT ROWID;

CREATE TABLE weather (
    network       TEXT NOT NULL REFERENCES networks (id),
    at            INTEGER NOT NULL,
    temp_2m       REAL,
    precipitation REAL,
    wind_speed_10m REAL,
    PRIMARY KEY (network, at)
) STRICT, WITHOUT ROWID;

-- Payloads as they came, byte for byte. They are large, so these tables keep
-- their rowid: the unique index then holds no payloads. It is what makes the
-- same payload be stored once.
CREATE TABLE raw_bikes (
    network    TEXT NOT NULL REFERENCES networks (id),
    fetched_at INTEGER NOT NULL, -- microseconds
    digest     BLOB NOT NULL CHECK (length(digest) = 32), -- SHA-256 of payload
    payload    TEXT NOT NULL,
    UNIQUE (network, digest)
) STRICT;

CREATE TABLE raw_weather (
    network    TEXT NOT NULL REFERENCES networks (id),
    fetched_at INTEGER NOT NULL, -- microseconds
    digest     BLOB NOT NULL CHECK (length(digest) = 32), -- SHA-256 of payload
    payload    TEXT NOT NULL,
    UNIQUE (network, digest)
) STRICT;

-- Rebuilding observations reads the payloads in the order they came.
CREATE INDEX raw_bikes_fetched ON raw_bikes (network, fetched_at);
CREATE INDEX raw_weather_fetched ON raw_weather (network, fetched_at);

-- Network has no foreign key: a client may name one that is not stored.
CREATE TABLE prediction_log (
    id            TEXT PRIMARY KEY, -- UUID, canonical form
    ts            INTEGER NOT NULL, -- microseconds
    model         TEXT NOT NULL,
    model_version TEXT NOT NULL,
    model_digest  TEXT NOT NULL,
    request_id    TEXT NOT NULL,
    network       TEXT,             -- NULL when the client gave the features
    as_of         INTEGER,          -- microseconds; NULL as network
    features      TEXT NOT NULL,    -- JSON object of numbers
    proba         REAL NOT NULL,
    y             INTEGER NOT NULL CHECK (y IN (0, 1)),
    threshold     REAL NOT NULL,
    horizon       REAL NOT NULL,    -- hours
    latency       INTEGER NOT NULL  -- nanoseconds
) STRICT;

-- The newest predictions first; the ID breaks ties, so that the order is one.
CREATE INDEX prediction_log_newest ON prediction_log (ts DESC, id DESC);
