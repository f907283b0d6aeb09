package train

import (
	"encoding/json"
	"fmt"
	"math"
	"os/exec"
	"strconv"
	"testing"
	"time"
)

var benchRows = []int{10_000, 100_000, 1_000_000}

func BenchmarkFit(b *testing.B) {
	for _, rows := range benchRows {
		b.Run(fmt.Sprintf("rows=%d,cols=8", rows), func(b *testing.B) {
			x, y := syntheticMatrix(rows, 8)
			var f *Fitted
			for b.Loop() {
				f = mustFit(b, x, y)
			}
			b.ReportMetric(float64(rows)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
			b.ReportMetric(float64(f.Passes), "passes")
		})
	}
}

// BenchmarkFitBesideScikitLearn reports what share of scikit-learn's time the
// fit takes on the same matrix (the budget for a million rows is 0.25), and
// the largest difference between the two results. Both times are the
// best of several, as other load only ever adds.
func BenchmarkFitBesideScikitLearn(b *testing.B) {
	const python = "/usr/bin/python3" // Debian's, which has python3-sklearn
	if err := exec.Command(python, "-c", "import sklearn").Run(); err != nil {
		b.Skipf("%s cannot import sklearn (install python3-sklearn): %v", python, err)
	}
	for _, rows := range benchRows {
		b.Run(fmt.Sprintf("rows=%d,cols=8", rows), func(b *testing.B) {
			x, y := syntheticMatrix(rows, 8)
			cmd := exec.Command(python, "-B", "bench_sklearn.py", strconv.Itoa(rows))
			cmd.Dir = "testdata"
			out, err := cmd.Output()
			if err != nil {
				b.Fatalf("bench_sklearn.py: %v", err)
			}
			var theirs struct {
				Seconds      float64   `json:"seconds"`
				Coefficients []float64 `json:"coefficients"`
				Intercept    float64   `json:"intercept"`
			}
			if err := json.Unmarshal(out, &theirs); err != nil {
				b.Fatal(err)
			}
			var f *Fitted
			best := math.Inf(1)
			for b.Loop() {
				began := time.Now()
				f = mustFit(b, x, y)
				best = min(best, time.Since(began).Seconds())
			}
			apart := math.Abs(f.Intercept - theirs.Intercept)
			for j, w := range f.Weights {
				apart = max(apart, math.Abs(w-theirs.Coefficients[j]))
			}
			b.ReportMetric(theirs.Seconds*1e3, "sklearn-ms")
			b.ReportMetric(best*1e3, "best-ms")
			b.ReportMetric(best/theirs.Seconds, "ratio")
			b.ReportMetric(apart, "apart")
		})
	}
}

func mustFit(b *testing.B, x [][]float64, y []bool) *Fitted {
	f, err := Fit(b.Context(), x, y, FitOptions{Balanced: true})
	if err != nil {
		b.Fatal(err)
	}
	return f
}
