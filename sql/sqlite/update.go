package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"livelab/pipeline/ingest"
	"livelab/pipeline/observation"
	"livelab/sql/internal/lifetime"
	"livelab/sql/internal/value"
)

// Update implements [ingest.Store]. SQLite has one writer at a time, whatever
// it writes to. An error of the database that fn passes over still ends the
// transaction with that error.
func (s *Store) Update(ctx context.Context, networks []string, fn func(ingest.Tx) error) error {
	sqlTx, err := s.writer.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("begin update: %w", s.explain(ctx, err))
	}
	// After a commit this does nothing; on a panic of fn it keeps the only
	// writer from being lost.
	defer sqlTx.Rollback()
	t := &tx{store: s, tx: sqlTx, guard: lifetime.New(networks), keys: map[string]map[string]int32{}}
	if err := t.guard.End(fn(t)); err != nil {
		return err
	}
	if err := sqlTx.Commit(); err != nil {
		return fmt.Errorf("commit update: %w", s.explain(ctx, err))
	}
	return nil
}

// tx implements [ingest.Tx].
type tx struct {
	store *Store
	tx    *sql.Tx
	guard *lifetime.Guard

	// keys are the surrogate keys of the stations, by network and station ID,
	// for the networks that were written to.
	keys map[string]map[string]int32
}

// fail notes an error of the database and gives it back, explained.
func (t *tx) fail(ctx context.Context, action string, err error) error {
	if err == nil {
		return nil
	}
	return t.guard.Fail(fmt.Errorf("%s: %w", action, t.store.explain(ctx, err)))
}

// ClaimOrigin implements [ingest.Tx].
func (t *tx) ClaimOrigin(ctx context.Context, origin observation.Origin) (observation.Origin, error) {
	if err := t.guard.Open(); err != nil {
		return "", fmt.Errorf("claim origin: %w", err)
	}
	const claim = `
		INSERT INTO store_meta (key, value) VALUES ('origin', ?)
		ON CONFLICT (key) DO UPDATE SET value = value
		RETURNING value`
	var has observation.Origin
	err := t.tx.QueryRowContext(ctx, claim, origin).Scan(&has)
	return has, t.fail(ctx, "claim origin", err)
}

// AddPayload implements [ingest.Tx].
func (t *tx) AddPayload(ctx context.Context, p observation.Payload) (bool, error) {
	if err := t.guard.For(p.Network); err != nil {
		return false, fmt.Errorf("add payload: %w", err)
	}
	if err := value.CheckPayload(p); err != nil {
		return false, fmt.Errorf("add payload: %w", err)
	}
	if err := t.ensureNetwork(ctx, p.Network); err != nil {
		return false, t.fail(ctx, "add payload", err)
	}
	table := "raw_bikes"
	if p.Kind == observation.KindWeather {
		table = "raw_weather"
	}
	res, err := t.tx.ExecContext(ctx,
		"INSERT INTO "+table+" (network, fetched_at, digest, payload) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
		p.Network, p.FetchedAt.UnixMicro(), value.Digest(p.Body), string(p.Body))
	if err != nil {
		return false, t.fail(ctx, "add payload", err)
	}
	n, err := res.RowsAffected()
	return n > 0, t.fail(ctx, "add payload", err)
}

// States implements [ingest.Tx].
func (t *tx) States(ctx context.Context, network string, at time.Time) (map[string]observation.State, error) {
	if err := t.guard.For(network); err != nil {
		return nil, fmt.Errorf("read states: %w", err)
	}
	states, err := t.states(ctx, network, at)
	return states, t.fail(ctx, "read states", err)
}

func (t *tx) states(ctx context.Context, network string, at time.Time) (map[string]observation.State, error) {
	const query = `
		SELECT s.station_id, coalesce(o.free_bikes, -1), coalesce(o.empty_slots, -1), o.in_service
		FROM stations s JOIN observations o ON o.station = s.key
		AND o.at = (SELECT max(at) FROM observations WHERE station = s.key AND at <= ?)
		WHERE s.network = ?`
	rows, err := t.tx.QueryContext(ctx, query, at.Unix(), network)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	states := map[string]observation.State{}
	for rows.Next() {
		var id string
		var state observation.State
		if err := rows.Scan(&id, &state.FreeBikes, &state.EmptySlots, &state.InService); err != nil {
			return nil, err
		}
		states[id] = state
	}
	return states, rows.Err()
}

// SnapshotTimes implements [ingest.Tx].
func (t *tx) SnapshotTimes(ctx context.Context, network string, from, to time.Time) ([]time.Time, error) {
	if err := t.guard.For(network); err != nil {
		return nil, fmt.Errorf("read snapshot times: %w", err)
	}
	times, err := t.snapshotTimes(ctx, network, from, to)
	return times, t.fail(ctx, "read snapshot times", err)
}

func (t *tx) snapshotTimes(ctx context.Context, network string, from, to time.Time) ([]time.Time, error) {
	first, last := value.Range(from, to)
	rows, err := t.tx.QueryContext(ctx, "SELECT at FROM snapshots WHERE network = ? AND at BETWEEN ? AND ? ORDER BY at", network, first, last)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var times []time.Time
	for rows.Next() {
		var at int64
		if err := rows.Scan(&at); err != nil {
			return nil, err
		}
		times = append(times, value.Second(at))
	}
	return times, rows.Err()
}
