package postgres

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"livelab/pipeline/ingest"
	"livelab/pipeline/observation"
	"livelab/sql/internal/lifetime"
	"livelab/sql/internal/value"
)

// Update implements [ingest.Store]. An advisory lock for each network keeps
// other Updates of it out until the end of the transaction, in any process. An
// error of the database that fn passes over still ends the transaction with
// that error.
func (s *Store) Update(ctx context.Context, networks []string, fn func(ingest.Tx) error) error {
	pgTx, err := s.pool.Begin(ctx)
	if err != nil {
		return fmt.Errorf("begin update: %w", s.explain(ctx, err))
	}
	defer rollback(ctx, pgTx) // also on a panic of fn; nothing after a commit
	if err := lock(ctx, pgTx, networks); err != nil {
		return fmt.Errorf("lock networks: %w", s.explain(ctx, err))
	}
	t := &tx{store: s, tx: pgTx, guard: lifetime.New(networks), keys: map[string]map[string]int32{}}
	if err := t.guard.End(fn(t)); err != nil {
		return err
	}
	if err := pgTx.Commit(ctx); err != nil {
		return fmt.Errorf("commit update: %w", s.explain(ctx, err))
	}
	return nil
}

// rollbackTimeout bounds the clean-up of a transaction whose context may have
// ended. The server rolls back by itself when the connection is dropped.
const rollbackTimeout = 5 * time.Second

func rollback(ctx context.Context, tx pgx.Tx) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), rollbackTimeout)
	defer cancel()
	tx.Rollback(ctx)
}

// lock takes the networks' locks in the order of their numbers, which is the
// same for everybody, so that two Updates cannot wait for each other.
func lock(ctx context.Context, tx pgx.Tx, networks []string) error {
	if len(networks) == 0 {
		return nil
	}
	var schema pgtype.Text
	if err := tx.QueryRow(ctx, "SELECT current_schema()").Scan(&schema); err != nil {
		return err
	}
	ids := make([]int64, len(networks))
	for i, network := range networks {
		ids[i] = lockID(schema.String, network)
	}
	slices.Sort(ids)
	batch := &pgx.Batch{}
	for _, id := range slices.Compact(ids) {
		batch.Queue("SELECT pg_advisory_xact_lock($1)", id)
	}
	return tx.SendBatch(ctx, batch).Close()
}

// lockID is the number of a network's lock. Locks are of the whole database,
// which may hold several stores, so the schema is in it.
func lockID(schema, network string) int64 {
	sum := sha256.Sum256([]byte("livelab update\x00" + schema + "\x00" + network))
	return int64(binary.BigEndian.Uint64(sum[:]))
}

// tx implements [ingest.Tx].
type tx struct {
	store *Store
	tx    pgx.Tx
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

// ClaimOrigin implements [ingest.Tx]. Of two that claim an empty store at the
// same time the second waits for the first to commit or to give up.
func (t *tx) ClaimOrigin(ctx context.Context, origin observation.Origin) (observation.Origin, error) {
	if err := t.guard.Open(); err != nil {
		return "", fmt.Errorf("claim origin: %w", err)
	}
	const claim = `
		INSERT INTO store_meta (key, value) VALUES ('origin', $1)
		ON CONFLICT (key) DO UPDATE SET value = store_meta.value
		RETURNING value`
	var has observation.Origin
	err := t.tx.QueryRow(ctx, claim, origin).Scan(&has)
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
	tag, err := t.tx.Exec(ctx,
		"INSERT INTO "+table+" (network, fetched_at, digest, payload) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
		p.Network, p.FetchedAt, value.Digest(p.Body), p.Body)
	return tag.RowsAffected() > 0, t.fail(ctx, "add payload", err)
}

// States implements [ingest.Tx].
func (t *tx) States(ctx context.Context, network string, at time.Time) (map[string]observation.State, error) {
	if err := t.guard.For(network); err != nil {
		return nil, fmt.Errorf("read states: %w", err)
	}
	const query = `
		SELECT s.station_id, coalesce(o.free_bikes, -1), coalesce(o.empty_slots, -1), o.in_service
		FROM stations s CROSS JOIN LATERAL (
			SELECT * FROM observations WHERE station = s.key AND at <= $2 ORDER BY at DESC LIMIT 1
		) o
		WHERE s.network = $1`
	states := map[string]observation.State{}
	// The error of Query comes back from ForEachRow.
	rows, _ := t.tx.Query(ctx, query, network, upper(at))
	var id string
	var state observation.State
	_, err := pgx.ForEachRow(rows, []any{&id, &state.FreeBikes, &state.EmptySlots, &state.InService}, func() error {
		states[id] = state
		return nil
	})
	if err != nil {
		return nil, t.fail(ctx, "read states", err)
	}
	return states, nil
}

// SnapshotTimes implements [ingest.Tx].
func (t *tx) SnapshotTimes(ctx context.Context, network string, from, to time.Time) ([]time.Time, error) {
	if err := t.guard.For(network); err != nil {
		return nil, fmt.Errorf("read snapshot times: %w", err)
	}
	first, last := bounds(from, to)
	rows, _ := t.tx.Query(ctx, "SELECT at FROM snapshots WHERE network = $1 AND at BETWEEN $2 AND $3 ORDER BY at", network, first, last)
	var times []time.Time
	var at time.Time
	_, err := pgx.ForEachRow(rows, []any{&at}, func() error {
		times = append(times, at.UTC())
		return nil
	})
	if err != nil {
		return nil, t.fail(ctx, "read snapshot times", err)
	}
	return times, nil
}
