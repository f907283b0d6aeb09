package loader

import (
	"context"
	"errors"
	"math"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"

	"livelab/pipeline/features"
	"livelab/pipeline/features/featurestest"
	"livelab/pipeline/model"
	"livelab/pipeline/publish"
)

// loadWith loads a model that has a transform.
func loadWith(t *testing.T, tr featurestest.Native) (*Loader, error) {
	t.Helper()
	m := testModel(-1)
	m.Inputs = append(m.Inputs, model.Input{Name: tr.Pin.Name + "." + tr.Pin.Outputs[0], Mean: 0.8, Scale: 0.1, Weight: 1, Optional: true})
	m.Transforms = []features.TransformSpec{tr.Pin}
	r := newRegistry(t)
	r.promote(t, r.addCode(t, m, tr.Code()))
	l, err := New(Config{Registry: r, Model: name, Transforms: func(context.Context, publish.Version) ([]features.Transform, error) {
		return []features.Transform{tr}, nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	_, _, err = l.Reload(t.Context())
	return l, err
}

// A model answers rows such as it was trained on before it serves.
func TestWarmUp(t *testing.T) {
	t.Parallel()
	var rows, early atomic.Int64
	var l atomic.Pointer[Loader]
	loaded, err := loadWith(t, featurestest.New("counting", []string{"free_ratio"}, []string{"rows"}, func(in, out []float64) error {
		if l.Load() == nil && !math.IsNaN(in[0]) {
			rows.Add(1)
			if in[0] < 0.2-1e-9 || in[0] > 0.6+1e-9 {
				early.Add(1)
			}
		}
		out[0] = in[0]
		return nil
	}))
	if err != nil {
		t.Fatal(err)
	}
	l.Store(loaded)
	if want := int64(warmRows * (1 + runtime.GOMAXPROCS(0))); rows.Load() != want {
		t.Errorf("%d rows were answered before it served, want %d", rows.Load(), want)
	}
	if early.Load() > 0 {
		t.Errorf("%d of them are not such as it was trained on: 0.4 give or take 0.2", early.Load())
	}
}

func TestWarmUpRefuses(t *testing.T) {
	t.Parallel()
	var calls atomic.Int64
	for title, tt := range map[string]struct {
		row  func(in, out []float64) error
		want string
	}{
		"answers that change": {func(in, out []float64) error { out[0] = float64(calls.Add(1)); return nil }, "the same row is answered with"},
		"an engine that fails": {func(in, out []float64) error {
			if math.IsNaN(in[0]) {
				return nil
			}
			return errors.New("out of memory")
		}, "out of memory"},
	} {
		t.Run(title, func(t *testing.T) {
			t.Parallel()
			l, err := loadWith(t, featurestest.New("odd", []string{"free_ratio"}, []string{"x"}, tt.row))
			if err == nil || !strings.Contains(err.Error(), tt.want) || l.Current() != nil {
				t.Errorf("error %v, want one about %q", err, tt.want)
			}
		})
	}
	// A transform may refuse a row: that is an answer, too.
	_, err := loadWith(t, featurestest.New("choosy", []string{"free_ratio"}, []string{"x"}, func(in, out []float64) error {
		return &features.RowError{Transform: "choosy", Reason: "no"}
	}))
	if err != nil {
		t.Error(err)
	}
}

// What the manifest does not vouch for is not run, whatever the registry says.
func TestCodeOfTransformsIsVouchedFor(t *testing.T) {
	t.Parallel()
	file := model.TransformFile(double.Pin.Digest)
	for title, tt := range map[string]struct {
		change func(files map[string][]byte)
		want   string
	}{
		"left out":  {func(files map[string][]byte) { delete(files, file) }, "is not in the manifest"},
		"exchanged": {func(files map[string][]byte) { files[file] = []byte("other code") }, "which is not its name"},
	} {
		t.Run(title, func(t *testing.T) {
			t.Parallel()
			m := testModel(-1)
			m.Transforms = []features.TransformSpec{double.Pin}
			r := newRegistry(t)
			r.promote(t, r.add(t, m))
			asked := false
			l, err := New(Config{Model: name, Registry: lying{r, func(v *publish.Version) {
				tt.change(v.Files)
				delete(v.Files, model.ManifestFile)
				b, err := model.NewManifest(v.Files).Encode()
				if err != nil {
					t.Error(err)
				}
				v.Files[model.ManifestFile] = b
			}}, Transforms: func(context.Context, publish.Version) ([]features.Transform, error) {
				asked = true
				return []features.Transform{double}, nil
			}})
			if err != nil {
				t.Fatal(err)
			}
			if _, _, err := l.Reload(t.Context()); err == nil || !strings.Contains(err.Error(), tt.want) || asked {
				t.Errorf("error %v, want one about %q; asked for transforms: %v", err, tt.want, asked)
			}
		})
	}
}

// Another model's files under this model's name are not it.
func TestNameOfTheModel(t *testing.T) {
	t.Parallel()
	r := newRegistry(t)
	r.promote(t, r.add(t, testModel(-1)))
	r.promoteOf(t, station, r.addTo(t, station, 1))
	l, err := New(Config{Model: name, Registry: elsewhere{r}})
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := l.Reload(t.Context()); err == nil || !strings.Contains(err.Error(), `is the model "station-shortage", not "network-shortage"`) {
		t.Errorf("error %v", err)
	}
}

// elsewhere gives the files of another model.
type elsewhere struct{ *registry }

func (e elsewhere) Alias(ctx context.Context, _, alias string) (publish.Alias, error) {
	return e.registry.Alias(ctx, station, alias)
}

func (e elsewhere) Read(ctx context.Context, _, version string) (publish.Version, error) {
	return e.registry.Read(ctx, station, version)
}
