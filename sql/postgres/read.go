package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"livelab/pipeline/observation"
)

// Origin implements [dataset.Store].
func (s *Store) Origin(ctx context.Context) (observation.Origin, error) {
	var origin observation.Origin
	err := s.pool.QueryRow(ctx, "SELECT value FROM store_meta WHERE key = 'origin'").Scan(&origin)
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return "", fmt.Errorf("read origin: %w", s.explain(ctx, err))
	}
	return origin, nil
}

// Networks implements [dataset.Store]. They are ordered by ID.
func (s *Store) Networks(ctx context.Context) ([]observation.Network, error) {
	rows, _ := s.pool.Query(ctx, `
		SELECT id, name, city, country, coalesce(latitude, 'NaN'), coalesce(longitude, 'NaN')
		FROM networks ORDER BY id`)
	networks, err := collect(rows, func(n *observation.Network) []any {
		return []any{&n.ID, &n.Name, &n.City, &n.Country, &n.Latitude, &n.Longitude}
	})
	if err != nil {
		return nil, fmt.Errorf("read networks: %w", s.explain(ctx, err))
	}
	return networks, nil
}

// Stations implements [dataset.Store]. They are ordered by ID.
func (s *Store) Stations(ctx context.Context, network string) ([]observation.Station, error) {
	rows, _ := s.pool.Query(ctx, "SELECT "+stationColumns+" FROM stations WHERE network = $1 ORDER BY station_id", network)
	var stations []observation.Station
	var st observation.Station
	var moved pgtype.Timestamptz
	_, err := pgx.ForEachRow(rows, stationTargets(&st, &moved), func() error {
		st.MovedAt = orZero(moved)
		stations = append(stations, st)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read stations: %w", s.explain(ctx, err))
	}
	return stations, nil
}

const stationColumns = "station_id, name, coalesce(latitude, 'NaN'), coalesce(longitude, 'NaN'), coalesce(capacity, -1), moved_at"

// stationTargets are where to read stationColumns to.
func stationTargets(st *observation.Station, moved *pgtype.Timestamptz) []any {
	return []any{&st.ID, &st.Name, &st.Latitude, &st.Longitude, &st.Capacity, moved}
}

// orZero reads a time that may be absent.
func orZero(t pgtype.Timestamptz) time.Time {
	if !t.Valid {
		return time.Time{}
	}
	return t.Time.UTC()
}

// Totals implements [dataset.Store].
func (s *Store) Totals(ctx context.Context, network string, from, to time.Time) ([]observation.Totals, error) {
	first, last := bounds(from, to)
	rows, _ := s.pool.Query(ctx, `
		SELECT at, stations, coalesce(free_bikes, -1), coalesce(empty_slots, -1)
		FROM snapshots WHERE network = $1 AND at BETWEEN $2 AND $3 ORDER BY at`, network, first, last)
	totals, err := collect(rows, func(t *observation.Totals) []any {
		return []any{&t.At, &t.Stations, &t.FreeBikes, &t.EmptySlots}
	})
	if err != nil {
		return nil, fmt.Errorf("read totals: %w", s.explain(ctx, err))
	}
	for i := range totals {
		totals[i].At = totals[i].At.UTC()
	}
	return totals, nil
}

// Weather implements [dataset.Store].
func (s *Store) Weather(ctx context.Context, network string, from, to time.Time) ([]observation.Weather, error) {
	first, last := bounds(from, to)
	rows, _ := s.pool.Query(ctx, `
		SELECT at, coalesce(temp_2m, 'NaN'), coalesce(precipitation, 'NaN'), coalesce(wind_speed_10m, 'NaN')
		FROM weather WHERE network = $1 AND at BETWEEN $2 AND $3 ORDER BY at`, network, first, last)
	weather, err := collect(rows, func(w *observation.Weather) []any {
		return []any{&w.At, &w.Temperature, &w.Precipitation, &w.WindSpeed}
	})
	if err != nil {
		return nil, fmt.Errorf("read weather: %w", s.explain(ctx, err))
	}
	for i := range weather {
		weather[i].At = weather[i].At.UTC()
	}
	return weather, nil
}

// collect reads all rows of a query into the targets that each row offers. An
// error of the query comes back here. No rows give nil.
func collect[T any](rows pgx.Rows, targets func(*T) []any) ([]T, error) {
	var row T
	var all []T
	_, err := pgx.ForEachRow(rows, targets(&row), func() error {
		all = append(all, row)
		return nil
	})
	return all, err
}
