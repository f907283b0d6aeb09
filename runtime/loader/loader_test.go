package loader

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"livelab/pipeline/features"
	"livelab/pipeline/features/featurestest"
	"livelab/pipeline/metrics"
	"livelab/pipeline/model"
	"livelab/pipeline/publish"
)

const name = "network-shortage"

var start = time.Date(2026, 5, 11, 12, 0, 0, 0, time.UTC)

func testModel(intercept float64) *model.Model {
	return &model.Model{
		Format:      model.Format,
		Name:        name,
		Task:        features.NetworkShortage(),
		Inputs:      []model.Input{{Name: "free_ratio", Mean: 0.4, Scale: 0.1, Weight: -2}},
		Intercept:   intercept,
		Threshold:   0.4,
		Calibration: model.Calibration{Slope: 1},
		Dataset:     "d",
		Training:    json.RawMessage(`{}`),
	}
}

func encode(t testing.TB, v any) []byte {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// registry is a directory registry and the clock of its versions.
type registry struct {
	*publish.Dir
	root string
	at   time.Time
}

func newRegistry(t testing.TB) *registry {
	root := t.TempDir()
	return &registry{Dir: publish.OpenDir(root), root: root, at: start}
}

// add trains, so to say, and keeps a version; without lists files it lacks.
func (r *registry) add(t testing.TB, m *model.Model, without ...string) (version string) {
	t.Helper()
	return r.addCode(t, m, double.Code(), without...)
}

// addCode is add with the code of the model's transforms.
func (r *registry) addCode(t testing.TB, m *model.Model, code []byte, without ...string) (version string) {
	t.Helper()
	b, err := model.Encode(m)
	if err != nil {
		t.Fatal(err)
	}
	r.at = r.at.Add(time.Second)
	version = publish.VersionName(r.at, model.Digest(b))
	files := map[string][]byte{
		model.ModelFile:    b,
		model.MetricsFile:  encode(t, metrics.Report{Scores: metrics.Scores{F1: 0.89}}),
		model.MetadataFile: encode(t, model.Metadata{ModelVersion: version, Model: m.Name, Digest: model.Digest(b), Network: "oslo-bysykkel"}),
	}
	for _, spec := range m.Transforms {
		files["transforms/"+spec.Digest+".wasm"] = code
	}
	for _, f := range without {
		delete(files, f)
	}
	if _, err := r.Add(t.Context(), m.Name, files, r.at); err != nil {
		t.Fatal(err)
	}
	return version
}

func (r *registry) promote(t testing.TB, version string) {
	t.Helper()
	if err := r.Promote(t.Context(), name, version, publish.PromoteOptions{Force: true, At: r.at}); err != nil {
		t.Fatal(err)
	}
}

func setup(t testing.TB, r Registry) *Loader {
	t.Helper()
	l, err := New(Config{Registry: r, Model: name, Now: func() time.Time { return start }})
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestReload(t *testing.T) {
	t.Parallel()
	r := newRegistry(t)
	l := setup(t, r)
	if l.Current() != nil {
		t.Fatal("a model before the first load")
	}
	if _, _, err := l.Reload(t.Context()); !errors.Is(err, publish.ErrNotFound) {
		t.Errorf("without a champion: error %v", err)
	}

	first := r.add(t, testModel(-1))
	r.promote(t, first)
	now, changed, err := l.Reload(t.Context())
	if err != nil || !changed {
		t.Fatalf("first load: changed %v, error %v", changed, err)
	}
	if now.Version != first || now.Report.F1 != 0.89 || now.Metadata.Network != "oslo-bysykkel" || !now.LoadedAt.Equal(start) || now.Verdict != (Verdict{}) {
		t.Errorf("loaded %+v", now)
	}
	if p := l.Current().Model.Probability([]float64{0.4}); p < 0.268 || p > 0.269 {
		t.Errorf("answers %v", p)
	}

	before := l.Current()
	if _, changed, err := l.Reload(t.Context()); err != nil || changed || l.Current() != before {
		t.Errorf("again: changed %v, error %v", changed, err)
	}

	second := r.add(t, testModel(1))
	if _, changed, _ := l.Reload(t.Context()); changed {
		t.Error("a version that nobody promoted was loaded")
	}
	r.promote(t, second)
	if now, changed, err := l.Reload(t.Context()); err != nil || !changed || now.Version != second || l.Current().Version != second {
		t.Errorf("promoted: %s, changed %v, error %v", now.Version, changed, err)
	}
}

// What is wrong with a version must not reach the model in service.
func TestFailedReloadKeepsTheModel(t *testing.T) {
	t.Parallel()
	pinned := testModel(2)
	pinned.Transforms = []features.TransformSpec{double.Pin}

	tests := []struct {
		name string
		next func(t *testing.T, r *registry)
		want string
	}{
		{"a changed file", func(t *testing.T, r *registry) {
			v := r.add(t, testModel(1))
			r.promote(t, v)
			path := filepath.Join(r.root, name, "versions", v, model.ModelFile)
			b, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			overwrite(t, path, []byte(strings.Replace(string(b), `"intercept": 1`, `"intercept": 9`, 1)))
		}, "changed after training"},
		{"a missing file", func(t *testing.T, r *registry) {
			v := r.add(t, testModel(1))
			r.promote(t, v)
			if err := os.Remove(filepath.Join(r.root, name, "versions", v, model.MetricsFile)); err != nil {
				t.Fatal(err)
			}
		}, "metrics.json is missing"},
		{"a version without metrics", func(t *testing.T, r *registry) {
			r.promote(t, r.add(t, testModel(1), model.MetricsFile))
		}, "metrics.json is not in the manifest"},
		{"a version without metadata", func(t *testing.T, r *registry) {
			r.promote(t, r.add(t, testModel(1), model.MetadataFile))
		}, "metadata.json is not in the manifest"},
		{"a broken alias", func(t *testing.T, r *registry) {
			overwrite(t, filepath.Join(r.root, name, "aliases", "champion"), []byte("{"))
		}, "alias"},
		{"a transform that is not there", func(t *testing.T, r *registry) {
			r.promote(t, r.add(t, pinned))
		}, "needs the transform double"},
		{"no registry any more", func(t *testing.T, r *registry) {
			if err := os.RemoveAll(r.root); err != nil {
				t.Fatal(err)
			}
		}, "has no champion"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := newRegistry(t)
			l := setup(t, r)
			r.promote(t, r.add(t, testModel(-1)))
			if _, _, err := l.Reload(t.Context()); err != nil {
				t.Fatal(err)
			}
			before := l.Current()
			tt.next(t, r)
			_, changed, err := l.Reload(t.Context())
			if err == nil || changed || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("changed %v, error %v, want one about %q", changed, err, tt.want)
			}
			if l.Current() != before {
				t.Error("the model in service was touched")
			}
		})
	}
}

