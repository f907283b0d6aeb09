package train

import (
	"fmt"
	"testing"
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

func mustFit(b *testing.B, x [][]float64, y []bool) *Fitted {
	f, err := Fit(b.Context(), x, y, FitOptions{Balanced: true})
	if err != nil {
		b.Fatal(err)
	}
	return f
}
