package train

import (
	"math"
	"testing"

	"livelab/pipeline/detmath"
	"livelab/pipeline/train/traintest"
)

func TestCalibrate(t *testing.T) {
	t.Parallel()
	g := traintest.Random(9)
	const n = 40_000
	z, y := make([]float64, n), make([]bool, n)
	for i := range z {
		z[i] = 1.5 * g.Centred()
		y[i] = g.Unit() < detmath.Sigmoid(0.5*z[i]-0.7)
	}
	c := calibrate(z, y)
	near(t, "slope", c.Slope, 0.5, 0.03)
	near(t, "offset", c.Offset, -0.7, 0.03)

	turned := make([]float64, n)
	for i := range z {
		turned[i] = -z[i]
	}
	if c := calibrate(turned, y); c != identity {
		t.Errorf("turned over: got %+v, want the identity", c)
	}
	if c := calibrate(make([]float64, n), y); c != identity {
		t.Errorf("constant log odds: got %+v, want the identity", c)
	}
	c = calibrate([]float64{-2, -1, 1, 2}, []bool{false, false, true, true})
	if !(c.Slope > 0) || math.IsInf(c.Slope, 0) {
		t.Errorf("separable: got %+v", c)
	}
}

// TestCalibrateHalvesItsSteps begins with log odds so sure of themselves that
// Newton's first step leads far past the optimum.
func TestCalibrateHalvesItsSteps(t *testing.T) {
	t.Parallel()
	g := traintest.Random(4)
	const n = 40_000
	z, y := make([]float64, n), make([]bool, n)
	for i := range z {
		z[i] = 40 * g.Centred()
		y[i] = g.Unit() < detmath.Sigmoid(0.02*z[i]+0.3)
	}
	c := calibrate(z, y)
	near(t, "slope", c.Slope, 0.02, 0.002)
	near(t, "offset", c.Offset, 0.3, 0.05)
}

// TestBalancedWeightsAreCorrectedFor fits with and without them: after the
// correction both forecast the base rate, before it they would be far apart.
func TestBalancedWeightsAreCorrectedFor(t *testing.T) {
	t.Parallel()
	f := cityFrame(6000, 60, 4)
	for _, unbalanced := range []bool{false, true} {
		cfg := Config{Inputs: cityInputs, Unbalanced: unbalanced}.withDefaults(f.Task)
		l := newLogistic(cfg)
		rows, err := collect(t.Context(), Whole{Frame: f}, l)
		if err != nil {
			t.Fatal(err)
		}
		all := span{0, rows.len()}
		m, err := l.fit(t.Context(), rows, all, span{}, true)
		if err != nil {
			t.Fatal(err)
		}
		s := rows.sample(all, l.logOdds(m, all))
		var sum float64
		for _, p := range s.Model {
			sum += p
		}
		rate := float64(countTrue(s.Outcome)) / float64(s.Len())
		near(t, "mean forecast", sum/float64(s.Len()), rate, 0.02)
	}
}
