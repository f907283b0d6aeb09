package server

import (
	"context"
	"math"
	"time"

	"livelab/pipeline/dataset"
	"livelab/pipeline/features"
)

// source is where a row came from. It is zero when the client gave the row.
type source struct {
	network, station string
	stationName      string // empty where the source gives none
	asOf, weatherAt  time.Time
	age              time.Duration      // of asOf, by the clock of the data
	stored           map[string]float64 // all that is stored; nil where nobody wants it
}

// answering finds the model for a question: v, unless it asks for stored data
// of what v is not about.
func (s *Server) answering(v *served, q *question) (*served, error) {
	switch {
	case q.given:
		return v, nil
	case q.station != "":
		return s.answeringStation(v, q)
	case v.Model.Task.Entity == features.EntityStation:
		return nil, invalid([]FieldError{{"station", "is needed: the model is about stations"}})
	}
	return v, nil
}

// fill takes the question's row from the newest stored one.
func (s *Server) fill(ctx context.Context, v *served, q *question) (source, error) {
	if q.of.forecast != nil {
		return s.fillStation(v, q), nil
	}
	ctx, cancel := context.WithTimeout(ctx, s.cfg.StoreTimeout)
	defer cancel()
	row, err := s.deps.Rows.Newest(ctx, v.Model.Task, q.network)
	if err != nil {
		return source{}, rowError(err)
	}
	var missing []string
	values := q.row(0)
	for i, name := range v.schema.columns {
		value, ok := row.Values[name]
		if !ok || math.IsInf(value, 0) {
			value = math.NaN()
		}
		values[i] = value
		if math.IsNaN(value) && v.schema.isRequired(i) && v.Predictor.Needs(i) {
			missing = append(missing, name+" has no value that is young enough")
		}
	}
	if len(missing) > 0 {
		return source{}, &dataset.MissingError{Network: row.Network, Missing: missing}
	}
	return source{
		network: row.Network, asOf: row.AsOf, weatherAt: row.WeatherAt,
		age: s.deps.DataNow().Sub(row.AsOf), stored: row.Values,
	}, nil
}

// rowError tells an unreadable store from the errors that say what is missing
// in it.
func rowError(err error) error {
	if p := problemOf(err); p.Status != internal.status {
		return err
	}
	return storeAway.problem("the store cannot be read at the moment; try again").because(err)
}
