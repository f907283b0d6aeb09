package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// rowsPerDelete keeps one DELETE, for which every other writer waits, to some
// tens of milliseconds.
const rowsPerDelete = 5000

// PrunePredictions implements [predlog.Store]. It deletes some rows at a time,
// each time in a transaction of its own, and other writers come in between.
func (s *Store) PrunePredictions(ctx context.Context, before time.Time) (removed int64, err error) {
	for {
		n, err := s.deletePredictions(ctx, before.UnixMicro())
		removed += n
		if err != nil {
			return removed, fmt.Errorf("prune predictions: %w", s.explain(ctx, err))
		}
		if n == 0 {
			return removed, nil
		}
	}
}

// deletePredictions deletes the oldest rows up to one that is found first.
func (s *Store) deletePredictions(ctx context.Context, before int64) (removed int64, err error) {
	var ts int64
	var id string
	err = s.reader.QueryRowContext(ctx, `
		SELECT ts, id FROM (
			SELECT ts, id FROM prediction_log WHERE ts < ? ORDER BY ts, id LIMIT ?
		) ORDER BY ts DESC, id DESC LIMIT 1`, before, rowsPerDelete).Scan(&ts, &id)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	result, err := s.writer.ExecContext(ctx, "DELETE FROM prediction_log WHERE (ts, id) <= (?, ?)", ts, id)
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}
