package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"math"
	"strings"
	"time"

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
	if err := t.writeStations(ctx, network, b); err != nil {
		return err
	}
	if err := t.writeChanges(ctx, network, b.Changes); err != nil {
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
	if _, err := t.tx.ExecContext(ctx, "INSERT INTO networks (id) VALUES (?) ON CONFLICT DO NOTHING", network); err != nil {
		return err
	}
	rows, err := t.tx.QueryContext(ctx, "SELECT station_id, key FROM stations WHERE network = ?", network)
	if err != nil {
		return err
	}
	defer rows.Close()
	keys := map[string]int32{}
	for rows.Next() {
		var id string
		var key int32
		if err := rows.Scan(&id, &key); err != nil {
			return err
		}
		keys[id] = key
	}
	t.keys[network] = keys
	return rows.Err()
}

func (t *tx) writeNetwork(ctx context.Context, n observation.Network) error {
	_, err := t.tx.ExecContext(ctx,
		"UPDATE networks SET name = ?, city = ?, country = ?, latitude = ?, longitude = ? WHERE id = ?",
		n.Name, n.City, n.Country, real(n.Latitude), real(n.Longitude), n.ID)
	return err
}

func (t *tx) writeStations(ctx context.Context, network string, b ingest.Batch) error {
	keys := t.keys[network]
	for _, id := range value.NewStations(b, keys) {
		var key int32
		err := t.tx.QueryRowContext(ctx, "INSERT INTO stations (network, station_id) VALUES (?, ?) RETURNING key", network, id).Scan(&key)
		if err != nil {
			return err
		}
		keys[id] = key
	}
	if len(b.Stations) == 0 {
		return nil
	}
	stored, err := t.placed(ctx, network)
	if err != nil {
		return err
	}
	var newest sql.NullInt64
	if err := t.tx.QueryRowContext(ctx, "SELECT max(at) FROM snapshots WHERE network = ?", network).Scan(&newest); err != nil {
		return err
	}
	stations := value.Describe(b, stored, orZero(newest))
	return t.insert(ctx, insertion{
		into:    "stations (key, network, station_id, name, latitude, longitude, capacity, home_latitude, home_longitude, moved_at)",
		columns: 10,
		conflict: `(key) DO UPDATE SET name = excluded.name, latitude = excluded.latitude, longitude = excluded.longitude, capacity = excluded.capacity,
			home_latitude = excluded.home_latitude, home_longitude = excluded.home_longitude, moved_at = excluded.moved_at`,
		rows: len(stations),
		row: func(i int, to []any) {
			s := &stations[i]
			to[0], to[1], to[2], to[3] = keys[s.ID], network, s.ID, s.Name
			to[4], to[5], to[6] = real(s.Latitude), real(s.Longitude), count(s.Capacity)
			to[7], to[8], to[9] = real(s.HomeLatitude), real(s.HomeLongitude), unix(s.MovedAt)
		},
	})
}

// placed reads the stations of a network, by ID.
func (t *tx) placed(ctx context.Context, network string) (map[string]value.Placed, error) {
	rows, err := collect(ctx, t.tx, func(rows *sql.Rows, p *value.Placed) error {
		var homeLat, homeLon sql.NullFloat64
		err := scanStation(rows, &p.Station, &homeLat, &homeLon)
		p.HomeLatitude, p.HomeLongitude = orNaN(homeLat), orNaN(homeLon)
		return err
	}, "SELECT "+stationColumns+", home_latitude, home_longitude FROM stations WHERE network = ?", network)
	if err != nil {
		return nil, err
	}
	stored := make(map[string]value.Placed, len(rows))
	for _, p := range rows {
		stored[p.ID] = p
	}
	return stored, nil
}

func (t *tx) writeChanges(ctx context.Context, network string, observations []observation.Observation) error {
	changes := value.Changes(observations, t.keys[network])
	return t.insert(ctx, insertion{
		into:     "observations (station, at, free_bikes, empty_slots, in_service)",
		columns:  5,
		conflict: "(station, at) DO UPDATE SET free_bikes = excluded.free_bikes, empty_slots = excluded.empty_slots, in_service = excluded.in_service",
		rows:     len(changes),
		row: func(i int, to []any) {
			c := &changes[i]
			to[0], to[1], to[2], to[3], to[4] = c.Station, c.At, count(c.FreeBikes), count(c.EmptySlots), c.InService
		},
	})
}

func (t *tx) writeTotals(ctx context.Context, network string, rows []observation.Totals) error {
	totals := value.Totals(rows)
	return t.insert(ctx, insertion{
		into:     "snapshots (network, at, stations, free_bikes, empty_slots)",
		columns:  5,
		conflict: "(network, at) DO UPDATE SET stations = excluded.stations, free_bikes = excluded.free_bikes, empty_slots = excluded.empty_slots",
		rows:     len(totals),
		row: func(i int, to []any) {
			r := &totals[i]
			to[0], to[1], to[2], to[3], to[4] = network, r.At.Unix(), r.Stations, count(r.FreeBikes), count(r.EmptySlots)
		},
	})
}

func (t *tx) writeWeather(ctx context.Context, network string, rows []observation.Weather) error {
	weather := value.Weather(rows)
	return t.insert(ctx, insertion{
		into:     "weather (network, at, temp_2m, precipitation, wind_speed_10m)",
		columns:  5,
		conflict: "(network, at) DO UPDATE SET temp_2m = excluded.temp_2m, precipitation = excluded.precipitation, wind_speed_10m = excluded.wind_speed_10m",
		rows:     len(weather),
		row: func(i int, to []any) {
			w := &weather[i]
			to[0], to[1], to[2], to[3], to[4] = network, w.At.Unix(), real(w.Temperature), real(w.Precipitation), real(w.WindSpeed)
		},
	})
}

// insertion is a bulk insert that is told its rows one by one.
type insertion struct {
	into     string // table and columns
	columns  int
	conflict string // what follows ON CONFLICT
	rows     int
	row      func(i int, to []any) // puts row i into to, one value for each column
}

// rowsPerInsert is where the cost of a statement no longer shows: 20 rows a
// statement are half as fast, 1000 no faster.
const rowsPerInsert = 100

// insert writes rows many at a time, through one prepared statement.
func (t *tx) insert(ctx context.Context, in insertion) error {
	var stmt *sql.Stmt
	args := make([]any, min(in.rows, rowsPerInsert)*in.columns)
	for done := 0; done < in.rows; {
		n := min(in.rows-done, rowsPerInsert)
		if stmt == nil || n < rowsPerInsert {
			var err error
			if stmt, err = t.tx.PrepareContext(ctx, in.statement(n)); err != nil {
				return err
			}
			defer stmt.Close() // at most two: the full ones and the rest
		}
		for i := range n {
			in.row(done+i, args[i*in.columns:][:in.columns])
		}
		if _, err := stmt.ExecContext(ctx, args[:n*in.columns]...); err != nil {
			return err
		}
		done += n
	}
	return nil
}

func (in insertion) statement(rows int) string {
	row := "(" + strings.Repeat("?, ", in.columns-1) + "?)"
	return "INSERT INTO " + in.into + " VALUES " + strings.Repeat(row+", ", rows-1) + row + " ON CONFLICT " + in.conflict
}

// real writes NaN as NULL.
func real(v float64) any {
	if math.IsNaN(v) {
		return nil
	}
	return v
}

// unix writes the zero time as NULL.
func unix(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.Unix()
}

// count writes an unknown count as NULL.
func count(n int32) any {
	if n < 0 {
		return nil
	}
	return int64(n)
}
