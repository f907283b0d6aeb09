-- +goose Up

-- When a station was first seen where it is now, NULL where it was never seen
-- elsewhere; and its home, the place that a move is measured from.
ALTER TABLE stations ADD COLUMN moved_at INTEGER;
ALTER TABLE stations ADD COLUMN home_latitude REAL;
ALTER TABLE stations ADD COLUMN home_longitude REAL;

UPDATE stations SET home_latitude = latitude, home_longitude = longitude
WHERE latitude IS NOT NULL AND longitude IS NOT NULL;
