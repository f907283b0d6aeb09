package forecast

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"livelab/pipeline/dataset"
	"livelab/pipeline/features"
	"livelab/pipeline/model"
	"livelab/pipeline/observation"
	"livelab/runtime/loader"
)

var noon = time.Date(2026, 5, 11, 12, 0, 0, 0, time.UTC)

// fake is a store with its rows: networks with stations that show a count each.
type fake struct {
	mu       sync.Mutex
	networks []string
	asOf     map[string]time.Time
	weather  time.Time
	stations []observation.Station
	bikes    []float64 // of each station
	missing  []string  // of each station
	totals   []observation.Totals
	err      error // of the store
	rowsErr  error
	panics   bool

	reads atomic.Int64 // of rows
	task  features.Task
}

// newFake has one network whose n stations show 0 to n-1 bikes.
func newFake(n int) *fake {
	f := &fake{networks: []string{"oslo"}, asOf: map[string]time.Time{"oslo": noon}, weather: noon}
	for i := range n {
		f.stations = append(f.stations, observation.Station{ID: fmt.Sprintf("s%04d", i), Latitude: 59, Longitude: 10, Capacity: 20})
		f.bikes = append(f.bikes, float64(i))
		f.missing = append(f.missing, "")
	}
	return f
}

// change does what must not happen in the midst of an answer.
func (f *fake) change(do func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	do()
}

func (f *fake) Networks(context.Context) (list []observation.Network, _ error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, id := range f.networks {
		list = append(list, observation.Network{ID: id})
	}
	return list, f.err
}

func (f *fake) Newest(_ context.Context, network string) (snapshot, weather time.Time, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.asOf[network], f.weather, f.err
}

func (f *fake) Totals(_ context.Context, _ string, from, to time.Time) (list []observation.Totals, _ error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, t := range f.totals {
		if !t.At.Before(from) && !t.At.After(to) {
			list = append(list, t)
		}
	}
	return list, f.err
}

func (f *fake) AllStations(_ context.Context, task features.Task, network string) (*dataset.StationRows, error) {
	f.reads.Add(1)
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.panics {
		panic("the rows")
	}
	if f.rowsErr != nil {
		return nil, f.rowsErr
	}
	f.task = task
	n := len(f.stations)
	rows := &dataset.StationRows{Network: observation.Network{ID: network}, AsOf: f.asOf[network], WeatherAt: f.weather, Stations: f.stations, Missing: f.missing}
	names := features.ClassicInputs()
	columns := make([][]float64, len(names))
	for i, name := range names {
		columns[i] = make([]float64, n)
		for s := range columns[i] {
			columns[i][s] = math.NaN()
			if name == "free_bikes" {
				columns[i][s] = f.bikes[s]
			}
		}
	}
	at, labels := make([]time.Time, n), make([]features.Label, n)
	for s := range n {
		at[s] = rows.AsOf
		rows.States = append(rows.States, observation.State{FreeBikes: int32(f.bikes[s]), EmptySlots: 1, InService: f.missing[s] == ""})
		rows.ChangedAt = append(rows.ChangedAt, rows.AsOf)
	}
	rows.Frame = features.NewFrame(task, at, labels, labels, names, columns)
	return rows, nil
}

// fewer is a model that says: the fewer bikes, the likelier the shortage.
func fewer(t testing.TB, version string, weight float64) *loader.Loaded {
	t.Helper()
	m := &model.Model{
		Format: model.Format, Name: "station-shortage", Task: features.StationShortage(0), Threshold: 0.4,
		Calibration: model.Calibration{Slope: 1}, Dataset: "d", Training: json.RawMessage(`{}`),
		Inputs: []model.Input{{Name: "free_bikes", Mean: 2, Scale: 1, Weight: weight}, {Name: "temp_2m", Mean: 10, Scale: 5, Weight: 0.1}},
	}
	p, err := model.NewPredictor(m, nil)
	if err != nil {
		t.Fatal(err)
	}
	return &loader.Loaded{Version: version, Digest: "digest of " + version, Model: m, Predictor: p}
}

// tested is a keeper over a fake store, whose model and clocks a test sets.
type tested struct {
	*Keeper
	store    *fake
	by       atomic.Pointer[loader.Loaded]
	wall     atomic.Int64 // after noon, in nanoseconds
	data     atomic.Int64
	registry *prometheus.Registry
}

func setup(t testing.TB, store *fake, by *loader.Loaded) *tested {
	t.Helper()
	k := &tested{store: store, registry: prometheus.NewPedanticRegistry()}
	k.by.Store(by)
	var err error
	k.Keeper, err = New(Config{
		Rows: store, Store: store, Model: k.by.Load, Every: time.Hour,
		Now:        func() time.Time { return noon.Add(time.Duration(k.wall.Load())) },
		DataNow:    func() time.Time { return noon.Add(time.Duration(k.data.Load())) },
		Registerer: k.registry,
	})
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// refresh looks once and gives the forecast of the only network.
func (k *tested) refresh(t testing.TB) *Forecast {
	t.Helper()
	k.Refresh(t.Context())
	f, _, err := k.Current("")
	if err != nil {
		t.Fatal(err)
	}
	return f
}
