package server

import (
	"fmt"
	"math"
	"time"

	"livelab/pipeline/dataset"
	"livelab/pipeline/features"
	batch "livelab/runtime/forecast"
	"livelab/runtime/jsonscan"
	"livelab/runtime/loader"
)

// Stations has the current forecast of the stations of each network.
type Stations interface {
	// Current gives that of a network, where an empty one stands for the only
	// one, and why there is no newer one where the last attempt failed.
	Current(network string) (*batch.Forecast, *batch.Failure, error)

	// All lists them, by network.
	All() []batch.Summary
}

// stationModel is the model that answers for stations where the one of the
// classic surface is about something else.
const stationModel = "station-shortage"

// stationRow is a station in the forecast that a question is answered from.
type stationRow struct {
	forecast *batch.Forecast
	index    int
}

func (r stationRow) station() *batch.Station { return &r.forecast.Stations[r.index] }

// answeringStation finds the forecast that has the station of a question. It is
// answered by the model that made that forecast, so that the answers about a
// station are one, whoever asks for it.
func (s *Server) answeringStation(v *served, q *question) (*served, error) {
	if s.stationModel() == nil {
		p := noStationModel.problem("the model in service, %s, is about a whole network and can say nothing of one station; ask for the network, or put a model about stations in service", v.Model.Name)
		p.Missing = []string{"the model " + stationModel}
		return nil, p
	}
	row, err := s.answered(q.network, q.station)
	if err != nil {
		return nil, err
	}
	by, asked := s.servedOf(row.forecast.By), *q
	q.reset(len(by.schema.columns))
	q.network, q.station, q.language, q.of = asked.network, asked.station, asked.language, row
	return by, nil
}

// stationModel is the model in service that is about stations, nil where there
// is none: that of the classic surface, or the one beside it.
func (s *Server) stationModel() *loader.Loaded {
	if l := s.deps.Models.Current(); l != nil && l.Model.Task.Entity == features.EntityStation {
		return l
	}
	if s.deps.Repository == nil {
		return nil
	}
	l, err := s.deps.Repository.Find(stationModel, "")
	if err != nil || l.Model.Task.Entity != features.EntityStation {
		return nil
	}
	return l
}

// station finds a station in the current forecast of its network.
func (s *Server) station(network, id string) (stationRow, *batch.Failure, error) {
	f, failure, err := s.stationForecast(network)
	if err != nil {
		return stationRow{}, nil, err
	}
	i, found := f.Find(id)
	if !found {
		p := unknownStation.problem("there is no station %q in %s; GET /api/stations?network=%s lists its %d stations",
			jsonscan.Printable(id), f.Network.ID, f.Network.ID, len(f.Stations))
		p.Errors = []FieldError{{"station", "is not the ID of a station in " + f.Network.ID}}
		return stationRow{}, nil, p
	}
	return stationRow{f, i}, failure, nil
}

func (s *Server) stationForecast(network string) (*batch.Forecast, *batch.Failure, error) {
	if s.deps.Stations == nil {
		p := noData.problem("this server reads no stored data of stations; give the features, or start it with --stations")
		p.Missing = []string{"stored data of stations"}
		return nil, nil, p
	}
	f, failure, err := s.deps.Stations.Current(network)
	if err != nil {
		return nil, nil, rowError(err)
	}
	return f, failure, nil
}

// answered finds a station that there is an answer for that still stands.
func (s *Server) answered(network, id string) (stationRow, error) {
	row, _, err := s.station(network, id)
	if err != nil {
		return row, err
	}
	f, now := row.forecast, s.deps.DataNow()
	switch {
	case f.Stale(now):
		return row, &dataset.MissingError{Network: f.Network.ID, Missing: []string{staleness(f, now)}}
	case f.By == nil:
		return row, noStation(row, "a model has come into service just now, and the forecast by it is being made; try again in a moment")
	case row.station().Missing != "":
		return row, noStation(row, row.station().Missing)
	}
	return row, nil
}

func noStation(row stationRow, why string) *Problem {
	p := noData.problem("there is no forecast for the station %q of %s: %s", row.station().ID, row.forecast.Network.ID, why)
	p.Missing = []string{why}
	return p
}

// staleness says that a snapshot is too old.
func staleness(f *batch.Forecast, now time.Time) string {
	return fmt.Sprintf("the newest snapshot of the stations is of %s, %s before now, and stands for %s; run `livelab ingest`",
		f.AsOf.UTC().Format(time.RFC3339), f.Age(now).Round(time.Minute), f.TTL())
}

// fillStation takes the question's row from the forecast. What a station has no
// value of is imputed and named: its capacity may never have been known.
func (s *Server) fillStation(v *served, q *question) source {
	f, values, stored := q.of.forecast, q.row(0), q.of.forecast.Row(q.of.index)
	for i, name := range v.schema.columns {
		value, ok := stored[name]
		if !ok || math.IsInf(value, 0) {
			value = math.NaN()
		}
		values[i] = value
	}
	return source{
		network: f.Network.ID, station: q.station, stationName: f.Stations[q.of.index].Name, asOf: f.AsOf, weatherAt: f.WeatherAt,
		age: f.Age(s.deps.DataNow()), stored: stored,
	}
}
