package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"livelab/sql/internal/value"
)

// Newest implements [dataset.Store].
func (s *Store) Newest(ctx context.Context, network string) (snapshot, weather time.Time, err error) {
	var seen, known sql.NullInt64
	err = s.reader.QueryRowContext(ctx, `SELECT
		(SELECT max(at) FROM snapshots WHERE network = ?1),
		(SELECT max(at) FROM weather WHERE network = ?1)`, network).Scan(&seen, &known)
	if err != nil {
		return snapshot, weather, fmt.Errorf("read newest times: %w", s.explain(ctx, err))
	}
	if seen.Valid {
		snapshot = value.Second(seen.Int64)
	}
	if known.Valid {
		weather = value.Second(known.Int64)
	}
	return snapshot, weather, nil
}

// Own takes the store for this process alone; see Lock.
func (s *Store) Own(context.Context) (release func() error, err error) { return Lock(s.path) }
