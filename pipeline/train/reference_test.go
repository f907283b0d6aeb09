package train

import (
	"encoding/json"
	"math"
	"os"
	"testing"

	"gonum.org/v1/gonum/optimize"

	"livelab/pipeline/detmath"
)

// TestFitAgreesWithScikitLearn compares with the numbers that
// testdata/reference.py wrote.
func TestFitAgreesWithScikitLearn(t *testing.T) {
	t.Parallel()
	b, err := os.ReadFile("testdata/reference.json")
	if err != nil {
		t.Fatal(err)
	}
	var reference struct {
		Rows      int       `json:"rows"`
		Positives int       `json:"positives"`
		Means     []float64 `json:"means"`
		Scales    []float64 `json:"scales"`
		Cases     []struct {
			Name         string    `json:"name"`
			C            float64   `json:"c"`
			Balanced     bool      `json:"balanced"`
			Coefficients []float64 `json:"coefficients"`
			Intercept    float64   `json:"intercept"`
		} `json:"cases"`
	}
	if err := json.Unmarshal(b, &reference); err != nil {
		t.Fatal(err)
	}
	if len(reference.Cases) == 0 {
		t.Fatal("testdata/reference.json has no cases; run reference.py")
	}
	x, y := rawMatrix(reference.Rows)
	if n := countTrue(y); n != reference.Positives {
		t.Fatalf("%d positives, the reference has %d: the matrices differ", n, reference.Positives)
	}
	for j, values := range x {
		c, err := describe(values)
		if err != nil {
			t.Fatal(err)
		}
		near(t, "mean", c.mean, reference.Means[j], 1e-12*(1+math.Abs(c.mean)))
		near(t, "scale", c.scale, reference.Scales[j], 1e-12*c.scale)
		x[j] = c.standardise(values)
	}
	for _, c := range reference.Cases {
		t.Run(c.Name, func(t *testing.T) {
			t.Parallel()
			got, err := Fit(t.Context(), x, y, FitOptions{C: c.C, Balanced: c.Balanced})
			if err != nil {
				t.Fatal(err)
			}
			for j, w := range got.Weights {
				near(t, "weight", w, c.Coefficients[j], 1e-6)
			}
			near(t, "intercept", got.Intercept, c.Intercept, 1e-6)
		})
	}
}

// TestFitAgreesWithGonum has another optimiser, on another implementation of
// the objective, start where the fit ended: it must not get away from there.
func TestFitAgreesWithGonum(t *testing.T) {
	t.Parallel()
	x, y := syntheticMatrix(1500, 5)
	got, err := Fit(t.Context(), x, y, FitOptions{C: 0.5, Balanced: true})
	if err != nil {
		t.Fatal(err)
	}
	objective := func(w []float64) float64 {
		d := len(x)
		value := 0.0
		for _, v := range w[:d] {
			value += v * v / 2
		}
		for i := range y {
			z, class := w[d], 0
			for j := range x {
				z += w[j] * x[j][i]
			}
			if y[i] {
				z, class = -z, 1
			}
			value += 0.5 * got.ClassWeight[class] * detmath.Softplus(z)
		}
		return value
	}
	at := append(append([]float64(nil), got.Weights...), got.Intercept)
	near(t, "objective", got.Objective, objective(at), 1e-9*got.Objective)
	cold := make([]float64, len(at))
	r, err := optimize.Minimize(optimize.Problem{Func: objective}, cold,
		&optimize.Settings{Converger: &optimize.FunctionConverge{Absolute: 1e-12, Iterations: 3000}}, &optimize.NelderMead{})
	if err != nil {
		t.Fatal(err)
	}
	if r.F < got.Objective-1e-9*got.Objective {
		t.Errorf("gonum found %v, lower than %v", r.F, got.Objective)
	}
	for i, v := range r.X {
		near(t, "parameter", at[i], v, 1e-4)
	}
}

// rawMatrix has other units and origins than syntheticMatrix, and missing
// values, as reference.py.
func rawMatrix(rows int) (x [][]float64, y []bool) {
	x, y = syntheticMatrix(rows, 8)
	units := []float64{0.001, 0.01, 0.1, 1, 10, 100, 1000, 10000}
	for j := range x {
		for i := range x[j] {
			x[j][i] = float64(x[j][i]*units[j]) + float64(j)
		}
	}
	for i := 0; i < rows; i += 13 {
		x[3][i] = math.NaN()
	}
	return x, y
}

func everyRow(n int) []int {
	rows := make([]int, n)
	for i := range rows {
		rows[i] = i
	}
	return rows
}

func near(t *testing.T, what string, got, want, tolerance float64) {
	t.Helper()
	if !(math.Abs(got-want) <= tolerance) {
		t.Errorf("%s is %v, want %v within %g", what, got, want, tolerance)
	}
}
