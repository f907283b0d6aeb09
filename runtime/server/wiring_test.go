package server

import (
	"context"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"livelab/pipeline/metrics"
	"livelab/pipeline/model"
	"livelab/pipeline/publish"
	"livelab/runtime/loader"
	"livelab/runtime/predlog"
)

// kept is a prediction store in memory.
type kept struct {
	mu sync.Mutex
	ps []predlog.Prediction
}

func (k *kept) AddPredictions(_ context.Context, ps []predlog.Prediction) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.ps = append(k.ps, ps...)
	return nil
}

func (k *kept) PrunePredictions(context.Context, time.Time) (int64, error) { return 0, nil }

func (k *kept) RecentPredictions(context.Context, int) ([]predlog.Prediction, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.ps, nil
}

// publishVersion adds a version to a registry and makes it the champion.
func publishVersion(t *testing.T, d *publish.Dir, m *model.Model, at time.Time) (version string) {
	t.Helper()
	b, err := model.Encode(m)
	if err != nil {
		t.Fatal(err)
	}
	version = publish.VersionName(at, model.Digest(b))
	files := map[string][]byte{model.ModelFile: b}
	for name, v := range map[string]any{
		model.MetricsFile:  metrics.Report{Scores: metrics.Scores{F1: 0.9}},
		model.MetadataFile: model.Metadata{ModelVersion: version, Model: m.Name, Digest: model.Digest(b)},
	} {
		if files[name], err = json.Marshal(v); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := d.Add(t.Context(), m.Name, files, at); err != nil {
		t.Fatal(err)
	}
	if err := d.Promote(t.Context(), m.Name, version, publish.PromoteOptions{Force: true, At: at}); err != nil {
		t.Fatal(err)
	}
	return version
}

// TestWiring runs the server over a real registry, loader and prediction log,
// on a real port.
func TestWiring(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	registry := publish.OpenDir(root)
	l, err := loader.New(loader.Config{Registry: registry, Model: "network-shortage"})
	if err != nil {
		t.Fatal(err)
	}
	store := &kept{}
	w, err := predlog.NewWriter(predlog.Config{Store: store})
	if err != nil {
		t.Fatal(err)
	}
	w.Start()
	s := setup(t, func(_ *Config, d *Deps) { d.Models, d.Log, d.Recent = l, w, store })
	address, stop, ended := start(t, s)
	ask := func(path string, status int, want string) {
		t.Helper()
		resp, err := http.Post("http://"+address+path, "application/json", nil)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		var body strings.Builder
		if err := resp.Write(&body); err != nil {
			t.Fatal(err)
		}
		if resp.StatusCode != status || !strings.Contains(body.String(), want) {
			t.Errorf("%s: want %d with %s, got %s", path, status, want, body.String())
		}
	}

	ask("/predict", 503, "problem:no-model")
	ask("/reload_model", 503, "has no champion: none has been published")
	first := publishVersion(t, registry, testModel(), noon)
	ask("/reload_model", 200, `"changed":true`)
	ask("/predict", 200, `"version":"`+first+`"`)

	next := testModel()
	next.Intercept = 2
	second := publishVersion(t, registry, next, noon.Add(time.Minute))
	ask("/predict", 200, `"version":"`+first+`"`)
	ask("/reload_model", 200, second)
	ask("/predict", 200, `"y":1`)

	third := publishVersion(t, registry, testModel(), noon.Add(2*time.Minute))
	if err := os.WriteFile(filepath.Join(root, "network-shortage", "versions", third, model.ModelFile), []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	ask("/reload_model", 503, "version "+second+" serves on")
	ask("/predict", 200, `"version":"`+second+`"`)

	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if err := w.Stop(t.Context()); err != nil {
		t.Error(err)
	}
	versions := []string{}
	for _, p := range store.ps {
		versions = append(versions, p.Version)
	}
	if got, want := strings.Join(versions, " "), strings.Join([]string{first, first, second, second}, " "); got != want {
		t.Errorf("logged answers of %s, want %s", got, want)
	}
}
