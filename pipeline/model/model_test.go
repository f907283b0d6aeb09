package model

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
	"time"

	"livelab/pipeline/features"
)

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
		},
		Intercept:   -1,
		Threshold:   0.4,
		Calibration: Calibration{Slope: 1, Offset: 0},
		Transforms: []TransformRef{{
			Name: "double", Digest: "d1", Inputs: []string{"free_ratio"}, Outputs: []string{"free"},
		}},
		Dataset:  "abc",
		Training: json.RawMessage(`{}`),
	}
}

// double is a transform that doubles its input.
type double struct{ digest string }

func (double) Name() string      { return "double" }
func (d double) Digest() string  { return d.digest }
func (double) Inputs() []string  { return []string{"free_ratio"} }
func (double) Outputs() []string { return []string{"free"} }
func (double) Apply(in, out [][]float64) error {
	for i, v := range in[0] {
		out[0][i] = 2 * v
	}
	return nil
}

func TestProbability(t *testing.T) {
	t.Parallel()
	m, missing := testModel(), math.NaN()
	tests := []struct {
		name    string
		x       []float64
		logOdds float64
	}{
		{"all means", []float64{0.4, 10, 0.8, 0.2}, -1},
		{"all missing", []float64{missing, missing, missing, missing}, -1},
		{"by hand", []float64{0.3, 20, 0.6, 0.3}, -1 + 2 + 1 - 1 + 0.3},
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

func TestExplainSumsToLogOdds(t *testing.T) {
	t.Parallel()
	m := testModel()
	x := []float64{0.31, math.NaN(), 0.77, 1e9}
	sum, cs := m.Explain(x)
	for _, c := range cs {
		sum += c.LogOdds
	}
	if sum != m.LogOdds(x) {
		t.Errorf("contributions sum to %v, the log odds are %v", sum, m.LogOdds(x))
	}
	if !cs[1].Imputed || cs[1].Value != 10 || cs[1].LogOdds != 0 || cs[0].Imputed {
		t.Errorf("a missing value is not explained by its mean: %+v", cs[1])
	}
}

func TestPredictDoesNotAllocate(t *testing.T) {
	m, x := testModel(), []float64{0.3, 20, 0.6, 0.3}
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
	if _, err := NewPredictor(testModel(), []features.Transform{double{"d2"}}); err == nil || !strings.Contains(err.Error(), "d1") {
		t.Errorf("a transform of another digest was taken: %v", err)
	}
	p, err := NewPredictor(testModel(), []features.Transform{double{"d1"}})
	if err != nil {
		t.Fatal(err)
	}
	if err := p.SelfTest(); err != nil {
		t.Error(err)
	}
	if got := strings.Join(p.Columns(), " "); got != "climatology free_ratio temp_2m" {
		t.Errorf("columns are %q", got)
	}
	if got := strings.Join(p.Required(), " "); got != "free_ratio temp_2m" {
		t.Errorf("required are %q", got)
	}
	x, err := p.Vector(map[string]float64{"free_ratio": 0.3, "temp_2m": 4})
	if err != nil {
		t.Fatal(err)
	}
	if x[0] != 0.3 || x[1] != 4 || x[2] != 0.6 || !math.IsNaN(x[3]) {
		t.Errorf("vector is %v", x)
	}
}

func TestFrameAndRowAgree(t *testing.T) {
	t.Parallel()
	m := testModel()
	names := []string{"free_ratio", "temp_2m", "climatology"}
	columns := [][]float64{{0.1, 0.5, math.NaN()}, {3, math.NaN(), 21}, {0.2, 0.9, 0.1}}
	f := features.NewFrame(m.Task, make([]time.Time, 3), make([]features.Label, 3), make([]features.Label, 3), names, columns)
	if err := features.ApplyTransforms(f, []features.Transform{double{"d1"}}); err != nil {
		t.Fatal(err)
	}
	batch, err := m.Probabilities(f)
	if err != nil {
		t.Fatal(err)
	}
	p, err := NewPredictor(m, []features.Transform{double{"d1"}})
	if err != nil {
		t.Fatal(err)
	}
	for row := range batch {
		values := make(map[string]float64)
		for i, name := range names {
			if !math.IsNaN(columns[i][row]) {
				values[name] = columns[i][row]
			}
		}
		x, err := p.Vector(values)
		if err != nil {
			t.Fatal(err)
		}
		if one := m.Probability(x); one != batch[row] {
			t.Errorf("row %d alone is %v, in the batch %v", row, one, batch[row])
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
	})
}
