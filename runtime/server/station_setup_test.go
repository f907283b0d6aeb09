package server

import (
	"context"
	"errors"
	"math"
	"testing"
	"time"

	"livelab/pipeline/dataset"
	"livelab/pipeline/features"
	"livelab/pipeline/model"
	"livelab/pipeline/observation"
	batch "livelab/runtime/forecast"
	"livelab/runtime/loader"
)

func stationShortage() *model.Model {
	m := testModel()
	m.Name = stationModel
	m.Task.Name, m.Task.Entity, m.Task.Target = stationModel, features.EntityStation, features.Target{Kind: features.AtMost}
	return m
}

// snapshot is a store with one network of three stations: 465 with all that is
// known, 466 of which the slots are not, and 467 out of service.
type snapshot struct {
	asOf time.Time
	err  error
}

func (s *snapshot) Networks(context.Context) ([]observation.Network, error) {
	return []observation.Network{{ID: "oslo-bysykkel", Name: "Oslo Bysykkel"}}, s.err
}

func (s *snapshot) Newest(context.Context, string) (snapshot, weather time.Time, err error) {
	return s.asOf, s.asOf, s.err
}

func (s *snapshot) Totals(context.Context, string, time.Time, time.Time) ([]observation.Totals, error) {
	return nil, errors.New("nobody asks for these")
}

func (s *snapshot) AllStations(_ context.Context, task features.Task, network string) (*dataset.StationRows, error) {
	nan := math.NaN()
	names := features.ClassicInputs()
	columns := [][]float64{{1, 1, nan}, {3, 1, nan}, {7, nan, nan}, {10, nan, nan}, {0.3, nan, nan}, {10, 10, nan}, {0, 0, nan}, {10, 10, nan}}
	at := []time.Time{s.asOf, s.asOf, s.asOf}
	none := make([]features.Label, 3)
	return &dataset.StationRows{
		Network: observation.Network{ID: network, Name: "Oslo Bysykkel"}, AsOf: s.asOf, WeatherAt: s.asOf.Add(-12 * time.Minute),
		Stations: []observation.Station{
			{ID: "465", Name: "Bislett", Latitude: 59.925, Longitude: 10.731, Capacity: 10},
			{ID: "466", Name: "Alexander Kiellands Plass", Latitude: nan, Longitude: nan, Capacity: observation.Unknown},
			{ID: "467", Name: "Sofienbergparken", Latitude: 59.92, Longitude: 10.76, Capacity: 20},
		},
		States: []observation.State{
			{FreeBikes: 3, EmptySlots: 7, InService: true}, {FreeBikes: 1, EmptySlots: observation.Unknown, InService: true}, observation.Gone,
		},
		ChangedAt: []time.Time{s.asOf.Add(-time.Minute), s.asOf, {}},
		Frame:     features.NewFrame(task, at, none, none, names, columns),
		Missing:   []string{"", "", "it is out of service"},
	}, nil
}

// keeper has the forecast of the snapshot by a model, which may be nil.
func keeper(t testing.TB, from *snapshot, by *loader.Loaded) *batch.Keeper {
	t.Helper()
	k, err := batch.New(batch.Config{
		Rows: from, Store: from, Model: func() *loader.Loaded { return by },
		DataNow: func() time.Time { return noon }, Now: func() time.Time { return noon },
	})
	if err != nil {
		t.Fatal(err)
	}
	k.Refresh(t.Context())
	return k
}

// lately is a snapshot that stands for noon.
func lately() *snapshot { return &snapshot{asOf: noon.Add(-3 * time.Minute)} }

// withStations has the forecast of stations by a model beside the one in
// service, or without one.
func withStations(t testing.TB, by *loader.Loaded) option {
	return withSnapshot(t, lately(), by)
}

func withSnapshot(t testing.TB, from *snapshot, by *loader.Loaded) option {
	k := keeper(t, from, by)
	return func(_ *Config, d *Deps) {
		d.Stations = k
		if d.Repository == nil && by != nil {
			d.Repository = &repository{loaded: map[string]*loader.Loaded{"": by}}
		}
	}
}
