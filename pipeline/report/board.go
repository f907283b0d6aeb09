package report

import (
	"cmp"
	"slices"

	"gonum.org/v1/plot/vg"

	"livelab/pipeline/metrics"
)

// row is a forecaster on the rows of a board.
type row struct {
	name      string
	proba     []float64
	threshold float64

	Scores    metrics.Scores
	Intervals metrics.Intervals

	// Over is what the model scores above the forecaster, on the same rows.
	Over          metrics.Scores
	OverIntervals metrics.Intervals

	drawn  bool // in the figures
	hue    hue
	dashes []vg.Length
	width  float64
}

// Name of the forecaster, for the templates.
func (r row) Name() string { return r.name }

// board has the model first and its rivals after it, on the same rows.
type board struct {
	rows      []row
	Samples   int
	Positives int
}

// Rows for the templates.
func (b board) Rows() []row { return b.rows }

// Rivals are the rows but the model's.
func (b board) Rivals() []row { return b.rows[1:] }

// newBoard scores everyone on a sample. keep picks the rows of other columns
// of the test part that belong to it; nil picks all.
// known are the intervals that were measured at training; nil for none.
func (p *page) newBoard(s metrics.Sample, known *metrics.BoardIntervals, keep func([]float64) []float64) board {
	if keep == nil {
		keep = func(xs []float64) []float64 { return xs }
	}
	always := make([]float64, s.Len())
	for i := range always {
		always[i] = 1
	}
	climatology := float64(p.in.Metrics.Baselines.Climatology.Threshold)
	b := board{Samples: s.Len()}
	b.rows = []row{
		{name: "model", proba: s.Model, threshold: p.in.Model.Threshold, drawn: true, hue: ours, dashes: solid, width: 2},
		{name: "persistence", proba: s.Persistence(), threshold: 0.5, drawn: true, hue: orange, dashes: mixed, width: 1.25},
		{name: "climatology", proba: s.Climatology, threshold: climatology, drawn: true, hue: green, dashes: dashed, width: 1.25},
		{name: "always short", proba: always, threshold: 0.5},
	}
	if c := p.in.Champion; c != nil {
		b.rows = append(b.rows, row{name: "champion", proba: keep(c.Forecasts), threshold: c.Model.Threshold, drawn: true, hue: purple, dashes: dotted, width: 1.5})
	}
	if known != nil && p.in.Champion == nil {
		b.take(s, *known)
	} else {
		b.score(s)
	}
	b.Positives = b.rows[0].Scores.Positives
	return b
}

// take scores the rows, whose intervals are known.
func (b *board) take(s metrics.Sample, known metrics.BoardIntervals) {
	intervals := []metrics.Intervals{known.Model, known.Persistence, known.Climatology, known.AlwaysShort}
	over := []metrics.Intervals{{}, known.OverPersistence, known.OverClimatology, known.OverAlwaysShort}
	for i := range b.rows {
		r := &b.rows[i]
		r.Scores = metrics.Evaluate(r.proba, s.Outcome, r.threshold)
		r.Intervals, r.OverIntervals = intervals[i], over[i]
		r.Over = less(b.rows[0].Scores, r.Scores)
	}
}

// score measures the rows on the same resamples of the sample's days.
func (b *board) score(s metrics.Sample) {
	days := metrics.NewResampler(s.At, metrics.DefaultResamples, metrics.DefaultSeed)
	var model metrics.Resampled
	for i := range b.rows {
		r := &b.rows[i]
		r.Scores = metrics.Evaluate(r.proba, s.Outcome, r.threshold)
		drawn := days.Scores(r.proba, s.Outcome, r.threshold)
		r.Intervals = drawn.Intervals()
		if i == 0 {
			model = drawn
			continue
		}
		r.Over = less(b.rows[0].Scores, r.Scores)
		r.OverIntervals = model.Over(drawn)
	}
}

func less(a, b metrics.Scores) metrics.Scores {
	return metrics.Scores{
		F1: a.F1 - b.F1, PRAUC: a.PRAUC - b.PRAUC, ROCAUC: a.ROCAUC - b.ROCAUC, Brier: a.Brier - b.Brier, ECE: a.ECE - b.ECE,
	}
}

// onset keeps the values of the rows that are not short now.
func (p *page) onset(xs []float64) []float64 {
	var kept []float64
	for i, now := range p.in.Test.ShortNow {
		if !now {
			kept = append(kept, xs[i])
		}
	}
	return kept
}

// station is one of the rows' stations.
type station struct {
	Station
	Rows, Positives    int
	Brier, Climatology float64 // Brier scores
}

// leastStationRows is how many rows a station is judged by.
const leastStationRows = 48

// scoreStations scores the stations that have rows enough, the worst first.
func (p *page) scoreStations() (judged []station, left int) {
	if p.in.Test.Entity == nil {
		return nil, 0
	}
	all := make([]station, len(p.in.Stations))
	for i, s := range p.in.Stations {
		all[i].Station = s
	}
	outcome := p.in.Test.Outcome
	ours, theirs := metrics.SquaredErrors(p.in.Test.Model, outcome), metrics.SquaredErrors(p.in.Test.Climatology, outcome)
	for i, e := range p.in.Test.Entity {
		s := &all[e]
		s.Rows++
		if outcome[i] {
			s.Positives++
		}
		s.Brier += ours[i]
		s.Climatology += theirs[i]
	}
	for _, s := range all {
		if s.Rows < leastStationRows {
			left++
			continue
		}
		s.Brier /= float64(s.Rows)
		s.Climatology /= float64(s.Rows)
		judged = append(judged, s)
	}
	slices.SortFunc(judged, func(a, b station) int {
		return cmp.Or(cmp.Compare(b.Brier, a.Brier), cmp.Compare(a.ID, b.ID))
	})
	return judged, left
}
