package train

import (
	"fmt"
	"testing"
)

// BenchmarkFit fits the matrix of testdata/bench_sklearn.py, which times
// scikit-learn on it.
func BenchmarkFit(b *testing.B) {
	for _, rows := range []int{10_000, 100_000, 1_000_000} {
		b.Run(fmt.Sprintf("rows=%d,cols=8", rows), func(b *testing.B) {
			x, y := syntheticMatrix(rows, 8)
			var f *Fitted
			for b.Loop() {
				var err error
				if f, err = Fit(b.Context(), x, y, FitOptions{Balanced: true}); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(rows)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
			b.ReportMetric(float64(f.Passes), "passes")
		})
	}
}
