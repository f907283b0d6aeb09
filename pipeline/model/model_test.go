package model

import (
	"encoding/json"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"livelab/pipeline/features"
	"livelab/pipeline/features/featurestest"
)

var nan = math.NaN()

func testModel() *Model {
	return &Model{
		Format: Format,
		Name:   "network-shortage",
		Task:   features.NetworkShortage(),
		Inputs: []Input{
			{Name: "free_ratio", Mean: 0.4, Scale: 0.1, Weight: -2},
			{Name: "temp_2m", Mean: 10, Scale: 5, Weight: 0.5},
			{Name: "double.free", Mean: 0.8, Scale: 0.2, Weight: 1, Optional: true},
			{Name: "climatology", Mean: 0.2, Scale: 0.1, Weight: 0.3, Optional: true},
			{Name: "margin", Mean: 0.1, Scale: 0.1, Weight: -3, Optional: true},
			{Name: "short_now", Mean: 0.2, Scale: 0.4, Weight: 1, Optional: true},
		},
		Intercept:   -1,
		Threshold:   0.4,
		Defaults:    map[string]float64{"shortage_threshold": 0.375},
		Calibration: Calibration{Slope: 1, Offset: 0},
		Transforms:  []features.TransformSpec{double.Pin},
		Dataset:     "abc",
		Training:    json.RawMessage(`{}`),
	}
}

// double is a transform that doubles its input.
var double = featurestest.New("double", []string{"free_ratio"}, []string{"free"}, func(in, out []float64) error {
	out[0] = 2 * in[0]
	return nil
})

func TestProbability(t *testing.T) {
	t.Parallel()
	m := testModel()
	tests := []struct {
		name    string
		x       []float64
		logOdds float64
	}{
		{"all means", []float64{0.4, 10, 0.8, 0.2, 0.1, 0.2}, -1},
		{"all missing", []float64{nan, nan, nan, nan, nan, nan}, -1},
		{"by hand", []float64{0.3, 20, 0.6, 0.3, 0.2, 0.6}, -1 + 2 + 1 - 1 + 0.3 - 3 + 1},
	}
	for _, tt := range tests {
		if got := m.LogOdds(tt.x); math.Abs(got-tt.logOdds) > 1e-12 {
			t.Errorf("%s: log odds %v, want %v", tt.name, got, tt.logOdds)
		}
		if got, want := m.Probability(tt.x), 1/(1+math.Exp(-tt.logOdds)); math.Abs(got-want) > 1e-15 {
			t.Errorf("%s: probability %v, want %v", tt.name, got, want)
		}
	}
	if !m.Positive(0.4) || m.Positive(0.39999) {
		t.Error("the threshold is not inclusive")
	}
}

func TestPredictDoesNotAllocate(t *testing.T) {
	m, x := testModel(), []float64{0.3, 20, 0.6, 0.3, 0.2, 1}
	if n := testing.AllocsPerRun(100, func() { m.Probability(x) }); n != 0 {
		t.Errorf("a prediction allocates %v times", n)
	}
}

func TestEncodeIsCanonical(t *testing.T) {
	t.Parallel()
	b, err := Encode(testModel())
	if err != nil {
		t.Fatal(err)
	}
	m, err := Decode(b)
	if err != nil {
		t.Fatal(err)
	}
	again, err := Encode(m)
	if err != nil || string(again) != string(b) {
		t.Errorf("a model does not survive its encoding: %v", err)
	}
}

func TestDecodeRefuses(t *testing.T) {
	t.Parallel()
	good, err := Encode(testModel())
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct{ name, old, new, want string }{
		{"another format", `"format": 1`, `"format": 2`, "model format is 2"},
		{"an unknown field", `"name": "network-shortage"`, `"colour": 1, "name": "network-shortage"`, "unknown field"},
		{"white space", `"format": 1`, `"format":  1`, "canonical"},
		{"a scale of zero", `"scale": 5`, `"scale": 0`, "scale positive"},
		{"the same input twice", `"temp_2m"`, `"free_ratio"`, "there twice"},
		{"a threshold of 1", `"threshold": 0.4`, `"threshold": 1`, "threshold is 1"},
		{"an unknown target", "free_ratio_below_quantile", "vibes", "unknown target"},
		{"no JSON", string(good), "<html>", "invalid character"},
		{"half a file", string(good), string(good[:len(good)/2]), "unexpected EOF"},
	}
	for _, tt := range tests {
		b := strings.Replace(string(good), tt.old, tt.new, 1)
		if _, err := Decode([]byte(b)); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: error is %v, want one with %q", tt.name, err, tt.want)
		}
	}
}

func TestPredictorBindsTransformsByDigest(t *testing.T) {
	t.Parallel()
	other := double
	other.Pin.Digest = featurestest.Digest("another code")
	if _, err := NewPredictor(testModel(), []features.Transform{other}); err == nil || !strings.Contains(err.Error(), double.Pin.Digest) {
		t.Errorf("a transform of another digest was taken: %v", err)
	}
	p, err := NewPredictor(testModel(), []features.Transform{double})
	if err != nil {
		t.Fatal(err)
	}
	if err := p.SelfTest(); err != nil {
		t.Error(err)
	}
	want := "climatology empty_slots free_bikes free_ratio precipitation shortage_threshold stations_count temp_2m total_slots wind_speed_10m"
	if got := strings.Join(p.Columns(), " "); got != want {
		t.Errorf("columns are %q", got)
	}
	if got, want := p.Required(), features.ClassicInputs(); !slices.Equal(got, want) {
		t.Errorf("required are %q", got)
	}
}

