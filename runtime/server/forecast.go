package server

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"livelab/pipeline/detmath"
	"livelab/pipeline/features"
)

// forecast is the answer about one row.
type forecast struct {
	*served
	source
	values      []float64 // the row, for each column of the schema; NaN where absent
	x           []float64 // the model's inputs; the mean stands in for NaN
	imputed     []string  // what was missing and stood in for, never nil
	logOdds     float64
	probability float64
	positive    bool
	id          string // in the prediction log; empty where it is not logged
}

// forecast answers a question of one row. It fills the question's row in where
// that comes from the store.
func (s *Server) forecast(ctx context.Context, v *served, q *question) (*forecast, error) {
	m := scratch{question: *q}
	fs, err := s.forecasts(ctx, v, &m)
	if err != nil {
		return nil, err
	}
	return &fs[0], nil
}

// forecasts answers the question in m about each of its rows, and leaves the
// answers there. Where rows cannot be answered, the error names all of them up
// to maxErrors.
func (s *Server) forecasts(ctx context.Context, v *served, m *scratch) ([]forecast, error) {
	q := &m.question
	var from source
	if !q.given {
		var err error
		if from, err = s.fill(ctx, v, q); err != nil {
			return nil, err
		}
	}
	fs := m.rows(len(v.Model.Inputs))
	var why refusals
	for i := range fs {
		f := &fs[i]
		f.served, f.source, f.values = v, from, q.row(i)
		err := f.compute()
		if err != nil {
			err = why.add(f, q, i, err)
		}
		if err == nil && i%64 == 63 {
			err = ctx.Err() // the client may be gone
		}
		if err != nil {
			return nil, err
		}
	}
	if err := why.problem(); err != nil {
		return nil, err
	}
	return fs, nil
}

// rows gives a forecast for each row of the question, with room for the
// model's inputs.
func (m *scratch) rows(inputs int) []forecast {
	n := m.question.rows
	m.x = slices.Grow(m.x[:0], n*inputs)[:n*inputs]
	m.forecasts = slices.Grow(m.forecasts[:0], n)[:n]
	for i := range m.forecasts {
		names := m.forecasts[i].imputed[:0]
		if names == nil {
			names = []string{}
		}
		m.forecasts[i] = forecast{imputed: names, x: m.x[i*inputs : (i+1)*inputs : (i+1)*inputs]}
	}
	return m.forecasts
}

// errTooFar says that inputs took the sum out of what a float64 holds.
var errTooFar = errors.New("the row is too far from anything that the model can weigh")

// compute answers about the row in values.
func (f *forecast) compute() error {
	if err := f.Predictor.Vector(f.x, f.values); err != nil {
		return err
	}
	f.imputed = f.Predictor.AppendImputed(f.imputed, f.x, f.values)
	f.logOdds = f.Model.LogOdds(f.x)
	if math.IsNaN(f.logOdds) || math.IsInf(f.logOdds, 0) {
		return errTooFar
	}
	f.probability = detmath.Sigmoid(f.logOdds)
	f.positive = f.Model.Positive(f.probability)
	return nil
}

// tooFar names the inputs that are too far from what the model can weigh.
func (f *forecast) tooFar(path string) []FieldError {
	var errs []FieldError
	_, contributions := f.Predictor.Explain(f.x, f.values)
	for _, c := range contributions {
		if !(math.Abs(c.LogOdds) < 1e300) {
			errs = append(errs, FieldError{path + "." + c.Input, fmt.Sprintf("%v is too far from anything that the model can weigh", c.Value)})
		}
	}
	return errs
}

// refusals gathers why rows of a client have no answer.
type refusals struct {
	tooFar  []FieldError
	refused []FieldError // by a transform
	rest    []FieldError // says which rows were not tried, where some were not
}

// add takes the reason for the row i. An error that is no matter of one row of
// the client, or that is alone, comes back.
func (r *refusals) add(f *forecast, q *question, i int, err error) error {
	var refused *features.RowError
	switch {
	case errors.Is(err, errTooFar) && !q.given:
		return fmt.Errorf("the stored row of %s at %v is beyond the model: %v", f.network, f.asOf, f.tooFar("features"))
	case errors.Is(err, errTooFar):
		r.tooFar = append(r.tooFar, f.tooFar(q.path(i))...)
	case q.many && errors.As(err, &refused):
		r.refused = append(r.refused, FieldError{q.path(i) + ".transforms." + refused.Transform, refused.Reason})
	default:
		return err
	}
	if len(r.tooFar)+len(r.refused) >= maxErrors && i < q.rows-1 {
		r.rest = []FieldError{{q.listName(), fmt.Sprintf("were not tried from %s on", q.path(i+1))}}
		return r.problem()
	}
	return nil
}

// problem is nil where every row has an answer.
func (r *refusals) problem() error {
	errs := slices.Concat(r.tooFar, r.refused, r.rest)
	switch {
	case len(errs) == 0:
		return nil
	case len(r.tooFar) > 0:
		return invalid(errs)
	}
	p := rowRefused.problem("transforms of the model refuse %d rows; errors names each", len(r.refused))
	if len(errs) == 1 {
		p.Detail = fmt.Sprintf("%s: %s", errs[0].Field, errs[0].Detail)
	}
	p.Errors = errs
	return p
}
