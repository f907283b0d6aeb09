package train

import (
	"math"
	"time"

	"livelab/pipeline/detmath"
	"livelab/pipeline/features"
	"livelab/pipeline/metrics"
	"livelab/pipeline/model"
)

// climatologyColumn is the column that the rival of that name forecasts with.
const climatologyColumn = "climatology"

// TestSample scores the frame's labelled rows from one time to another, both
// included, with a model. With the From and To of a report's test part these
// are the rows of that test part, in whichever model is asked.
//
// Where the climatology is missing, the rate of shortage stands in for it that
// was known at the first of the rows: of all labelled rows that lie the
// embargo before it, or one half where there are none.
func TestSample(m *model.Model, f *features.Frame, from, to time.Time) (metrics.Sample, error) {
	var rows []int
	for _, row := range labelled(f) {
		if at := f.At[row]; !at.Before(from) && !at.After(to) {
			rows = append(rows, row)
		}
	}
	return newSample(m, f, rows)
}

func newSample(m *model.Model, f *features.Frame, rows []int) (metrics.Sample, error) {
	s := metrics.Sample{
		At:          make([]int64, len(rows)),
		Outcome:     outcomes(f, rows),
		ShortNow:    make([]bool, len(rows)),
		Climatology: climatology(f, rows),
	}
	for i, row := range rows {
		s.At[i] = f.At[row].Unix()
		s.ShortNow[i] = f.ShortNow[row] == features.Short
	}
	var err error
	if s.Model, err = logOdds(m, f, rows); err != nil {
		return metrics.Sample{}, err
	}
	for i, z := range s.Model {
		s.Model[i] = detmath.Sigmoid(z)
	}
	return s, nil
}

// classicScores measures the model on rows of which it is told the eight
// classic inputs alone, as many a client does.
func classicScores(m *model.Model, f *features.Frame, rows []int, ts []features.Transform) (metrics.Scores, error) {
	p, err := model.NewPredictor(m, ts)
	if err != nil {
		return metrics.Scores{}, err
	}
	values, x := make([]float64, len(p.Columns())), make([]float64, len(m.Inputs))
	probability := make([]float64, len(rows))
	for i, row := range rows {
		for j, name := range p.Columns() {
			values[j] = math.NaN()
			if features.Classic(name) {
				values[j] = f.Value(name, row)
			}
		}
		if err := p.Vector(x, values); err != nil {
			return metrics.Scores{}, err
		}
		probability[i] = m.Probability(x)
	}
	return metrics.Evaluate(probability, outcomes(f, rows), m.Threshold), nil
}

// logOdds asks the model as serving does, so that the bits are the same.
func logOdds(m *model.Model, f *features.Frame, rows []int) ([]float64, error) {
	columns, err := m.FrameVectors(f)
	if err != nil {
		return nil, err
	}
	z := make([]float64, len(rows))
	x := make([]float64, len(columns))
	for i, row := range rows {
		for j, c := range columns {
			x[j] = c[row]
		}
		z[i] = m.LogOdds(x)
	}
	return z, nil
}

func climatology(f *features.Frame, rows []int) []float64 {
	ps := make([]float64, len(rows))
	base := math.NaN()
	for i, row := range rows {
		p := f.Value(climatologyColumn, row)
		if math.IsNaN(p) {
			if math.IsNaN(base) {
				base = rateBefore(f, f.At[rows[0]])
			}
			p = base
		}
		ps[i] = min(max(p, 0), 1)
	}
	return ps
}

// rateBefore is the rate of shortage among the rows whose outcome was known at
// a time.
func rateBefore(f *features.Frame, at time.Time) float64 {
	var rows, short int
	known := at.Add(-f.Task.Embargo())
	for i := range f.Rows() {
		if f.At[i].After(known) {
			break
		}
		if isLabelled(f, i) {
			rows++
			if f.Short[i] == features.Short {
				short++
			}
		}
	}
	if rows == 0 {
		return 0.5
	}
	return float64(short) / float64(rows)
}
