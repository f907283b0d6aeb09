package main

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"

	"livelab/pipeline/dataset"
	"livelab/pipeline/features"
	"livelab/pipeline/features/featurestest"
	"livelab/pipeline/observation"
	"livelab/pipeline/publish"
	"livelab/runtime/loader"
)

// skewed is a shell with a frozen dataset and the transform in its plugins
// folder, with which a published version was trained.
func skewed(t *testing.T) shell {
	t.Helper()
	s := newShell(t)
	featurestest.BuildSkewed(t, "1.0", filepath.Join(s.dir, "plugins", "skewed.wasm"))
	s.must(t, "dataset", "--source", "sim", "--days", "90", "--out", "frozen")
	s.must(t, "train", "--dataset", "frozen", "--transform", "skewed")
	s.must(t, "publish", "--force")
	return s
}

// testApp is the program's state in a shell's folder, with the defaults of all
// flags, for tests that look into a process.
func (s shell) testApp(t testing.TB) *app {
	t.Helper()
	a := &app{stdout: io.Discard, stderr: io.Discard, getenv: os.LookupEnv, log: slog.New(slog.DiscardHandler)}
	a.addHostFlags(&cobra.Command{})
	a.artifacts = filepath.Join(s.dir, "artifacts")
	a.transforms.flags.plugins = filepath.Join(s.dir, "plugins")
	a.transforms.flags.cache = transformCache
	t.Cleanup(func() {
		if err := a.transforms.close(); err != nil {
			t.Error(err)
		}
	})
	return a
}

// trainingFrame is the frame that the version was trained on: the dataset's
// rows, through the transforms in batches.
func trainingFrame(t *testing.T, s shell, a *app) (*dataset.Dataset, *features.Frame) {
	t.Helper()
	d, err := dataset.Open(filepath.Join(s.dir, "frozen"))
	if err != nil {
		t.Fatal(err)
	}
	task := features.NetworkShortage()
	f, err := features.Build(task, features.PlaceOf(d.Network), d.Series, features.RowTimes(task, d.Series))
	if err != nil {
		t.Fatal(err)
	}
	ts, err := a.resolveTransforms(t.Context(), []string{"skewed"})
	if err != nil {
		t.Fatal(err)
	}
	if err := features.ApplyTransforms(f, ts); err != nil {
		t.Fatal(err)
	}
	return d, f
}

