package server

import (
	"context"
	"math"
	"time"

	"livelab/pipeline/dataset"
	"livelab/pipeline/features"
)

// Stations gives the newest stored row of a station. An empty network stands
// for the only one.
type Stations interface {
	NewestOf(ctx context.Context, task features.Task, network, station string) (dataset.Row, error)
}

// stationModel is the model that answers for stations where the one of the
// classic surface is about something else.
const stationModel = "station-shortage"

// source is where a row came from. It is zero when the client gave the row.
type source struct {
	network, station string
	asOf, weatherAt  time.Time
	stored           map[string]float64 // all that is stored
}

// answering finds the model for a question: v, unless it asks for stored data
// of what v is not about.
func (s *Server) answering(v *served, q *question) (*served, error) {
	aboutStations := v.Model.Task.Entity == features.EntityStation
	switch {
	case q.given:
		return v, nil
	case q.station == "" && aboutStations:
		return nil, invalid([]FieldError{{"station", "is needed: the model is about stations"}})
	case q.station == "" || aboutStations:
		return v, nil
	}
	other, err := s.forStations(v)
	if err != nil {
		return nil, err
	}
	asked := *q
	q.reset(len(other.schema.columns))
	q.network, q.station, q.language = asked.network, asked.station, asked.language
	return other, nil
}

// forStations finds a model in service that is about stations, beside v.
func (s *Server) forStations(v *served) (*served, error) {
	if s.deps.Repository != nil {
		l, err := s.deps.Repository.Find(stationModel, "")
		if err == nil && l.Model.Task.Entity == features.EntityStation {
			return s.servedOf(l), nil
		}
	}
	p := noStationModel.problem("the model in service, %s, is about a whole network and can say nothing of one station; ask for the network, or put a model about stations in service", v.Model.Name)
	p.Missing = []string{"the model " + stationModel}
	return nil, p
}

// newest reads the stored row that a question is about.
func (s *Server) newest(ctx context.Context, task features.Task, q *question) (dataset.Row, error) {
	ctx, cancel := context.WithTimeout(ctx, s.cfg.StoreTimeout)
	defer cancel()
	switch {
	case task.Entity != features.EntityStation:
		return s.deps.Rows.Newest(ctx, task, q.network)
	case s.deps.Stations == nil:
		p := noData.problem("this server reads no stored data of stations; give the features")
		p.Missing = []string{"stored data of stations"}
		return dataset.Row{}, p
	}
	return s.deps.Stations.NewestOf(ctx, task, q.network, q.station)
}

// fill takes the question's row from the newest stored one.
func (s *Server) fill(ctx context.Context, v *served, q *question) (source, error) {
	row, err := s.newest(ctx, v.Model.Task, q)
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
	return source{network: row.Network, station: q.station, asOf: row.AsOf, weatherAt: row.WeatherAt, stored: row.Values}, nil
}

// rowError tells an unreadable store from the errors that say what is missing
// in it.
func rowError(err error) error {
	if p := problemOf(err); p.Status != internal.status {
		return err
	}
	return storeAway.problem("the store cannot be read at the moment; try again").because(err)
}
