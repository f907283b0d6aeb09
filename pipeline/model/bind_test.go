package model

import (
	"errors"
	"math"
	"strings"
	"sync"
	"testing"

	"livelab/pipeline/features"
	"livelab/pipeline/features/featurestest"
)

func TestBindWantsTheSameTransform(t *testing.T) {
	t.Parallel()
	other := featurestest.Digest("other")
	for _, tt := range []struct {
		name   string
		change func(*features.TransformSpec)
		want   string
	}{
		{"the same", func(*features.TransformSpec) {}, ""},
		{"other code", func(s *features.TransformSpec) { s.Digest = other }, "which is not there"},
		{"other answers", func(s *features.TransformSpec) { s.Golden = other }, "answers differently on this machine than where the model was trained"},
		{"another budget of calls", func(s *features.TransformSpec) { s.Budget.Call++ }, "another budget"},
		{"another budget of memory", func(s *features.TransformSpec) { s.Budget.Pages++ }, "another budget"},
		{"another budget of rows", func(s *features.TransformSpec) { s.Budget.Row++ }, "another budget"},
		{"another name", func(s *features.TransformSpec) { s.Name = "treble" }, "is treble 1.0.0 with ABI 1, not double 1.0.0"},
		{"another version", func(s *features.TransformSpec) { s.Version = "2" }, "is double 2 with ABI 1"},
		{"another contract", func(s *features.TransformSpec) { s.ABI = 2 }, "with ABI 2, not"},
		{"other inputs", func(s *features.TransformSpec) { s.Inputs = []string{"temp_2m"} }, `turns ["temp_2m"]`},
		{"other outputs", func(s *features.TransformSpec) { s.Outputs = []string{"free", "more"} }, `["free" "more"]`},
	} {
		offered := double
		tt.change(&offered.Pin)
		_, err := NewPredictor(testModel(), []features.Transform{offered})
		if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
			t.Errorf("%s: error is %v, want %q", tt.name, err, tt.want)
		}
	}
}

func TestValidateTransforms(t *testing.T) {
	t.Parallel()
	after := func(inputs, outputs string) func(*Model) {
		return func(m *Model) {
			m.Transforms = append(m.Transforms, featurestest.New("after", strings.Fields(inputs), strings.Fields(outputs), nil).Pin)
		}
	}
	first := func(change func(*features.TransformSpec)) func(*Model) {
		return func(m *Model) { change(&m.Transforms[0]) }
	}
	for _, tt := range []struct {
		name   string
		change func(*Model)
		want   string
	}{
		{"one that reads another", after("double.free temp_2m", "out"), ""},
		{"no name", first(func(s *features.TransformSpec) { s.Name = "" }), "no usable name"},
		{"a name with a dot", first(func(s *features.TransformSpec) { s.Name = "a.b" }), "no usable name"},
		{"the same name twice", func(m *Model) { m.Transforms = append(m.Transforms, m.Transforms[0]) }, "there twice"},
		{"a short digest", first(func(s *features.TransformSpec) { s.Digest = s.Digest[1:] }), "digest is"},
		{"a digest in capitals", first(func(s *features.TransformSpec) { s.Digest = strings.Repeat("A", 64) }), "digest is"},
		{"no golden answers", first(func(s *features.TransformSpec) { s.Golden = "" }), "golden is"},
		{"no contract", first(func(s *features.TransformSpec) { s.ABI = 0 }), "abi is 0"},
		{"no budget", first(func(s *features.TransformSpec) { s.Budget.Call = 0 }), "budget is 0 a call"},
		{"no memory", first(func(s *features.TransformSpec) { s.Budget.Pages = 0 }), "0 pages"},
		{"a budget below nothing", first(func(s *features.TransformSpec) { s.Budget.Row = -1 }), "-1 a row"},
		{"no inputs", first(func(s *features.TransformSpec) { s.Inputs = nil }), "0 inputs and 1 outputs"},
		{"an input without a name", first(func(s *features.TransformSpec) { s.Inputs = []string{""} }), `reads ""`},
		{"no outputs", first(func(s *features.TransformSpec) { s.Outputs = nil }), "1 inputs and 0 outputs"},
		{"an output without a name", first(func(s *features.TransformSpec) { s.Outputs = []string{""} }), `output ""`},
		{"the same output twice", after("temp_2m", "out out"), `output "out"`},
		{"an output that comes later", after("after.out", "out"), `reads "after.out"`},
	} {
		m := testModel()
		tt.change(m)
		err := m.Validate()
		if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
			t.Errorf("%s: error is %v, want %q", tt.name, err, tt.want)
		}
	}
}

