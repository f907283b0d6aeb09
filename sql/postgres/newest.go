package postgres

import (
	"context"
	"fmt"
	"time"
)

// Newest implements [dataset.Store].
func (s *Store) Newest(ctx context.Context, network string) (snapshot, weather time.Time, err error) {
	var seen, known *time.Time
	err = s.pool.QueryRow(ctx, `SELECT
		(SELECT max(at) FROM snapshots WHERE network = $1),
		(SELECT max(at) FROM weather WHERE network = $1)`, network).Scan(&seen, &known)
	if err != nil {
		return snapshot, weather, fmt.Errorf("read newest times: %w", s.explain(ctx, err))
	}
	if seen != nil {
		snapshot = seen.UTC()
	}
	if known != nil {
		weather = known.UTC()
	}
	return snapshot, weather, nil
}