func overwrite(t *testing.T, path string, b []byte) {
	t.Helper()
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
}

// lying is a registry that does not check what it hands out.
type lying struct {
	*registry
	change func(*publish.Version)
}

func (l lying) Read(ctx context.Context, model, version string) (publish.Version, error) {
	v, err := l.registry.Read(ctx, model, version)
	l.change(&v)
	return v, err
}

// The loader believes no registry.
func TestRegistryIsNotTrusted(t *testing.T) {
	t.Parallel()
	other, err := model.Encode(testModel(5))
	if err != nil {
		t.Fatal(err)
	}
	reseal := func(v *publish.Version) {
		b, err := model.NewManifest(v.Files).Encode()
		if err != nil {
			t.Fatal(err)
		}
		v.Files[model.ManifestFile] = b
	}
	for name, tt := range map[string]struct {
		change func(*publish.Version)
		want   string
	}{
		"another model":                 {func(v *publish.Version) { v.Files[model.ModelFile] = other }, "the manifest says"},
		"another model, sealed anew":    {func(v *publish.Version) { v.Files[model.ModelFile] = other; reseal(v) }, "another model took its place"},
		"no manifest":                   {func(v *publish.Version) { delete(v.Files, model.ManifestFile) }, "manifest.json is missing"},
		"an empty manifest":             {func(v *publish.Version) { v.Files[model.ManifestFile] = []byte(`{"files":{}}`) }, "nothing vouches for it"},
		"a manifest that is no JSON":    {func(v *publish.Version) { v.Files[model.ManifestFile] = []byte(`{`) }, "read manifest.json"},
		"metrics that are no JSON":      {func(v *publish.Version) { v.Files[model.MetricsFile] = []byte(`{`); reseal(v) }, "read metrics.json"},
		"metadata that are a JSON list": {func(v *publish.Version) { v.Files[model.MetadataFile] = []byte(`[]`); reseal(v) }, "read metadata.json"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRegistry(t)
			r.promote(t, r.add(t, testModel(-1)))
			l := setup(t, lying{r, tt.change})
			if _, _, err := l.Reload(t.Context()); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want one about %q", err, tt.want)
			}
		})
	}
}

func TestVerdictIsOfThisModel(t *testing.T) {
	t.Parallel()
	r := newRegistry(t)
	version := r.add(t, testModel(-1))
	r.promote(t, version)
	digest := ""
	l := setup(t, lying{r, func(v *publish.Version) {
		v.Files[model.GateFile] = encode(t, map[string]string{"result": "pass", "conclusion": "All hold.", "digest": digest})
	}})
	for _, tt := range []struct {
		digest string
		want   Verdict
	}{{"another", Verdict{}}, {version, Verdict{Result: "pass", Conclusion: "All hold."}}} {
		if digest = tt.digest; digest == version {
			digest = l.Current().Digest
		}
		now, _, err := l.Reload(t.Context())
		if err != nil || now.Verdict != tt.want || l.Current().Verdict != tt.want {
			t.Errorf("verdict %+v, error %v, want %+v", now.Verdict, err, tt.want)
		}
	}
}

// double doubles its input.
var double = featurestest.New("double", []string{"free_ratio"}, []string{"free"}, func(in, out []float64) error {
	out[0] = 2 * in[0]
	return nil
})

