-- +goose Up

-- Times of observations, snapshots and weather are whole seconds.
-- A count or a measure that is not known is NULL.
-- IDs are COLLATE "C": the stores promise an order by bytes, on any server,
-- and only an index in that collation can give it without sorting.

-- What the store as a whole is: at present its origin, real or simulated.
CREATE TABLE store_meta (
    key   text PRIMARY KEY,
    value text NOT NULL
);

-- A network that is not described yet has nothing but its ID.
CREATE TABLE networks (
    id        text COLLATE "C" PRIMARY KEY,
    name      text NOT NULL DEFAULT '',
    city      text NOT NULL DEFAULT '',
    country   text NOT NULL DEFAULT '',
    latitude  double precision,
    longitude double precision
);

-- The integer key keeps the millions of observations narrow. The unique index
-- is also the order in which the stations of a network are read.
CREATE TABLE stations (
    key        integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    network    text COLLATE "C" NOT NULL REFERENCES networks (id),
    station_id text COLLATE "C" NOT NULL,
    name       text NOT NULL DEFAULT '',
    latitude   double precision,
    longitude  double precision,
    capacity   integer,
    UNIQUE (network, station_id)
);

-- One row for each change of a station: it holds until the station's next row.
-- Station comes first in the key because every question is about a station at
-- or over a time: the state as of t is one index probe, a station's history one
-- range. The columns are in falling order of width, which leaves no padding.
-- There is no foreign key to stations: it would look up and lock a station for
-- each of the millions of rows of an import, and the only writer takes the keys
-- from that table itself.
CREATE TABLE observations (
    at          timestamptz NOT NULL,
    station     integer NOT NULL,
    free_bikes  integer,
    empty_slots integer,
    in_service  boolean NOT NULL,
    PRIMARY KEY (station, at)
);

-- The network summed up each time it was seen. A row also says that it was
-- seen then, which observations do not: they are only written on change.
CREATE TABLE snapshots (
    network     text COLLATE "C" NOT NULL REFERENCES networks (id),
    at          timestamptz NOT NULL,
    stations    integer NOT NULL,
    free_bikes  integer,
    empty_slots integer,
    PRIMARY KEY (network, at)
);

CREATE TABLE weather (
    network        text COLLATE "C" NOT NULL REFERENCES networks (id),
    at             timestamptz NOT NULL,
    temp_2m        double precision,
    precipitation  double precision,
    wind_speed_10m double precision,
    PRIMARY KEY (network, at)
);

-- Payloads as they came. The digest is over the bytes that were fetched, which
-- jsonb does not keep; its key is what makes the same payload be stored once.
CREATE TABLE raw_bikes (
    network    text COLLATE "C" NOT NULL REFERENCES networks (id),
    fetched_at timestamptz NOT NULL,
    digest     bytea NOT NULL CHECK (length(digest) = 32), -- SHA-256
    payload    jsonb NOT NULL,
    PRIMARY KEY (network, digest)
);

CREATE TABLE raw_weather (
    network    text COLLATE "C" NOT NULL REFERENCES networks (id),
    fetched_at timestamptz NOT NULL,
    digest     bytea NOT NULL CHECK (length(digest) = 32), -- SHA-256
    payload    jsonb NOT NULL,
    PRIMARY KEY (network, digest)
);

-- Rebuilding observations reads the payloads in the order they came.
CREATE INDEX raw_bikes_fetched ON raw_bikes (network, fetched_at);
CREATE INDEX raw_weather_fetched ON raw_weather (network, fetched_at);

-- Network has no foreign key: a client may name one that is not stored.
CREATE TABLE prediction_log (
    id            uuid PRIMARY KEY,
    ts            timestamptz NOT NULL,
    model         text NOT NULL,
    model_version text NOT NULL,
    model_digest  text NOT NULL,
    request_id    text NOT NULL,
    network       text,                        -- NULL when the client gave the features
    as_of         timestamptz,                 -- NULL as network
    features      jsonb NOT NULL,              -- object of numbers
    proba         double precision NOT NULL,
    y             smallint NOT NULL CHECK (y IN (0, 1)),
    threshold     double precision NOT NULL,
    horizon       double precision NOT NULL,   -- hours
    latency       bigint NOT NULL              -- nanoseconds
);

-- The newest predictions first; the ID breaks ties, so that the order is one.
CREATE INDEX prediction_log_newest ON prediction_log (ts DESC, id DESC);
