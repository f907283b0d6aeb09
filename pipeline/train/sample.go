package train

import (
	"context"
	"fmt"
	"math"
	"time"

	"livelab/pipeline/detmath"
	"livelab/pipeline/features"
	"livelab/pipeline/metrics"
	"livelab/pipeline/model"
)

// climatologyColumn is the column that the rival of that name forecasts with.
const climatologyColumn = "climatology"

// TestSample scores the labelled rows from one time to another, both included,
// with a model, as serving does. With the From and To of a report's test part
// these are the rows of that test part, in whichever model is asked.
//
// Where the climatology is missing, the rate of shortage stands in for it that
// was known at the first of the rows: of all labelled rows that lie the
// embargo before it, or one half where there are none.
func TestSample(ctx context.Context, m *model.Model, rows Rows, from, to time.Time) (metrics.Sample, error) {
	t, z := newTable(rows.Task()), []float64(nil)
	err := walk(ctx, rows, from, to, func(f *features.Frame, labelled []int) (err error) {
		t.add(f, labelled)
		z, err = appendLogOdds(z, m, f, labelled)
		return err
	})
	if err != nil {
		return metrics.Sample{}, fmt.Errorf("score the rows from %s to %s: %w", from.Format(time.RFC3339), to.Format(time.RFC3339), err)
	}
	all := span{0, t.len()}
	base := math.NaN()
	if t.lacksClimatology(all) {
		if base, err = rateUpTo(ctx, rows, t.known(all)); err != nil {
			return metrics.Sample{}, err
		}
	}
	return t.sampleWith(all, z, base), nil
}

// rateUpTo is the rate of shortage in the rows up to a time.
func rateUpTo(ctx context.Context, rows Rows, known int64) (float64, error) {
	past := newTable(rows.Task())
	err := walk(ctx, rows, time.Time{}, time.Unix(known, 0).UTC(), func(f *features.Frame, labelled []int) error {
		past.add(f, labelled)
		return nil
	})
	return past.rateUpTo(known), err
}

// appendLogOdds asks the model for rows of a frame as serving does, so that the
// bits are the same.
func appendLogOdds(z []float64, m *model.Model, f *features.Frame, rows []int) ([]float64, error) {
	columns, err := m.FrameVectors(f)
	if err != nil {
		return nil, err
	}
	all := make([]float64, f.Rows())
	m.LogOddsOf(all, columns)
	return appendRows(z, all, rows), nil
}

// sample makes forecasts of rows' log odds, which it takes over.
func (t *table) sample(s span, z []float64) metrics.Sample {
	base := math.NaN()
	if t.lacksClimatology(s) {
		base = t.rateUpTo(t.known(s))
	}
	return t.sampleWith(s, z, base)
}

// sampleWith has base stand in where the climatology is missing.
func (t *table) sampleWith(s span, z []float64, base float64) metrics.Sample {
	sample := metrics.Sample{
		At:          t.at[s.lo:s.hi],
		Outcome:     t.outcomes(s),
		ShortNow:    t.shortNow[s.lo:s.hi],
		Model:       z,
		Climatology: make([]float64, s.len()),
	}
	if t.entity != nil {
		sample.Entity = t.entity[s.lo:s.hi]
	}
	for i, v := range z {
		z[i] = detmath.Sigmoid(v)
	}
	for i, p := range t.climatology[s.lo:s.hi] {
		if math.IsNaN(p) {
			p = base
		}
		sample.Climatology[i] = min(max(p, 0), 1)
	}
	return sample
}

func (t *table) lacksClimatology(s span) bool {
	for _, p := range t.climatology[s.lo:s.hi] {
		if math.IsNaN(p) {
			return true
		}
	}
	return false
}

// known is the time up to which outcomes were known at the first of some rows,
// in Unix seconds.
func (t *table) known(s span) int64 { return t.at[s.lo] - int64(t.task.Embargo()/time.Second) }

// rateUpTo is the rate of shortage among the rows up to a time, one half where
// there are none.
func (t *table) rateUpTo(known int64) float64 {
	var rows, short int
	for i := 0; i < t.len() && t.at[i] <= known; i++ {
		rows++
		if t.short[i] {
			short++
		}
	}
	if rows == 0 {
		return 0.5
	}
	return float64(short) / float64(rows)
}

// thresholdAt is the newest q_t that is known at a row, NaN where there is
// none.
func (t *table) thresholdAt(row int) float64 {
	for ; row >= 0 && t.threshold != nil; row-- {
		if q := t.threshold[row]; !math.IsNaN(q) {
			return q
		}
	}
	return math.NaN()
}

// defaults keeps a threshold for clients that do not know it.
func defaults(threshold float64) map[string]float64 {
	if math.IsNaN(threshold) {
		return nil
	}
	return map[string]float64{features.Threshold: threshold}
}
