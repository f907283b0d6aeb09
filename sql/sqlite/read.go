package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"time"

	"livelab/pipeline/observation"
	"livelab/sql/internal/value"
)

// Origin implements [dataset.Store].
func (s *Store) Origin(ctx context.Context) (observation.Origin, error) {
	var origin observation.Origin
	err := s.reader.QueryRowContext(ctx, "SELECT value FROM store_meta WHERE key = 'origin'").Scan(&origin)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return "", fmt.Errorf("read origin: %w", s.explain(ctx, err))
	}
	return origin, nil
}

// Networks implements [dataset.Store]. They are ordered by ID.
func (s *Store) Networks(ctx context.Context) ([]observation.Network, error) {
	networks, err := collect(ctx, s.reader, func(rows *sql.Rows, n *observation.Network) error {
		var lat, lon sql.NullFloat64
		err := rows.Scan(&n.ID, &n.Name, &n.City, &n.Country, &lat, &lon)
		n.Latitude, n.Longitude = orNaN(lat), orNaN(lon)
		return err
	}, "SELECT id, name, city, country, latitude, longitude FROM networks ORDER BY id")
	if err != nil {
		return nil, fmt.Errorf("read networks: %w", s.explain(ctx, err))
	}
	return networks, nil
}

// Stations implements [dataset.Store]. They are ordered by ID.
func (s *Store) Stations(ctx context.Context, network string) ([]observation.Station, error) {
	stations, err := collect(ctx, s.reader, func(rows *sql.Rows, st *observation.Station) error {
		return scanStation(rows, st)
	}, "SELECT "+stationColumns+" FROM stations WHERE network = ? ORDER BY station_id", network)
	if err != nil {
		return nil, fmt.Errorf("read stations: %w", s.explain(ctx, err))
	}
	return stations, nil
}

const stationColumns = "station_id, name, latitude, longitude, coalesce(capacity, -1), moved_at"

// scanStation reads stationColumns, and what follows them.
func scanStation(rows *sql.Rows, st *observation.Station, more ...any) error {
	var lat, lon sql.NullFloat64
	var moved sql.NullInt64
	err := rows.Scan(append([]any{&st.ID, &st.Name, &lat, &lon, &st.Capacity, &moved}, more...)...)
	st.Latitude, st.Longitude, st.MovedAt = orNaN(lat), orNaN(lon), orZero(moved)
	return err
}

// Totals implements [dataset.Store].
func (s *Store) Totals(ctx context.Context, network string, from, to time.Time) ([]observation.Totals, error) {
	first, last := value.Range(from, to)
	totals, err := collect(ctx, s.reader, func(rows *sql.Rows, t *observation.Totals) error {
		var at int64
		err := rows.Scan(&at, &t.Stations, &t.FreeBikes, &t.EmptySlots)
		t.At = value.Second(at)
		return err
	}, `SELECT at, stations, coalesce(free_bikes, -1), coalesce(empty_slots, -1) FROM snapshots
		WHERE network = ? AND at BETWEEN ? AND ? ORDER BY at`, network, first, last)
	if err != nil {
		return nil, fmt.Errorf("read totals: %w", s.explain(ctx, err))
	}
	return totals, nil
}

// Weather implements [dataset.Store].
func (s *Store) Weather(ctx context.Context, network string, from, to time.Time) ([]observation.Weather, error) {
	first, last := value.Range(from, to)
	weather, err := collect(ctx, s.reader, func(rows *sql.Rows, w *observation.Weather) error {
		var at int64
		var temperature, precipitation, wind sql.NullFloat64
		err := rows.Scan(&at, &temperature, &precipitation, &wind)
		w.At = value.Second(at)
		w.Temperature, w.Precipitation, w.WindSpeed = orNaN(temperature), orNaN(precipitation), orNaN(wind)
		return err
	}, `SELECT at, temp_2m, precipitation, wind_speed_10m FROM weather
		WHERE network = ? AND at BETWEEN ? AND ? ORDER BY at`, network, first, last)
	if err != nil {
		return nil, fmt.Errorf("read weather: %w", s.explain(ctx, err))
	}
	return weather, nil
}

