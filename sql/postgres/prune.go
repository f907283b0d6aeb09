package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"
)

// PrunePredictions implements [predlog.Store]. Partitions that lie before the
// time are dropped whole; of what remains the rows are deleted, some at a time.
// Nobody who writes waits for longer than dropPatience.
func (s *Store) PrunePredictions(ctx context.Context, before time.Time) (removed int64, err error) {
	dropped, err := s.dropPartitions(ctx, before)
	if err == nil {
		var deleted int64
		deleted, err = s.deletePredictions(ctx, before)
		dropped += deleted
	}
	if err != nil {
		return dropped, fmt.Errorf("prune predictions: %w", s.explain(ctx, err))
	}
	return dropped, nil
}

// past are the partitions that end at or before a time, whoever made them,
// oldest first. One without end, or that is a table elsewhere, is left alone.
const past = `
	SELECT name FROM (
		SELECT c.oid::regclass::text AS name,
			(regexp_match(pg_get_expr(c.relpartbound, c.oid), 'TO \(''([^'']+)''\)'))[1]::timestamptz AS upper
		FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
		WHERE i.inhparent = 'prediction_log'::regclass AND c.relkind = 'r'
	) partitions
	WHERE upper <= $1 ORDER BY upper`

func (s *Store) dropPartitions(ctx context.Context, before time.Time) (removed int64, err error) {
	rows, _ := s.pool.Query(ctx, past, before)
	tables, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return 0, err
	}
	if len(tables) > 0 {
		defer s.partitions.forget()
	}
	for _, table := range tables {
		n, err := s.dropPartition(ctx, table)
		if err != nil {
			return removed, fmt.Errorf("drop %s: %w", table, err)
		}
		removed += n
	}
	return removed, nil
}

const (
	// dropPatience is how long a drop waits for those who read the log.
	// Whoever comes after waits behind it, writers too.
	dropPatience = 100 * time.Millisecond

	// dropAttempts and dropPause are what is tried before the rows are deleted
	// instead, which waits for nobody. The table, empty then, goes next time.
	dropAttempts = 3
	dropPause    = 500 * time.Millisecond
)

// dropPartition drops a table and says how many rows it had. Where the log is
// in use for longer than that takes patience for, it drops nothing.
func (s *Store) dropPartition(ctx context.Context, table string) (rows int64, err error) {
	for attempt := 1; ; attempt++ {
		err = pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
			rows, err = tryDrop(ctx, tx, table)
			return err
		})
		switch {
		case err == nil:
			return rows, nil
		case !isHeld(err):
			return 0, err
		case attempt == dropAttempts:
			return 0, nil
		}
		select {
		case <-ctx.Done():
			return 0, ctx.Err()
		case <-time.After(dropPause):
		}
	}
}

// tryDrop counts under a lock that only writers of this old week would notice,
// and takes the lock on the whole log last, for the moment that a drop takes.
func tryDrop(ctx context.Context, tx pgx.Tx, table string) (rows int64, err error) {
	if _, err := tx.Exec(ctx, fmt.Sprintf("SET LOCAL lock_timeout = %d", dropPatience.Milliseconds())); err != nil {
		return 0, err
	}
	if _, err := tx.Exec(ctx, "LOCK TABLE ONLY "+table+" IN SHARE MODE"); err != nil {
		return 0, err
	}
	if err := tx.QueryRow(ctx, "SELECT count(*) FROM ONLY "+table).Scan(&rows); err != nil {
		return 0, err
	}
	_, err = tx.Exec(ctx, "DROP TABLE "+table)
	return rows, err
}

// isHeld knows the errors of a lock that somebody else has: a timeout, and a
// deadlock, which a writer of an old week can end in before the timeout does.
func isHeld(err error) bool {
	var refused *pgconn.PgError
	return errors.As(err, &refused) && (refused.Code == "55P03" || refused.Code == "40P01")
}

// rowsPerDelete keeps one DELETE to some tens of milliseconds.
const rowsPerDelete = 5000

// deletePredictions deletes rows in the order of the index, each time those
// up to a row that is found first. Starting where the last DELETE ended spares
// the index entries of what is deleted already.
func (s *Store) deletePredictions(ctx context.Context, before time.Time) (removed int64, err error) {
	const find = `
		SELECT ts, id FROM (
			SELECT ts, id FROM prediction_log WHERE ts >= $1 AND (ts, id) > ($1, $2) AND ts < $3 ORDER BY ts, id LIMIT $4
		) chunk ORDER BY ts DESC, id DESC LIMIT 1`
	const remove = `DELETE FROM prediction_log WHERE ts >= $1 AND (ts, id) > ($1, $2) AND ts <= $3 AND (ts, id) <= ($3, $4)`
	last := pgtype.Timestamptz{Valid: true, InfinityModifier: pgtype.NegativeInfinity}
	var lastID uuid.UUID
	for {
		var upTo pgtype.Timestamptz
		var upToID uuid.UUID
		err := s.pool.QueryRow(ctx, find, last, lastID, before, rowsPerDelete).Scan(&upTo, &upToID)
		if errors.Is(err, pgx.ErrNoRows) {
			return removed, nil
		}
		if err != nil {
			return removed, err
		}
		tag, err := s.pool.Exec(ctx, remove, last, lastID, upTo, upToID)
		if err != nil {
			return removed, err
		}
		removed += tag.RowsAffected()
		last, lastID = upTo, upToID
	}
}
