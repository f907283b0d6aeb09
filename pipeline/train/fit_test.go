package train

import (
	"context"
	"errors"
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"livelab/pipeline/detmath"
	"livelab/pipeline/features"
	"livelab/pipeline/model"
	"livelab/pipeline/train/traintest"
)

// TestFitWarmAndColdAgree has enough rows for a warm start, and a number that
// fills neither chunks nor blocks.
func TestFitWarmAndColdAgree(t *testing.T) {
	t.Parallel()
	x, y := syntheticMatrix(warmRows+4321, 7)
	opts := FitOptions{C: 1, Balanced: true, Workers: 2}
	warm, err := Fit(t.Context(), x, y, opts)
	if err != nil {
		t.Fatal(err)
	}
	s := newSolver(x, y, warm.ClassWeight, opts)
	cold := s.startCold()
	if err := s.minimise(t.Context(), cold, tolerance); err != nil {
		t.Fatal(err)
	}
	for j, w := range append(slices.Clone(warm.Weights), warm.Intercept) {
		near(t, "parameter", w, cold[j], 1e-8)
	}
	if warm.Passes >= s.passes {
		t.Errorf("%d passes from a warm start, %d from a cold one", warm.Passes, s.passes)
	}
	opts.Workers = 1
	alone, err := Fit(t.Context(), x, y, opts)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(alone.Weights, warm.Weights) || alone.Intercept != warm.Intercept {
		t.Error("one worker and two gave different bits")
	}
}

// TestPassDerivatives compares the sums with the plain formulas.
func TestPassDerivatives(t *testing.T) {
	t.Parallel()
	for _, d := range []int{0, 1, 2, 3, 4, 5, 8, 11} {
		x, y := syntheticMatrix(chunkRows+200, d)
		weight := [2]float64{0.7, 1.9}
		w := make([]float64, d+1)
		for j := range w {
			w[j] = 0.3*float64(j) - 1
		}
		got, want := newSums(d+1), newSums(d+1)
		newProblem(x, y, weight, 3).pass(w, true, &got)
		for i := range y {
			row := make([]float64, d+1)
			for j := range x {
				row[j] = x[j][i]
			}
			row[d] = 1
			z := dot(row, w)
			p, s, label := detmath.Sigmoid(z), weight[0], 0.0
			if y[i] {
				s, label = weight[1], 1
			}
			want.loss += s * (detmath.Softplus(z) - label*z)
			for a := range row {
				want.gradient[a] += s * (p - label) * row[a]
				for b := range a + 1 {
					want.hessian[a*(d+1)+b] += s * p * (1 - p) * row[a] * row[b]
				}
			}
		}
		near(t, "loss", got.loss, want.loss, 1e-9*want.loss)
		for a := range d + 1 {
			near(t, "gradient", got.gradient[a], want.gradient[a], 1e-8)
			for b := range a + 1 {
				near(t, "hessian", got.hessian[a*(d+1)+b], want.hessian[a*(d+1)+b], 1e-8)
			}
		}
	}
}

func TestFitWithoutColumns(t *testing.T) {
	t.Parallel()
	got, err := Fit(t.Context(), nil, []bool{true, false, false, false}, FitOptions{})
	if err != nil {
		t.Fatal(err)
	}
	near(t, "intercept", got.Intercept, -math.Log(3), 1e-9)
}

func TestFitRefuses(t *testing.T) {
	t.Parallel()
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	x, y := syntheticMatrix(100, 2)
	if _, err := Fit(cancelled, x, y, FitOptions{}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: got %v", err)
	}
	if _, err := Fit(t.Context(), x, make([]bool, 100), FitOptions{}); err == nil {
		t.Error("one class: got no error")
	}
	if _, err := Fit(t.Context(), x, y, FitOptions{C: math.NaN()}); err == nil {
		t.Error("C is NaN: got no error")
	}
	x[1][50] = math.Inf(1)
	if _, err := Fit(t.Context(), x, y, FitOptions{}); !errors.Is(err, ErrNotConverged) {
		t.Errorf("infinite value: got %v", err)
	}
}

// TestRunNeverGivesNonFiniteNumbers trains on columns as bad as they come.
func TestRunNeverGivesNonFiniteNumbers(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(40, 120).Draw(t, "rows")
		short := make([]features.Label, n)
		for i := range short {
			short[i] = features.NotShort + features.Label(rapid.IntRange(0, 1).Draw(t, "short"))
		}
		base := plainFrame(make([]float64, n), short)
		var names []string
		var columns [][]float64
		for len(columns) < 5 {
			columns = append(columns, drawColumn(t, columns, short))
			names = append(names, string(rune('a'+len(names))))
		}
		f := features.NewFrame(base.Task, base.At, base.Short, base.ShortNow, names, columns)
		cfg := Config{Inputs: names, Folds: 2, C: rapid.SampledFrom([]float64{1e-6, 1, 1e10}).Draw(t, "C")}
		r, err := Run(context.Background(), Whole{Frame: f}, cfg)
		if oneClass := (*OneClassError)(nil); errors.As(err, &oneClass) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		if _, err := model.Encode(r.Model); err != nil {
			t.Fatal(err)
		}
		for _, p := range r.Test.Model {
			if !(p >= 0 && p <= 1) {
				t.Fatalf("a probability is %v", p)
			}
		}
	})
}

func drawColumn(t *rapid.T, others [][]float64, short []features.Label) []float64 {
	c := make([]float64, len(short))
	kind := rapid.SampledFrom([]string{"plain", "constant", "missing", "huge", "tiny", "step", "copy", "sum", "outcome", "holes"}).Draw(t, "kind")
	g := traintest.Random(rapid.Uint64().Draw(t, "seed"))
	for i := range c {
		v := g.Centred()
		switch kind {
		case "constant":
			v = 0.1
		case "missing":
			v = math.NaN()
		case "huge":
			v *= 1e299
		case "tiny":
			v *= 1e-299
		case "step":
			v = 1e9 + math.Nextafter(float64(i%2), 2)
		case "copy":
			if len(others) > 0 {
				v = others[len(others)-1][i]
			}
		case "sum":
			for _, o := range others {
				v = v*1e-9 + o[i]/4
			}
		case "outcome":
			v = float64(short[i])
		case "holes":
			if i%3 > 0 {
				v = math.NaN()
			}
		}
		c[i] = v
	}
	return c
}
