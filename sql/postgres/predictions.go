package postgres

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"livelab/runtime/predlog"
	"livelab/sql/internal/value"
)

// AddPredictions implements [predlog.Store]. It is one statement, however many
// there are: a COPY could not leave out the ones that are stored already.
func (s *Store) AddPredictions(ctx context.Context, ps []predlog.Prediction) error {
	if len(ps) == 0 {
		return nil
	}
	rows := make([]predlog.Prediction, len(ps))
	for i, p := range ps {
		row, err := value.Prediction(p)
		if err != nil {
			return fmt.Errorf("add predictions: %w", err)
		}
		rows[i] = row
	}
	// Two batches that share predictions must meet them in the same order, or
	// each could wait for a row of the other.
	slices.SortStableFunc(rows, func(a, b predlog.Prediction) int { return cmp.Compare(a.ID, b.ID) })
	if err := s.insertPredictions(ctx, rows); err != nil {
		return fmt.Errorf("add predictions: %w", s.explain(ctx, err))
	}
	return nil
}

func (s *Store) insertPredictions(ctx context.Context, ps []predlog.Prediction) error {
	type prediction = predlog.Prediction
	features := make([]string, len(ps))
	for i := range ps {
		text, err := value.EncodeFeatures(ps[i].Features)
		if err != nil {
			return err
		}
		features[i] = string(text)
	}
	_, err := s.pool.Exec(ctx, `
		INSERT INTO prediction_log (id, ts, model, model_version, model_digest, request_id, network, as_of,
			features, proba, y, threshold, horizon, latency)
		SELECT id::uuid, ts, model, model_version, model_digest, request_id, nullif(network, ''), as_of,
			features::jsonb, proba, y, threshold, horizon, latency
		FROM unnest($1::text[], $2::timestamptz[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[],
			$8::timestamptz[], $9::text[], $10::float8[], $11::int2[], $12::float8[], $13::float8[], $14::int8[])
			AS n (id, ts, model, model_version, model_digest, request_id, network, as_of,
				features, proba, y, threshold, horizon, latency)
		ON CONFLICT (id) DO NOTHING`,
		column(ps, func(p *prediction) string { return p.ID }),
		column(ps, func(p *prediction) time.Time { return p.At }),
		column(ps, func(p *prediction) string { return p.Model }),
		column(ps, func(p *prediction) string { return p.Version }),
		column(ps, func(p *prediction) string { return p.Digest }),
		column(ps, func(p *prediction) string { return p.RequestID }),
		column(ps, func(p *prediction) string { return p.Network }),
		column(ps, func(p *prediction) pgtype.Timestamptz {
			return pgtype.Timestamptz{Time: p.AsOf, Valid: !p.AsOf.IsZero()}
		}),
		features,
		column(ps, func(p *prediction) float64 { return p.Probability }),
		column(ps, positive),
		column(ps, func(p *prediction) float64 { return p.Threshold }),
		column(ps, func(p *prediction) float64 { return p.HorizonHours }),
		column(ps, func(p *prediction) int64 { return int64(p.Latency) }))
	return err
}

func positive(p *predlog.Prediction) int16 {
	if p.Positive {
		return 1
	}
	return 0
}

// RecentPredictions implements [predlog.Store]. Times have microseconds.
func (s *Store) RecentPredictions(ctx context.Context, limit int) ([]predlog.Prediction, error) {
	rows, _ := s.pool.Query(ctx, `
		SELECT id::text, ts, model, model_version, model_digest, request_id, coalesce(network, ''), as_of,
			features::text, proba, y = 1, threshold, horizon, latency
		FROM prediction_log ORDER BY ts DESC, id DESC LIMIT $1`, max(limit, 0))
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
	err = row.Scan(&p.ID, &p.At, &p.Model, &p.Version, &p.Digest, &p.RequestID, &p.Network, &asOf,
		&features, &p.Probability, &p.Positive, &p.Threshold, &p.HorizonHours, &latency)
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

// PrunePredictions implements [predlog.Store].
func (s *Store) PrunePredictions(ctx context.Context, before time.Time) (removed int64, err error) {
	tag, err := s.pool.Exec(ctx, `DELETE FROM prediction_log WHERE ts < $1`, before)
	if err != nil {
		return 0, fmt.Errorf("prune predictions: %w", s.explain(ctx, err))
	}
	return tag.RowsAffected(), nil
}
