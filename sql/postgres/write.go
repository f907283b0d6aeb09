package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"livelab/pipeline/ingest"
	"livelab/pipeline/observation"
	"livelab/sql/internal/value"
)

// Write implements [ingest.Tx].
func (t *tx) Write(ctx context.Context, network string, b ingest.Batch) error {
	if err := t.guard.For(network); err != nil {
		return fmt.Errorf("write batch: %w", err)
	}
	if err := value.CheckBatch(network, b); err != nil {
		return fmt.Errorf("write batch: %w", err)
	}
	return t.fail(ctx, "write batch", t.write(ctx, network, b))
}

func (t *tx) write(ctx context.Context, network string, b ingest.Batch) error {
	if err := t.ensureNetwork(ctx, network); err != nil {
		return err
	}
	if b.Network != nil {
		if err := t.writeNetwork(ctx, *b.Network); err != nil {
			return err
		}
	}
	if err := t.addStations(ctx, network, value.NewStations(b, t.keys[network])); err != nil {
		return err
	}
	if err := t.writeStations(ctx, network, b); err != nil {
		return err
	}
	if err := t.writeChanges(ctx, value.Changes(b.Changes, t.keys[network])); err != nil {
		return err
	}
	if err := t.writeTotals(ctx, network, b.Totals); err != nil {
		return err
	}
	return t.writeWeather(ctx, network, b.Weather)
}

// ensureNetwork makes a network that is not there, and loads the keys of its
// stations, once in a transaction.
func (t *tx) ensureNetwork(ctx context.Context, network string) error {
	if t.keys[network] != nil {
		return nil
	}
	if _, err := t.tx.Exec(ctx, "INSERT INTO networks (id) VALUES ($1) ON CONFLICT DO NOTHING", network); err != nil {
		return err
	}
	keys := map[string]int32{}
	rows, _ := t.tx.Query(ctx, "SELECT station_id, key FROM stations WHERE network = $1", network)
	if err := readKeys(rows, keys); err != nil {
		return err
	}
	t.keys[network] = keys
	return nil
}

func readKeys(rows pgx.Rows, keys map[string]int32) error {
	var id string
	var key int32
	_, err := pgx.ForEachRow(rows, []any{&id, &key}, func() error {
		keys[id] = key
		return nil
	})
	return err
}

func (t *tx) writeNetwork(ctx context.Context, n observation.Network) error {
	_, err := t.tx.Exec(ctx, `
		UPDATE networks SET name = $2, city = $3, country = $4,
			latitude = nullif($5::float8, 'NaN'), longitude = nullif($6::float8, 'NaN')
		WHERE id = $1`,
		n.ID, n.Name, n.City, n.Country, n.Latitude, n.Longitude)
	return err
}

// addStations makes stations of which only the ID is known. They are not
// stored yet, and the network's lock keeps it so: ON CONFLICT, which would use
// up a key for every station at every Write, is not needed.
func (t *tx) addStations(ctx context.Context, network string, ids []string) error {
	if len(ids) == 0 {
		return nil
	}
	rows, _ := t.tx.Query(ctx,
		"INSERT INTO stations (network, station_id) SELECT $1, unnest($2::text[]) RETURNING station_id, key", network, ids)
	return readKeys(rows, t.keys[network])
}

// The writes below send one array a column. The arrays hold no NULL, since
// arrays of plain numbers are encoded fastest: NaN and -1 become NULL here.

