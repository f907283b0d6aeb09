package boost

import (
	"fmt"
	"testing"

	"livelab/pipeline/train/traintest"
)

// BenchmarkFit fits 150 trees of 31 leaves to 30 inputs.
func BenchmarkFit(b *testing.B) {
	for _, rows := range []int{100_000, 1_000_000} {
		b.Run(fmt.Sprintf("rows=%d,cols=30", rows), func(b *testing.B) {
			x, y := traintest.Curved(30).Matrix(rows)
			m := coded(x, MostEdges)
			clear(x)
			for b.Loop() {
				if _, err := Fit(b.Context(), m, y, rowsOf(0, rows), nil, Options{Trees: 150}); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(rows)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
		})
	}
}

// BenchmarkCode codes values among the most edges.
func BenchmarkCode(b *testing.B) {
	x, _ := traintest.Straight(1).Matrix(1_000_000)
	edges := NewEdges(x[0], MostEdges)
	var sum int
	for b.Loop() {
		for _, v := range x[0] {
			sum += int(Code(edges, v))
		}
	}
	if sum == 0 {
		b.Fatal("all values are missing")
	}
	b.ReportMetric(float64(len(x[0]))*float64(b.N)/b.Elapsed().Seconds(), "values/s")
}