func TestTransformsAreBound(t *testing.T) {
	t.Parallel()
	m := testModel(-1)
	m.Inputs = append(m.Inputs, model.Input{Name: "double.free", Mean: 0.8, Scale: 0.1, Weight: 1, Optional: true})
	m.Transforms = []features.TransformSpec{double.Pin}
	r := newRegistry(t)
	r.promote(t, r.add(t, m))
	offer := errors.New("the host is out of memory")
	l, err := New(Config{Registry: r, Model: name, Transforms: func(_ context.Context, v publish.Version) ([]features.Transform, error) {
		if string(v.Files["transforms/"+double.Pin.Digest+".wasm"]) != string(double.Code()) {
			t.Error("the code did not come along")
		}
		return []features.Transform{double}, offer
	}})
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := l.Reload(t.Context()); !errors.Is(err, offer) {
		t.Errorf("error %v", err)
	}
	offer = nil
	if _, _, err := l.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	p := l.Current().Predictor
	values := make([]float64, len(p.Columns()))
	values[slices.Index(p.Columns(), "free_ratio")] = 0.5
	x := make([]float64, len(p.Model.Inputs))
	if err := p.Vector(x, values); err != nil || x[1] != 1 {
		t.Errorf("inputs %v, error %v", x, err)
	}
}

// TestTransformThatAnswersDifferently is offered a transform with the right
// code and other answers: the model before serves on.
func TestTransformThatAnswersDifferently(t *testing.T) {
	t.Parallel()
	r := newRegistry(t)
	first := r.add(t, testModel(-1))
	r.promote(t, first)
	offered := double
	offered.Pin.Golden = featurestest.Digest("what another processor answers")
	l, err := New(Config{Registry: r, Model: name, Transforms: func(context.Context, publish.Version) ([]features.Transform, error) {
		return []features.Transform{offered}, nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := l.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	m := testModel(1)
	m.Transforms = []features.TransformSpec{double.Pin}
	r.promote(t, r.add(t, m))
	if _, _, err := l.Reload(t.Context()); err == nil || !strings.Contains(err.Error(), "answers differently on this machine") {
		t.Errorf("error %v", err)
	}
	if got := l.Current().Version; got != first {
		t.Errorf("%s serves, want %s", got, first)
	}
}

// A champion that the owner of the loader does not accept leaves the one before
// serving.
func TestReloadAsksWhoOwnsIt(t *testing.T) {
	t.Parallel()
	r := newRegistry(t)
	first, second := r.add(t, testModel(-1)), r.add(t, testModel(1))
	elsewhere := errors.New("it is of another city")
	l, err := New(Config{Registry: r, Model: "network-shortage", Accept: func(l *Loaded) error {
		if l.Version == second {
			return elsewhere
		}
		return nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	for _, version := range []string{first, second} {
		r.promote(t, version)
		if _, _, err := l.Reload(t.Context()); (err == nil) != (version == first) || err != nil && !errors.Is(err, elsewhere) {
			t.Errorf("%s: error %v", version, err)
		}
		if l.Current().Version != first {
			t.Errorf("%s serves", l.Current().Version)
		}
	}
}

// Readers see one whole model after the other while versions are promoted.
func TestReadersDuringReloads(t *testing.T) {
	t.Parallel()
	r := newRegistry(t)
	versions := []string{r.add(t, testModel(-1)), r.add(t, testModel(1))}
	want := map[string]float64{versions[0]: -1, versions[1]: 1}
	r.promote(t, versions[0])
	l := setup(t, r)
	if _, _, err := l.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	var readers sync.WaitGroup
	for range 4 {
		readers.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				now := l.Current()
				if got := now.Predictor.Model.LogOdds([]float64{0.4}); got != want[now.Version] {
					t.Errorf("version %s answers %v", now.Version, got)
					return
				}
			}
		})
	}
	var reloads sync.WaitGroup
	for i := range 10 {
		r.promote(t, versions[i%2])
		for range 2 {
			reloads.Go(func() {
				if _, _, err := l.Reload(t.Context()); err != nil {
					t.Error(err)
				}
			})
		}
	}
	reloads.Wait()
	close(done)
	readers.Wait()
}

func TestReloadsWaitForEachOther(t *testing.T) {
	t.Parallel()
	l := setup(t, newRegistry(t))
	l.turn <- struct{}{}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := l.Reload(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want the end of the wait", err)
	}
}

func TestConfigIsChecked(t *testing.T) {
	t.Parallel()
	for _, cfg := range []Config{{}, {Model: name}, {Registry: newRegistry(t)}} {
		if _, err := New(cfg); err == nil {
			t.Errorf("%+v was accepted", cfg)
		}
	}
}

// BenchmarkReload is what a start waits for before the first answer.
func BenchmarkReload(b *testing.B) {
	r := newRegistry(b)
	r.promote(b, r.add(b, testModel(-1)))
	l := setup(b, r)
	for b.Loop() {
		if _, _, err := l.Reload(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
}