// Changes implements [dataset.Store]. The walk sees the store as it was at its
// start, whatever is written meanwhile. It holds one of the readers.
func (s *Store) Changes(ctx context.Context, network string, from, to time.Time, yield func(observation.Observation) error) error {
	// A deferred transaction, unlike the writer's: it never wants to write.
	conn, err := s.reader.Conn(ctx)
	if err != nil {
		return fmt.Errorf("read changes: %w", s.explain(ctx, err))
	}
	defer conn.Close()
	if _, err := conn.ExecContext(ctx, "BEGIN DEFERRED"); err != nil {
		return fmt.Errorf("read changes: %w", s.explain(ctx, err))
	}
	defer conn.ExecContext(context.WithoutCancel(ctx), "ROLLBACK")

	w := walk{ctx: ctx, conn: conn, yield: yield}
	w.first, w.last = value.Range(from, to)
	if value.Short(w.first, w.last) {
		err = w.short(network)
	} else {
		err = w.network(network)
	}
	if w.refused != nil {
		return w.refused
	}
	if err != nil {
		return fmt.Errorf("read changes: %w", s.explain(ctx, err))
	}
	return nil
}

// walk goes over the changes of a network, station by station, each a range of
// the table. One query over all stations would have to sort them.
type walk struct {
	ctx         context.Context
	conn        *sql.Conn
	first, last int64
	yield       func(observation.Observation) error
	refused     error // what yield returned
}

type stationKey struct {
	id  string
	key int64
}

func (w *walk) network(network string) error {
	stations, err := collect(w.ctx, w.conn, func(rows *sql.Rows, s *stationKey) error {
		return rows.Scan(&s.id, &s.key)
	}, "SELECT station_id, key FROM stations WHERE network = ? ORDER BY station_id", network)
	if err != nil {
		return err
	}
	stmt, err := w.conn.PrepareContext(w.ctx, `
		SELECT at, coalesce(free_bikes, -1), coalesce(empty_slots, -1), in_service FROM observations
		WHERE station = ? AND at BETWEEN ? AND ? ORDER BY at`)
	if err != nil {
		return err
	}
	defer stmt.Close()
	for _, s := range stations {
		if err := w.station(stmt, s); err != nil {
			return err
		}
	}
	return nil
}

func (w *walk) station(stmt *sql.Stmt, s stationKey) error {
	rows, err := stmt.QueryContext(w.ctx, s.key, w.first, w.last)
	if err != nil {
		return err
	}
	return w.rows(rows, &s.id)
}

// short asks for all stations at once: a range has so few rows of each that
// the statements would be most of the cost. The loops of the join are in the
// order of both keys.
func (w *walk) short(network string) error {
	var id string
	rows, err := w.conn.QueryContext(w.ctx, `
		SELECT o.at, coalesce(o.free_bikes, -1), coalesce(o.empty_slots, -1), o.in_service, s.station_id
		FROM stations s CROSS JOIN observations o
		WHERE s.network = ? AND o.station = s.key AND o.at BETWEEN ? AND ? ORDER BY s.station_id, o.at`, network, w.first, w.last)
	if err != nil {
		return err
	}
	return w.rows(rows, &id, &id)
}

// rows hands on the rows of the station that id names at each of them, which
// more may read.
func (w *walk) rows(rows *sql.Rows, id *string, more ...any) error {
	defer rows.Close()
	// Integers of one width are what Scan converts fastest.
	var at, free, empty, inService int64
	to := append([]any{&at, &free, &empty, &inService}, more...)
	for rows.Next() {
		if err := rows.Scan(to...); err != nil {
			return err
		}
		state := observation.State{FreeBikes: int32(free), EmptySlots: int32(empty), InService: inService != 0}
		w.refused = w.yield(observation.Observation{StationID: *id, At: value.Second(at), State: state})
		if w.refused != nil {
			return w.refused
		}
	}
	return rows.Err()
}

// querier is a pool or one connection of it.
type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// collect reads all rows of a query. No rows give nil.
func collect[T any](ctx context.Context, q querier, scan func(*sql.Rows, *T) error, query string, args ...any) ([]T, error) {
	rows, err := q.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []T
	for rows.Next() {
		var row T
		if err := scan(rows, &row); err != nil {
			return nil, err
		}
		all = append(all, row)
	}
	return all, rows.Err()
}

func orNaN(v sql.NullFloat64) float64 {
	if !v.Valid {
		return math.NaN()
	}
	return v.Float64
}

// orZero reads a time that may be absent.
func orZero(v sql.NullInt64) time.Time {
	if !v.Valid {
		return time.Time{}
	}
	return value.Second(v.Int64)
}
