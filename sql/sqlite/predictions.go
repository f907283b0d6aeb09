package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"livelab/runtime/predlog"
	"livelab/sql/internal/value"
)

// AddPredictions implements [predlog.Store]. What breaks a constraint is a
// [predlog.ErrRefused], as what the store itself refuses.
func (s *Store) AddPredictions(ctx context.Context, ps []predlog.Prediction) error {
	if len(ps) == 0 {
		return nil
	}
	rows, err := value.Predictions(ps)
	if err != nil {
		return fmt.Errorf("add predictions: %w", err)
	}
	if err := s.insertPredictions(ctx, rows); err != nil {
		explained := s.explain(ctx, err)
		if isOfData(err) {
			explained = fmt.Errorf("%w: %w", predlog.ErrRefused, explained)
		}
		return fmt.Errorf("add predictions: %w", explained)
	}
	return nil
}

func (s *Store) insertPredictions(ctx context.Context, rows []value.Prediction) error {
	sqlTx, err := s.writer.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer sqlTx.Rollback()
	t := &tx{store: s, tx: sqlTx}
	var text []byte // of one row's features
	err = t.insert(ctx, insertion{
		into: `prediction_log (ts, id, role, as_of, latency, proba, y, threshold, horizon,
			model, model_version, model_digest, request_id, network, station, features)`,
		columns:  16,
		conflict: "(ts, id) DO NOTHING",
		rows:     len(rows),
		row: func(i int, to []any) {
			text = value.AppendFeatures(text[:0], rows[i].Features)
			predictionRow(&rows[i], string(text), to)
		},
	})
	if err != nil {
		return err
	}
	return sqlTx.Commit()
}

func predictionRow(p *value.Prediction, features string, to []any) {
	to[0], to[1], to[2], to[3] = p.At, p.ID.String(), string(p.Role), nil
	if p.HasAsOf {
		to[3] = p.AsOf
	}
	to[4], to[5], to[6], to[7], to[8] = int64(p.Latency), p.Probability, p.Positive, p.Threshold, p.HorizonHours
	to[9], to[10], to[11], to[12] = p.Model, p.Version, p.Digest, p.RequestID
	to[13], to[14], to[15] = name(p.Network), name(p.Station), features
}

// name writes an empty text as NULL.
func name(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// RecentPredictions implements [predlog.Store]. Times have microseconds.
func (s *Store) RecentPredictions(ctx context.Context, limit int) ([]predlog.Prediction, error) {
	ps, err := collect(ctx, s.reader, scanPrediction, `
		SELECT id, ts, role, model, model_version, model_digest, request_id, coalesce(network, ''),
			coalesce(station, ''), as_of, features, proba, y, threshold, horizon, latency
		FROM prediction_log WHERE role = 'served' ORDER BY ts DESC, id DESC LIMIT ?`, max(limit, 0))
	if err != nil {
		return nil, fmt.Errorf("read predictions: %w", s.explain(ctx, err))
	}
	return ps, nil
}

func scanPrediction(rows *sql.Rows, p *predlog.Prediction) error {
	var ts, latency int64
	var asOf sql.NullInt64
	var features []byte
	err := rows.Scan(&p.ID, &ts, &p.Role, &p.Model, &p.Version, &p.Digest, &p.RequestID, &p.Network,
		&p.Station, &asOf, &features, &p.Probability, &p.Positive, &p.Threshold, &p.HorizonHours, &latency)
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