func (t *tx) writeStations(ctx context.Context, network string, b ingest.Batch) error {
	if len(b.Stations) == 0 {
		return nil
	}
	stored, err := t.placed(ctx, network)
	if err != nil {
		return err
	}
	var newest pgtype.Timestamptz
	if err := t.tx.QueryRow(ctx, "SELECT max(at) FROM snapshots WHERE network = $1", network).Scan(&newest); err != nil {
		return err
	}
	stations := value.Describe(b, stored, newest.Time)
	if len(stations) == 0 {
		return nil
	}
	keys := t.keys[network]
	_, err = t.tx.Exec(ctx, `
		UPDATE stations s SET name = n.name, capacity = nullif(n.capacity, -1),
			latitude = nullif(n.latitude, 'NaN'), longitude = nullif(n.longitude, 'NaN'),
			home_latitude = nullif(n.home_latitude, 'NaN'), home_longitude = nullif(n.home_longitude, 'NaN'),
			moved_at = n.moved_at
		FROM unnest($1::int4[], $2::text[], $3::float8[], $4::float8[], $5::int4[], $6::float8[], $7::float8[], $8::timestamptz[])
			AS n (key, name, latitude, longitude, capacity, home_latitude, home_longitude, moved_at)
		WHERE s.key = n.key`,
		column(stations, func(s *value.Placed) int32 { return keys[s.ID] }),
		column(stations, func(s *value.Placed) string { return s.Name }),
		column(stations, func(s *value.Placed) float64 { return s.Latitude }),
		column(stations, func(s *value.Placed) float64 { return s.Longitude }),
		column(stations, func(s *value.Placed) int32 { return value.Count(s.Capacity) }),
		column(stations, func(s *value.Placed) float64 { return s.HomeLatitude }),
		column(stations, func(s *value.Placed) float64 { return s.HomeLongitude }),
		column(stations, func(s *value.Placed) pgtype.Timestamptz {
			return pgtype.Timestamptz{Time: s.MovedAt, Valid: !s.MovedAt.IsZero()}
		}))
	return err
}

// placed reads the stations of a network, by ID.
func (t *tx) placed(ctx context.Context, network string) (map[string]value.Placed, error) {
	rows, _ := t.tx.Query(ctx, "SELECT "+stationColumns+`, coalesce(home_latitude, 'NaN'), coalesce(home_longitude, 'NaN')
		FROM stations WHERE network = $1`, network)
	stored := map[string]value.Placed{}
	var p value.Placed
	var moved pgtype.Timestamptz
	_, err := pgx.ForEachRow(rows, append(stationTargets(&p.Station, &moved), &p.HomeLatitude, &p.HomeLongitude), func() error {
		p.MovedAt = orZero(moved)
		stored[p.ID] = p
		return nil
	})
	return stored, err
}

func (t *tx) writeTotals(ctx context.Context, network string, rows []observation.Totals) error {
	if len(rows) == 0 {
		return nil
	}
	totals := value.Totals(rows)
	_, err := t.tx.Exec(ctx, `
		INSERT INTO snapshots (network, at, stations, free_bikes, empty_slots)
		SELECT $1, at, stations, nullif(free_bikes, -1), nullif(empty_slots, -1)
		FROM unnest($2::timestamptz[], $3::int4[], $4::int4[], $5::int4[])
			AS n (at, stations, free_bikes, empty_slots)
		ON CONFLICT (network, at) DO UPDATE SET stations = excluded.stations,
			free_bikes = excluded.free_bikes, empty_slots = excluded.empty_slots`,
		network,
		column(totals, func(r *observation.Totals) time.Time { return wholeSecond(r.At) }),
		column(totals, func(r *observation.Totals) int32 { return r.Stations }),
		column(totals, func(r *observation.Totals) int32 { return value.Count(r.FreeBikes) }),
		column(totals, func(r *observation.Totals) int32 { return value.Count(r.EmptySlots) }))
	return err
}

func (t *tx) writeWeather(ctx context.Context, network string, rows []observation.Weather) error {
	if len(rows) == 0 {
		return nil
	}
	weather := value.Weather(rows)
	_, err := t.tx.Exec(ctx, `
		INSERT INTO weather (network, at, temp_2m, precipitation, wind_speed_10m)
		SELECT $1, at, nullif(temp_2m, 'NaN'), nullif(precipitation, 'NaN'), nullif(wind_speed_10m, 'NaN')
		FROM unnest($2::timestamptz[], $3::float8[], $4::float8[], $5::float8[])
			AS n (at, temp_2m, precipitation, wind_speed_10m)
		ON CONFLICT (network, at) DO UPDATE SET temp_2m = excluded.temp_2m,
			precipitation = excluded.precipitation, wind_speed_10m = excluded.wind_speed_10m`,
		network,
		column(weather, func(w *observation.Weather) time.Time { return wholeSecond(w.At) }),
		column(weather, func(w *observation.Weather) float64 { return w.Temperature }),
		column(weather, func(w *observation.Weather) float64 { return w.Precipitation }),
		column(weather, func(w *observation.Weather) float64 { return w.WindSpeed }))
	return err
}

// column takes one column out of rows.
func column[R, V any](rows []R, of func(*R) V) []V {
	values := make([]V, len(rows))
	for i := range rows {
		values[i] = of(&rows[i])
	}
	return values
}

func wholeSecond(t time.Time) time.Time { return value.Second(t.Unix()) }
