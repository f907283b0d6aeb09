package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"livelab/runtime/predlog"
	"livelab/sql/internal/value"
)

// AddPredictions implements [predlog.Store].
func (s *Store) AddPredictions(ctx context.Context, ps []predlog.Prediction) error {
	if len(ps) == 0 {
		return nil
	}
	rows := make([][]any, len(ps))
	for i, p := range ps {
		row, err := predictionRow(p)
		if err != nil {
			return fmt.Errorf("add predictions: %w", err)
		}
		rows[i] = row
	}
	if err := s.insertPredictions(ctx, rows); err != nil {
		return fmt.Errorf("add predictions: %w", s.explain(ctx, err))
	}
	return nil
}

func (s *Store) insertPredictions(ctx context.Context, rows [][]any) error {
	sqlTx, err := s.writer.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer sqlTx.Rollback()
	t := &tx{store: s, tx: sqlTx}
	err = t.insert(ctx, insertion{
		into: `prediction_log (id, ts, model, model_version, model_digest, request_id, network, as_of,
			features, proba, y, threshold, horizon, latency)`,
		columns:  14,
		conflict: "(id) DO NOTHING",
		rows:     len(rows),
		row:      func(i int, to []any) { copy(to, rows[i]) },
	})
	if err != nil {
		return err
	}
	return sqlTx.Commit()
}

func predictionRow(p predlog.Prediction) ([]any, error) {
	p, err := value.Prediction(p)
	if err != nil {
		return nil, err
	}
	features, err := value.EncodeFeatures(p.Features)
	if err != nil {
		return nil, err
	}
	asOf := sql.NullInt64{Int64: p.AsOf.UnixMicro(), Valid: !p.AsOf.IsZero()}
	network := sql.NullString{String: p.Network, Valid: p.Network != ""}
	return []any{
		p.ID, p.At.UnixMicro(), p.Model, p.Version, p.Digest, p.RequestID, network, asOf,
		string(features), p.Probability, p.Positive, p.Threshold, p.HorizonHours, int64(p.Latency),
	}, nil
}

// RecentPredictions implements [predlog.Store]. Times have microseconds.
func (s *Store) RecentPredictions(ctx context.Context, limit int) ([]predlog.Prediction, error) {
	ps, err := collect(ctx, s.reader, scanPrediction, `
		SELECT id, ts, model, model_version, model_digest, request_id, coalesce(network, ''), as_of,
			features, proba, y, threshold, horizon, latency
		FROM prediction_log ORDER BY ts DESC, id DESC LIMIT ?`, max(limit, 0))
	if err != nil {
		return nil, fmt.Errorf("read predictions: %w", s.explain(ctx, err))
	}
	return ps, nil
}

func scanPrediction(rows *sql.Rows, p *predlog.Prediction) error {
	var ts, latency int64
	var asOf sql.NullInt64
	var features []byte
	err := rows.Scan(&p.ID, &ts, &p.Model, &p.Version, &p.Digest, &p.RequestID, &p.Network, &asOf,
		&features, &p.Probability, &p.Positive, &p.Threshold, &p.HorizonHours, &latency)
	if err != nil {
		return err
	}
	p.At = time.UnixMicro(ts).UTC()
	p.Latency = time.Duration(latency)
	if asOf.Valid {
		p.AsOf = time.UnixMicro(asOf.Int64).UTC()
	}
	p.Features, err = value.DecodeFeatures(features)
	return err
}

// PrunePredictions implements [predlog.Store].
func (s *Store) PrunePredictions(ctx context.Context, before time.Time) (removed int64, err error) {
	result, err := s.writer.ExecContext(ctx, `DELETE FROM prediction_log WHERE ts < ?`, before.UnixMicro())
	if err != nil {
		return 0, fmt.Errorf("prune predictions: %w", s.explain(ctx, err))
	}
	return result.RowsAffected()
}
