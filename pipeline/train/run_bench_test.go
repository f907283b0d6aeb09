package train

import (
	"fmt"
	"testing"
)

// BenchmarkRun is a whole training with its backtest of five folds: ten
// columns, one row for each ten minutes. 52,560 rows are a year.
func BenchmarkRun(b *testing.B) {
	for _, rows := range []int{5_000, 52_560} {
		b.Run(fmt.Sprintf("rows=%d,cols=%d", rows, len(cityInputs)), func(b *testing.B) {
			f := cityFrame(rows, 60, 1)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := Run(b.Context(), Whole{Frame: f}, Config{Inputs: cityInputs}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
