-- +goose Up

-- When a station was first seen where it is now, NULL where it was never seen
-- elsewhere; and its home, the place that a move is measured from.
ALTER TABLE stations
    ADD COLUMN moved_at timestamptz,
    ADD COLUMN home_latitude double precision,
    ADD COLUMN home_longitude double precision;

UPDATE stations SET home_latitude = latitude, home_longitude = longitude
WHERE latitude IS NOT NULL AND longitude IS NOT NULL;