// loadChampion loads the champion as serving does.
func loadChampion(t *testing.T, a *app) *loader.Loaded {
	t.Helper()
	l, err := loader.New(loader.Config{
		Registry: a.registry(), Model: "network-shortage", Alias: publish.Champion, Transforms: a.versionTransforms,
	})
	if err != nil {
		t.Fatal(err)
	}
	loaded, _, err := l.Reload(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return &loaded
}

// TestNoSkew trains with a transform, publishes and serves: what the training
// computed for a row and what serving computes for it must be the same bits.
// It asks row by row what training asked in batches, from the values of the
// training's rows and from the newest row of a store as time goes on, and over
// HTTP.
func TestNoSkew(t *testing.T) {
	t.Parallel()
	s := skewed(t)
	training, serving := s.testApp(t), s.testApp(t) // a host each, as in two processes
	d, f := trainingFrame(t, s, training)
	loaded := loadChampion(t, serving)
	want, err := loaded.Model.FrameVectors(f)
	if err != nil {
		t.Fatal(err)
	}
	k := skew{t: t, loaded: loaded, frame: f, want: want}
	k.wantTransformed()
	compared := 0
	for r := range f.Rows() {
		if k.known(r) {
			k.sameVector(r, k.given(r))
			compared++
		}
	}
	if compared < 10_000 {
		t.Errorf("only %d rows were compared", compared)
	}
	k.newest(d, 300)
	p := s.start(t, "serve")
	k.overHTTP(p, 400)
	p.stop(t)
}

// skew compares a loaded model with the frame that it was trained on.
type skew struct {
	t      *testing.T
	loaded *loader.Loaded
	frame  *features.Frame
	want   [][]float64 // the model's inputs, in columns
}

// wantTransformed makes sure that there is something to compare: every output
// is an input of the model, known and missing, and varies.
func (k skew) wantTransformed() {
	k.t.Helper()
	found := 0
	for i, in := range k.loaded.Model.Inputs {
		if !strings.HasPrefix(in.Name, "skewed.") {
			continue
		}
		found++
		values := make(map[uint64]bool)
		for _, v := range k.want[i] {
			values[math.Float64bits(v)] = true
		}
		if len(values) < 1000 || in.Weight == 0 {
			k.t.Errorf("%s has %d values and the weight %v", in.Name, len(values), in.Weight)
		}
	}
	if found != 4 || len(k.loaded.Model.Transforms) != 1 {
		k.t.Errorf("the model reads %d outputs of %d transforms", found, len(k.loaded.Model.Transforms))
	}
}

// known reports whether a row has a threshold. The first few have none, and so
// no label to learn from: there the model's default stands in, and only there.
func (k skew) known(row int) bool { return !math.IsNaN(k.frame.Value(features.Threshold, row)) }

// given are the columns of a row of the frame, by name; what is missing is
// absent.
func (k skew) given(row int) map[string]float64 {
	values := make(map[string]float64)
	for _, name := range k.loaded.Predictor.Columns() {
		if v := k.frame.Value(name, row); !math.IsNaN(v) {
			values[name] = v
		}
	}
	return values
}

// sameVector asks the predictor for a row and compares its bits with those that
// the model was trained on.
func (k skew) sameVector(row int, given map[string]float64) {
	k.t.Helper()
	p := k.loaded.Predictor
	values := make([]float64, len(p.Columns()))
	for i, name := range p.Columns() {
		v, ok := given[name]
		if !ok {
			v = math.NaN()
		}
		values[i] = v
	}
	x := make([]float64, len(k.want))
	if err := p.Vector(x, values); err != nil {
		k.t.Fatal(err)
	}
	for i, got := range x {
		// What is missing has one pattern out of a transform, and others here.
		if want := k.want[i][row]; math.Float64bits(got) != math.Float64bits(want) && !(math.IsNaN(got) && math.IsNaN(want)) {
			k.t.Fatalf("%s of %s is %v in serving, %v in training", p.Model.Inputs[i].Name, k.frame.At[row], got, want)
		}
	}
}

// newest asks for the newest row of a store at the times of the frame's last
// rows, one after the other.
func (k skew) newest(d *dataset.Dataset, rows int) {
	k.t.Helper()
	var now time.Time
	live := dataset.NewLive(frozenStore{d: d}, func() time.Time { return now })
	for r := k.frame.Rows() - rows; r < k.frame.Rows(); r++ {
		now = k.frame.At[r]
		row, err := live.Newest(k.t.Context(), k.frame.Task, "")
		if err != nil {
			k.t.Fatal(err)
		}
		k.sameVector(r, row.Values)
	}
}

// overHTTP asks a server to explain rows all over the frame, and compares the
// value of each input, and the probability, bit for bit.
func (k skew) overHTTP(p *process, rows int) {
	k.t.Helper()
	asked, imputed := 0, 0
	for r := 0; r < k.frame.Rows() && asked < rows; r += max(1, k.frame.Rows()/(2*rows)) {
		given := k.given(r)
		if !k.known(r) || missing(given, features.ClassicInputs()) {
			continue
		}
		asked++
		body, err := json.Marshal(map[string]any{"features": given})
		if err != nil {
			k.t.Fatal(err)
		}
		imputed += k.sameExplanation(r, p.post(k.t, "/explain", string(body)))
	}
	if asked < rows || imputed == 0 {
		k.t.Errorf("%d rows were asked for over HTTP, with %d imputed outputs", asked, imputed)
	}
}

func missing(given map[string]float64, names []string) bool {
	for _, name := range names {
		if _, ok := given[name]; !ok {
			return true
		}
	}
	return false
}

// sameExplanation gives the number of outputs of the transform that were
// imputed.
func (k skew) sameExplanation(row int, a answer) (imputed int) {
	k.t.Helper()
	a.want(k.t, 200, "proba", "contributions")
	var said struct {
		Proba         float64
		Contributions []struct {
			Feature string
			Value   float64
			Imputed bool
		}
	}
	if err := json.Unmarshal([]byte(a.body), &said); err != nil {
		k.t.Fatal(err)
	}
	got := make(map[string]float64)
	for _, c := range said.Contributions {
		got[c.Feature] = c.Value
		if c.Imputed && strings.HasPrefix(c.Feature, "skewed.") {
			imputed++
		}
	}
	x := make([]float64, len(k.want))
	for i, in := range k.loaded.Model.Inputs {
		x[i] = k.want[i][row]
		want := x[i]
		if math.IsNaN(want) {
			want = in.Mean // which stands in for it
		}
		if v, ok := got[in.Name]; !ok || math.Float64bits(v) != math.Float64bits(want) {
			k.t.Fatalf("%s of %s is %v over HTTP, %v in training", in.Name, k.frame.At[row], v, want)
		}
	}
	if want := k.loaded.Model.Probability(x); math.Float64bits(said.Proba) != math.Float64bits(want) {
		k.t.Fatalf("the probability of %s is %v over HTTP, %v in training", k.frame.At[row], said.Proba, want)
	}
	return imputed
}

// frozenStore is a store that holds a dataset and answers for serving.
type frozenStore struct {
	dataset.Store
	d *dataset.Dataset
}

func (s frozenStore) Networks(context.Context) ([]observation.Network, error) {
	return []observation.Network{s.d.Network}, nil
}

func (s frozenStore) Totals(_ context.Context, _ string, from, to time.Time) ([]observation.Totals, error) {
	ps := s.d.Series.Points
	i, _ := slices.BinarySearchFunc(ps, from, func(p observation.Totals, t time.Time) int { return p.At.Compare(t) })
	j, _ := slices.BinarySearchFunc(ps, to.Add(1), func(p observation.Totals, t time.Time) int { return p.At.Compare(t) })
	return slices.Clone(ps[i:j]), nil
}

func (s frozenStore) Weather(_ context.Context, _ string, from, to time.Time) ([]observation.Weather, error) {
	ws := s.d.Series.Weather
	i, _ := slices.BinarySearchFunc(ws, from, func(w observation.Weather, t time.Time) int { return w.At.Compare(t) })
	j, _ := slices.BinarySearchFunc(ws, to.Add(1), func(w observation.Weather, t time.Time) int { return w.At.Compare(t) })
	return slices.Clone(ws[i:j]), nil
}
