package server

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"livelab/pipeline/metrics"
	"livelab/pipeline/publish"
	"livelab/plugins/abi"
	batch "livelab/runtime/forecast"
	"livelab/runtime/loader"
	"livelab/runtime/predlog"
	"livelab/runtime/wasm/catalogue"
)

// The versions that the document's examples name, the one in service first.
const (
	documentedVersion = "20260511T110000Z-1a2b3c4d"
	olderVersion      = "20260504T110000Z-5e6f7a8b"
)

// withEverything has all that the document's examples speak of, and of all that
// an answer may tell something to tell.
func withEverything(t *testing.T) option {
	current, older, station := load(t, halved(), documentedVersion, half), load(t, testModel(), olderVersion), load(t, stationShortage(), "s1")
	current.Metadata.Transforms = map[string]string{half.Pin.Name: half.Pin.Digest}
	current.Metadata.Features = []string{"free_bikes"}
	current.Report.Folds = []metrics.Fold{{TrainSamples: 7, Skipped: "there were no shortages"}}
	least, greatest := 0.0, 1000.0
	return func(_ *Config, d *Deps) {
		d.Models = &models{current: current}
		d.Repository = &shelf{all: []*shelved{{station, true}, {current, true}, {older, true}}}
		withStations(t, station)(nil, d)
		d.Plugins = listing{
			Plugins: []catalogue.Entry{{
				File: "half.wasm", State: catalogue.Offered, Available: true, Since: noon, Size: 1000, Name: "half", Version: "1.0.0",
				Digest: half.Pin.Digest, Doc: "half of them", Inputs: []string{"free_bikes"}, Outputs: []abi.Output{{Name: "bikes", Doc: "bikes", Min: &least, Max: &greatest}},
			}, {File: "bad.wasm", State: catalogue.Refused, Reason: "it imports the moon", Since: noon, Inputs: []string{}, Outputs: []abi.Output{}}},
			Skipped: 1, Problem: "a file cannot be read",
		}
	}
}

// shelf is a repository in memory, with its models in the order of an index.
type shelf struct{ all []*shelved }

type shelved struct {
	*loader.Loaded
	ready bool
}

func (r *shelf) find(name, version string, ready bool) *shelved {
	i := slices.IndexFunc(r.all, func(l *shelved) bool {
		return l.Model.Name == name && (version == "" || l.Version == version) && (l.ready || !ready)
	})
	if i < 0 {
		return nil
	}
	return r.all[i]
}

func (r *shelf) Find(name, version string) (*loader.Loaded, error) {
	if l := r.find(name, version, true); l != nil {
		return l.Loaded, nil
	}
	return nil, fmt.Errorf("%s %w", name, loader.ErrNotLoaded)
}

func (r *shelf) Index(context.Context) (list []loader.Entry, _ error) {
	for _, l := range r.all {
		list = append(list, loader.Entry{Name: l.Model.Name, Version: l.Version, Ready: l.ready})
	}
	return list, nil
}

func (r *shelf) Load(_ context.Context, name, version string) (loader.Loaded, error) {
	l := r.find(name, version, false)
	if l == nil {
		return loader.Loaded{}, fmt.Errorf("model %s: %w", name, publish.ErrNotFound)
	}
	l.ready = true
	return *l.Loaded, nil
}

func (r *shelf) Unload(_ context.Context, name, version string) error {
	l := r.find(name, version, true)
	if l == nil {
		return fmt.Errorf("%s %w", name, loader.ErrNotLoaded)
	}
	l.ready = false
	return nil
}

// mistaken is a program with a mistake in all that the server asks of it.
type mistaken struct{ Repository }

func (mistaken) Current() *loader.Loaded  { panic("current") }
func (mistaken) Failure() *loader.Failure { panic("failure") }

func (mistaken) Reload(context.Context) (loader.Loaded, bool, error) { panic("reload") }

func (mistaken) RecentPredictions(context.Context, int) ([]predlog.Prediction, error) {
	panic("recent predictions")
}

type mistakenStations struct{}

func (mistakenStations) Current(string) (*batch.Forecast, *batch.Failure, error) { panic("current") }
func (mistakenStations) All() []batch.Summary                                    { panic("all") }

func withMistakes(_ *Config, d *Deps) {
	d.Models, d.Repository, d.Recent, d.Stations = mistaken{}, mistaken{}, mistaken{}, mistakenStations{}
	d.Status = func(context.Context) Status { panic("status") }
	d.Gatherer = prometheus.GathererFunc(func() ([]*dto.MetricFamily, error) { panic("gather") })
}

func withoutMetrics(_ *Config, d *Deps) {
	d.Gatherer = prometheus.GathererFunc(func() ([]*dto.MetricFamily, error) { return nil, errors.New("/srv/secret") })
}

func withSmallBodies(c *Config, _ *Deps) { c.MaxBody = 10 }

// fullOfBodies has as many large bodies under way as the server takes.
func fullOfBodies(s *testServer) { s.bodies.Store(s.cfg.MaxBodies) }

// longBody is a body that counts as large.
func longBody(body string) string { return strings.Repeat(" ", 2*smallBody) + body }

func failedLast(s *testServer) {
	s.models.failure = &loader.Failure{Version: "v7", Err: errors.New("the disk is full"), At: noon.Add(-time.Minute)}
}
