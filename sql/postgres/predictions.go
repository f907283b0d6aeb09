package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"

	"livelab/runtime/predlog"
	"livelab/sql/internal/value"
)

// AddPredictions implements [predlog.Store]. What the database refuses for
// the data in it is a [predlog.ErrRefused], as what the store itself refuses.
func (s *Store) AddPredictions(ctx context.Context, ps []predlog.Prediction) error {
	if len(ps) == 0 {
		return nil
	}
	rows, err := value.Predictions(ps)
	if err != nil {
		return fmt.Errorf("add predictions: %w", err)
	}
	if err := s.addPredictions(ctx, rows); err != nil {
		return fmt.Errorf("add predictions: %w", refusal(rows, err, s.explain(ctx, err)))
	}
	return nil
}

// addPredictions copies the rows straight into the log. Only where some are
// stored already, which is after a commit of which nobody was told, does it
// take the way round that leaves those out. A partition may be removed between
// the look and the copy, by retention in any process: then it looks again.
func (s *Store) addPredictions(ctx context.Context, rows []value.Prediction) error {
	add := s.copyPredictions
	for attempt := 1; ; attempt++ {
		if err := s.ensurePartitions(ctx, rows); err != nil {
			return err
		}
		err := add(ctx, rows)
		switch {
		case attempt == maxAttempts:
			return err
		case isDuplicate(err):
			add = s.mergePredictions
		case isWithoutPartition(err):
			s.partitions.forget()
		default:
			return err
		}
	}
}

// maxAttempts bounds a race that nothing should lose twice.
const maxAttempts = 5

func isDuplicate(err error) bool {
	var refused *pgconn.PgError
	return errors.As(err, &refused) && refused.Code == "23505"
}

// isWithoutPartition knows the error of a row for which no partition is there.
// It has the code of a violated CHECK, but names no constraint.
func isWithoutPartition(err error) bool {
	var refused *pgconn.PgError
	return errors.As(err, &refused) && refused.Code == "23514" && refused.ConstraintName == ""
}

func (s *Store) copyPredictions(ctx context.Context, rows []value.Prediction) error {
	conn, err := s.pool.Acquire(ctx)
	if err != nil {
		return err
	}
	defer conn.Release()
	return copyPredictions(ctx, conn.Conn(), "prediction_log", rows)
}

// mergePredictions adds those of the rows that are not stored yet.
func (s *Store) mergePredictions(ctx context.Context, rows []value.Prediction) error {
	return pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, "CREATE TEMPORARY TABLE new_predictions (LIKE prediction_log) ON COMMIT DROP"); err != nil {
			return err
		}
		if err := copyPredictions(ctx, tx.Conn(), "new_predictions", rows); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `
			INSERT INTO prediction_log (`+predictionColumns+`)
			SELECT `+predictionColumns+` FROM new_predictions ORDER BY ts, id
			ON CONFLICT (ts, id) DO NOTHING`)
		return err
	})
}

// RecentPredictions implements [predlog.Store]. Times have microseconds.
func (s *Store) RecentPredictions(ctx context.Context, limit int) ([]predlog.Prediction, error) {
	rows, _ := s.pool.Query(ctx, `
		SELECT id::text, ts, role::text, model, model_version, model_digest, request_id, coalesce(network, ''),
			coalesce(station, ''), as_of, features::text, proba, y = 1, threshold, horizon, latency
		FROM prediction_log WHERE role = 'served' ORDER BY ts DESC, id DESC LIMIT $1`, max(limit, 0))
	ps, err := pgx.CollectRows(rows, scanPrediction)
	if err != nil {
		return nil, fmt.Errorf("read predictions: %w", s.explain(ctx, err))
	}
	return ps, nil
}

func scanPrediction(row pgx.CollectableRow) (p predlog.Prediction, err error) {
	var asOf pgtype.Timestamptz
	var features string
	var latency int64
	err = row.Scan(&p.ID, &p.At, &p.Role, &p.Model, &p.Version, &p.Digest, &p.RequestID, &p.Network,
		&p.Station, &asOf, &features, &p.Probability, &p.Positive, &p.Threshold, &p.HorizonHours, &latency)
	if err != nil {
		return p, err
	}
	p.At = p.At.UTC()
	p.Latency = time.Duration(latency)
	if asOf.Valid {
		p.AsOf = asOf.Time.UTC()
	}
	p.Features, err = value.DecodeFeatures([]byte(features))
	return p, err
}
