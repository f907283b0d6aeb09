package server

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"livelab/pipeline/dataset"
	"livelab/pipeline/features"
	"livelab/pipeline/metrics"
	"livelab/pipeline/model"
	"livelab/runtime/loader"
	"livelab/runtime/predlog"
)

var noon = time.Date(2026, 5, 11, 12, 0, 0, 0, time.UTC)

// classic are inputs that the test model answers with 0.5 plus the intercept:
// all of them at their mean.
const classic = `{"stations_count":100,"free_bikes":400,"empty_slots":600,"total_slots":1000,"free_ratio":0.4,"temp_2m":10,"precipitation":0,"wind_speed_10m":10}`

// testModel reads the classic eight, which are required, and climatology,
// which is not.
func testModel() *model.Model {
	return &model.Model{
		Format:      model.Format,
		Name:        "network-shortage",
		Task:        features.NetworkShortage(),
		Intercept:   -1,
		Threshold:   0.4,
		Calibration: model.Calibration{Slope: 1},
		Dataset:     "d",
		Training:    json.RawMessage(`{}`),
		Inputs: []model.Input{
			{Name: "stations_count", Mean: 100, Scale: 10, Weight: 0.1},
			{Name: "free_bikes", Mean: 400, Scale: 50, Weight: -0.5},
			{Name: "empty_slots", Mean: 600, Scale: 50, Weight: 0.5},
			{Name: "total_slots", Mean: 1000, Scale: 10, Weight: 0},
			{Name: "free_ratio", Mean: 0.4, Scale: 0.1, Weight: -2},
			{Name: "temp_2m", Mean: 10, Scale: 5, Weight: 0.2},
			{Name: "precipitation", Mean: 0, Scale: 1, Weight: -0.1},
			{Name: "wind_speed_10m", Mean: 10, Scale: 5, Weight: -0.1},
			{Name: "climatology", Mean: 0.2, Scale: 0.1, Weight: 0.3, Optional: true},
		},
	}
}

func load(t testing.TB, m *model.Model, version string, ts ...features.Transform) *loader.Loaded {
	t.Helper()
	b, err := model.Encode(m)
	if err != nil {
		t.Fatal(err)
	}
	p, err := model.NewPredictor(m, ts)
	if err != nil {
		t.Fatal(err)
	}
	nan := metrics.Score(math.NaN())
	return &loader.Loaded{
		Version:   version,
		Digest:    model.Digest(b),
		Model:     m,
		Predictor: p,
		Metadata:  model.Metadata{ModelVersion: version, Network: "oslo-bysykkel", TargetRule: "free_ratio(t+60min) < q20 of 14 days", TrainedAt: "2026-05-11T11:00:00Z"},
		Report: metrics.Report{
			Scores: metrics.Scores{Samples: 2000, Positives: 400, F1: 0.891, PRAUC: 0.957, ROCAUC: 0.982, Brier: 0.039, ECE: 0.012},
			Baselines: metrics.Forecasters{
				Persistence: metrics.Scores{F1: 0.886, PRAUC: 0.823, ROCAUC: 0.93, Brier: 0.051, ECE: 0.051},
				Climatology: metrics.Scores{F1: 0.712, PRAUC: 0.754, ROCAUC: 0.88, Brier: 0.098, ECE: 0.02},
			},
			Onset: metrics.Scores{PRAUC: 0.61},
			OnsetBaselines: metrics.Forecasters{
				Persistence: metrics.Scores{PRAUC: nan}, Climatology: metrics.Scores{PRAUC: 0.31},
			},
			Test: metrics.Part{From: "2026-04-20T00:00:00Z", To: "2026-05-11T10:00:00Z"},
		},
		Verdict:  loader.Verdict{Result: "pass", Conclusion: "All rules that apply hold."},
		LoadedAt: noon.Add(-time.Hour),
	}
}

// models is a loader whose reload is decided by the test.
type models struct {
	mu      sync.Mutex
	current *loader.Loaded
	next    *loader.Loaded
	err     error
	failure *loader.Failure
}

func (m *models) Failure() *loader.Failure {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.failure
}

func (m *models) Current() *loader.Loaded {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.current
}

func (m *models) Reload(context.Context) (loader.Loaded, bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.err != nil {
		return loader.Loaded{}, false, m.err
	}
	changed := m.next != nil
	if changed {
		m.current, m.next = m.next, nil
	}
	return *m.current, changed, nil
}