// chained reads a column and what double makes of another.
var chained = featurestest.New("chained", []string{"temp_2m", "double.free"}, []string{"sum", "product"}, func(in, out []float64) error {
	if in[0] == 13 {
		return featurestest.Refuse("chained", "13 is unlucky")
	}
	out[0], out[1] = in[0]+in[1], in[0]*in[1]
	return nil
})

func chainedPredictor(t *testing.T) *Predictor {
	return newPredictor(t, func(m *Model) {
		m.Transforms = append(m.Transforms, chained.Pin)
		m.Inputs = append(m.Inputs, Input{Name: "chained.product", Scale: 1}, Input{Name: "chained.sum", Scale: 1})
	}, chained, double)
}

// TestTransformsReadTransforms asks with many rows at once: what one asks for
// must not reach the other through the memory that they use again.
func TestTransformsReadTransforms(t *testing.T) {
	t.Parallel()
	p := chainedPredictor(t)
	n := len(p.Model.Inputs)
	var callers sync.WaitGroup
	for c := range 8 {
		callers.Go(func() {
			x := make([]float64, n)
			for r := range 500 {
				temp, free := float64(100+c), float64(r)
				if err := p.Vector(x, row(p, map[string]float64{"temp_2m": temp, "free_ratio": free})); err != nil {
					t.Error(err)
				}
				if x[2] != 2*free || x[n-2] != temp*2*free || x[n-1] != temp+2*free {
					t.Errorf("of %v and %v came %v", temp, free, x)
				}
			}
		})
	}
	callers.Wait()
}

func TestRefusedRow(t *testing.T) {
	t.Parallel()
	p := chainedPredictor(t)
	x := make([]float64, len(p.Model.Inputs))
	err := p.Vector(x, row(p, map[string]float64{"temp_2m": 13}))
	var refused *features.RowError
	if !errors.As(err, &refused) || refused.Transform != "chained" || refused.Reason != "13 is unlucky" {
		t.Errorf("error is %v", err)
	}
	if err := p.Vector(x, row(p, map[string]float64{"temp_2m": 12})); err != nil {
		t.Errorf("the row after it: %v", err)
	}
}

func TestVectorDoesNotAllocate(t *testing.T) {
	p := chainedPredictor(t)
	x, values := make([]float64, len(p.Model.Inputs)), without(p)
	if n := testing.AllocsPerRun(1000, func() {
		if err := p.Vector(x, values); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("a row through two transforms allocates %v times", n)
	}
}

// TestSelfTest tells a transform that refuses the empty row, which is an
// answer, from one that cannot answer.
func TestSelfTest(t *testing.T) {
	t.Parallel()
	broken := errors.New("the host is closed")
	for _, tt := range []struct {
		name string
		err  error
	}{
		{"refuses", featurestest.Refuse("double", "free_ratio is missing")},
		{"cannot answer", broken},
	} {
		offered := double
		offered.Row = func(in, _ []float64) error {
			if math.IsNaN(in[0]) {
				return tt.err
			}
			return nil
		}
		p, err := NewPredictor(testModel(), []features.Transform{offered})
		if err != nil {
			t.Fatal(err)
		}
		if err := p.SelfTest(); errors.Is(tt.err, broken) != (err != nil) {
			t.Errorf("one that %s: the self-test says %v", tt.name, err)
		}
	}
}