// row puts values into the order of a predictor's columns.
func row(p *Predictor, given map[string]float64) []float64 {
	values := make([]float64, len(p.Columns()))
	for i, name := range p.Columns() {
		v, ok := given[name]
		if !ok {
			v = math.NaN()
		}
		values[i] = v
	}
	return values
}

func TestVector(t *testing.T) {
	t.Parallel()
	p, err := NewPredictor(testModel(), []features.Transform{double})
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name    string
		given   map[string]float64
		want    []float64 // free_ratio, temp_2m, double.free, climatology, margin, short_now
		imputed string
	}{
		{"what a classic client gives", map[string]float64{"free_ratio": 0.25, "temp_2m": 4}, []float64{0.25, 4, 0.5, nan, -0.125, 1}, "climatology shortage_threshold"},
		{"with the threshold", map[string]float64{"free_ratio": 0.25, "temp_2m": 4, "climatology": 0.5, "shortage_threshold": 0.125}, []float64{0.25, 4, 0.5, 0.5, 0.125, 0}, ""},
		{"nothing", nil, []float64{nan, nan, nan, nan, nan, nan}, "free_ratio temp_2m double.free climatology shortage_threshold"},
	}
	for _, tt := range tests {
		values := row(p, tt.given)
		x := make([]float64, len(p.Model.Inputs))
		if err := p.Vector(x, values); err != nil {
			t.Fatal(err)
		}
		for i := range x {
			if x[i] != tt.want[i] && !(math.IsNaN(x[i]) && math.IsNaN(tt.want[i])) {
				t.Errorf("%s: %s is %v, want %v", tt.name, p.Model.Inputs[i].Name, x[i], tt.want[i])
			}
		}
		if got := strings.Join(p.Imputed(x, values), " "); got != tt.imputed {
			t.Errorf("%s: imputed are %q, want %q", tt.name, got, tt.imputed)
		}
	}
	if !p.Needs(slices.Index(p.Columns(), "free_ratio")) || p.Needs(slices.Index(p.Columns(), "free_bikes")) {
		t.Error("the model needs what it reads, and no more")
	}
}

func TestFrameAndRowAgree(t *testing.T) {
	t.Parallel()
	m := testModel()
	names := []string{"free_ratio", "temp_2m", "climatology", "shortage_threshold", "margin", "short_now"}
	columns := [][]float64{{0.125, 0.5, nan}, {3, nan, 21}, {0.2, 0.9, 0.1}, {0.25, 0.25, 0.25}, {0.125 - 0.25, 0.25, nan}, {1, 0, nan}}
	f := features.NewFrame(m.Task, make([]time.Time, 3), make([]features.Label, 3), make([]features.Label, 3), names, columns)
	if err := features.ApplyTransforms(f, []features.Transform{double}); err != nil {
		t.Fatal(err)
	}
	batch, err := m.FrameVectors(f)
	if err != nil {
		t.Fatal(err)
	}
	p, err := NewPredictor(m, []features.Transform{double})
	if err != nil {
		t.Fatal(err)
	}
	for r := range f.Rows() {
		values := make(map[string]float64)
		for i, name := range names {
			values[name] = columns[i][r]
		}
		x := make([]float64, len(m.Inputs))
		if err := p.Vector(x, row(p, values)); err != nil {
			t.Fatal(err)
		}
		for i := range x {
			if math.Float64bits(x[i]) != math.Float64bits(batch[i][r]) {
				t.Errorf("row %d: %s alone is %v, in the batch %v", r, m.Inputs[i].Name, x[i], batch[i][r])
			}
		}
	}
}

func TestManifest(t *testing.T) {
	t.Parallel()
	files := map[string][]byte{ModelFile: []byte("a"), MetricsFile: []byte("b"), ManifestFile: []byte("not summed up")}
	m := NewManifest(files)
	if err := m.Verify(files); err != nil {
		t.Fatal(err)
	}
	if err := m.Verify(map[string][]byte{ModelFile: []byte("a")}); err == nil || !strings.Contains(err.Error(), MetricsFile+" is missing") {
		t.Errorf("a missing file is not named: %v", err)
	}
	files[ModelFile] = []byte("tampered")
	if err := m.Verify(files); err == nil || !strings.Contains(err.Error(), ModelFile) {
		t.Errorf("a changed file is not named: %v", err)
	}
}

func FuzzDecode(f *testing.F) {
	good, err := Encode(testModel())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add([]byte(`{"format":1}`))
	trees, err := Encode(treesModel())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(trees)
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := Decode(b)
		if err != nil {
			return
		}
		x := make([]float64, len(m.Inputs))
		for i, in := range m.Inputs {
			x[i] = in.Mean
		}
		if p := m.Probability(x); math.IsNaN(p) || p < 0 || p > 1 {
			t.Errorf("a decoded model answers %v", p)
		}
		sum := m.Contributions(make([]float64, len(x)), x)
		if math.IsNaN(sum) || m.Trees != nil && m.LogOdds(x) != m.Trees.sum(m.Intercept, x) {
			t.Errorf("a decoded model explains from %v and answers %v", sum, m.LogOdds(x))
		}
	})
}