// rows answers like a store with one network, or with its error.
type rows struct {
	row dataset.Row
	err error
}

func (r rows) Newest(_ context.Context, _ features.Task, network string) (dataset.Row, error) {
	if r.err != nil {
		return dataset.Row{}, r.err
	}
	if network != "" && network != r.row.Network {
		return dataset.Row{}, &dataset.NetworkError{Network: network, Known: []string{r.row.Network}}
	}
	return r.row, nil
}

func newestRow(t testing.TB, without ...string) dataset.Row {
	t.Helper()
	values := make(map[string]float64)
	if err := json.Unmarshal([]byte(classic), &values); err != nil {
		t.Fatal(err)
	}
	values["unix_time"] = 1 // a column that this model does not read
	for _, name := range without {
		delete(values, name)
	}
	return dataset.Row{Network: "oslo-bysykkel", AsOf: noon.Add(-3 * time.Minute), WeatherAt: noon.Add(-15 * time.Minute), Values: values}
}

// memoryLog keeps what is logged.
type memoryLog struct {
	mu  sync.Mutex
	ps  []predlog.Prediction
	err error
}

func (l *memoryLog) Add(ps []predlog.Prediction) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i := range ps {
		if ps[i].ID == "" {
			ps[i].ID = fmt.Sprint("id", len(l.ps))
		}
		p := ps[i]
		p.Features.Values = slices.Clone(p.Features.Values) // borrowed
		l.ps = append(l.ps, p)
	}
}

func (l *memoryLog) RecentPredictions(_ context.Context, limit int) ([]predlog.Prediction, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.ps[:min(limit, len(l.ps))], l.err
}

func (l *memoryLog) logged() []predlog.Prediction {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.ps
}

// testServer is a server with all that it stands on.
type testServer struct {
	*Server
	models   *models
	log      *memoryLog
	registry *prometheus.Registry
	logged   *strings.Builder
}

// option changes what a test's server stands on.
type option func(*Config, *Deps)

func setup(t testing.TB, options ...option) *testServer {
	t.Helper()
	ts := &testServer{
		models:   &models{current: load(t, testModel(), "v1")},
		log:      &memoryLog{},
		registry: prometheus.NewPedanticRegistry(),
		logged:   &strings.Builder{},
	}
	cfg := Config{Version: "1.2.3"}
	deps := Deps{
		Models: ts.models,
		Rows:   rows{row: newestRow(t)},
		Log:    ts.log,
		Recent: ts.log,
		Status: func(context.Context) Status {
			return Status{
				Source:     "simulated",
				LastIngest: noon.Add(-time.Minute),
				Networks:   []NetworkStatus{{ID: "oslo-bysykkel", Name: "Oslo Bysykkel", NewestBikes: noon.Add(-3 * time.Minute), NewestWeather: noon.Add(-15 * time.Minute)}},
			}
		},
		Logger:     slog.New(slog.NewJSONHandler(ts.logged, nil)),
		Now:        func() time.Time { return noon },
		Registerer: ts.registry,
		Gatherer:   ts.registry,
	}
	for _, o := range options {
		o(&cfg, &deps)
	}
	var err error
	if ts.Server, err = New(cfg, deps); err != nil {
		t.Fatal(err)
	}
	return ts
}

func withoutModel(_ *Config, d *Deps) {
	d.Models = &models{err: errors.New("the alias champion points nowhere")}
}
func withAdminToken(c *Config, _ *Deps) { c.AdminToken = "open sesame" }
func withExplainToken(c *Config, _ *Deps) {
	c.ExplainToken = "tell me why"
}

func withRows(r Rows) option { return func(_ *Config, d *Deps) { d.Rows = r } }

func withStoreDown(_ *Config, d *Deps) {
	d.Status = func(context.Context) Status { return Status{Source: "live", Store: errors.New("connection refused")} }
	d.Recent = &memoryLog{err: errors.New("connection refused")}
	d.Rows = rows{err: errors.New("connection refused")}
}

// do sends a request; headers come in pairs.
func do(h http.Handler, method, path, body string, headers ...string) *httptest.ResponseRecorder {
	var reader io.Reader = http.NoBody
	if body != "" {
		reader = strings.NewReader(body)
	}
	r := httptest.NewRequest(method, path, reader)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}
