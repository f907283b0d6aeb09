package server

import (
	"context"
	"fmt"
	"math"
	"time"

	"livelab/pipeline/dataset"
	"livelab/pipeline/detmath"
	"livelab/runtime/predlog"
)

// forecast is an answer to a question.
type forecast struct {
	*served
	x           []float64 // the model's inputs; the mean stands in for NaN
	imputed     []string  // what was missing and stood in for, never nil
	logOdds     float64
	probability float64
	positive    bool

	// network and the times of its data are zero when the client gave the
	// features.
	network         string
	asOf, weatherAt time.Time
	row             map[string]float64 // all that is stored
}

// forecast answers a question; it changes the question's values where they
// come from the store.
func (s *Server) forecast(ctx context.Context, v *served, q *question) (*forecast, error) {
	f := &forecast{served: v}
	if !q.given {
		if err := s.fill(ctx, f, q); err != nil {
			return nil, err
		}
	}
	f.x = make([]float64, len(v.Model.Inputs))
	if err := f.Predictor.Vector(f.x, q.values); err != nil {
		return nil, err
	}
	f.imputed = f.Predictor.Imputed(f.x, q.values)
	f.logOdds = v.Model.LogOdds(f.x)
	if math.IsNaN(f.logOdds) || math.IsInf(f.logOdds, 0) {
		return nil, f.tooFar(q)
	}
	f.probability = detmath.Sigmoid(f.logOdds)
	f.positive = v.Model.Positive(f.probability)
	return f, nil
}

// fill takes the question's values from the newest stored row.
func (s *Server) fill(ctx context.Context, f *forecast, q *question) error {
	ctx, cancel := context.WithTimeout(ctx, s.cfg.StoreTimeout)
	defer cancel()
	row, err := s.deps.Rows.Newest(ctx, f.Model.Task, q.network)
	if err != nil {
		return rowError(err)
	}
	f.network, f.asOf, f.weatherAt, f.row = row.Network, row.AsOf, row.WeatherAt, row.Values
	var missing []string
	for i, name := range f.schema.columns {
		v, ok := row.Values[name]
		if !ok || math.IsInf(v, 0) {
			v = math.NaN()
		}
		q.values[i] = v
		if math.IsNaN(v) && f.schema.isRequired(i) && f.Predictor.Needs(i) {
			missing = append(missing, name+" has no value that is young enough")
		}
	}
	if len(missing) > 0 {
		return &dataset.MissingError{Network: row.Network, Missing: missing}
	}
	return nil
}

// rowError tells an unreadable store from the errors that say what is missing
// in it.
func rowError(err error) error {
	if p := problemOf(err); p.Status != internal.status {
		return err
	}
	return storeAway.problem("the store cannot be read at the moment; try again").because(err)
}

// tooFar says which inputs took the sum out of what a float64 holds.
func (f *forecast) tooFar(q *question) error {
	var errs []FieldError
	_, contributions := f.Predictor.Explain(f.x, q.values)
	for _, c := range contributions {
		if !(math.Abs(c.LogOdds) < 1e300) {
			errs = append(errs, FieldError{"features." + c.Input, fmt.Sprintf("%v is too far from anything that the model can weigh", c.Value)})
		}
	}
	if !q.given {
		return fmt.Errorf("the stored row of %s at %v is beyond the model: %v", f.network, f.asOf, errs)
	}
	return invalid(errs)
}

// prediction is the forecast as it is logged; it shares the question's values.
func (f *forecast) prediction(q *question, at time.Time, latency time.Duration, requestID string) predlog.Prediction {
	return predlog.Prediction{
		At:           at,
		Role:         predlog.Served,
		RequestID:    requestID,
		Model:        f.Model.Name,
		Version:      f.Version,
		Digest:       f.Digest,
		Network:      f.network,
		AsOf:         f.asOf,
		Features:     predlog.Features{Names: f.schema.columns, Values: q.values},
		Probability:  f.probability,
		Positive:     f.positive,
		Threshold:    f.Model.Threshold,
		Latency:      latency,
		HorizonHours: f.Model.Task.Horizon().Hours(),
	}
}

// record counts an answer and hands it to the log and to the shadow. It gives
// the prediction's ID, empty where there is no log.
func (s *Server) record(f *forecast, q *question, at time.Time, requestID string) (id string) {
	latency := s.now().Sub(at)
	s.metrics.latency.Observe(latency.Seconds())
	s.metrics.scores.Observe(f.probability)
	if f.positive {
		f.positives.Inc()
	} else {
		f.negatives.Inc()
	}
	if s.deps.Log == nil {
		return ""
	}
	ps := [1]predlog.Prediction{f.prediction(q, at, latency, requestID)}
	s.deps.Log.Add(ps[:])
	if s.deps.Shadow != nil {
		s.deps.Shadow.Offer(&ps[0], f.row)
	}
	return ps[0].ID
}
