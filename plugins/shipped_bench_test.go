package plugins_test

import (
	"context"
	"fmt"
	"testing"

	"livelab/runtime/wasm/bench"
)

// BenchmarkShipped measures each shipped transform beside the same in Go: at 1,
// 64 and 4096 rows a call, as its author built it, with metering, and through
// the host, all in one run. It reports ns a row and the ratios of the budgets.
func BenchmarkShipped(b *testing.B) {
	for _, s := range shipped {
		for _, rows := range []int{1, 64, 4096} {
			b.Run(fmt.Sprintf("%s/rows=%d", s.name, rows), func(b *testing.B) {
				transform := admitShipped(b, s.name, s.language)
				var size bench.Size
				for b.Loop() {
					report, err := bench.Run(context.Background(), transform, bench.Config{
						Sizes: []int{rows}, Native: byRow(s.oracle, len(transform.Spec().Inputs), len(transform.Spec().Outputs)),
					})
					if err != nil {
						b.Fatal(err)
					}
					size = report.Sizes[0]
				}
				b.ReportMetric(0, "ns/op") // that of the whole measurement says nothing
				b.ReportMetric(size.Native.Median, "native-ns/row")
				b.ReportMetric(size.Unmetered.Median, "unmetered-ns/row")
				b.ReportMetric(size.Metered.Median, "metered-ns/row")
				b.ReportMetric(size.Host.Median, "host-ns/row")
				b.ReportMetric(size.Metering, "metered/unmetered")
				b.ReportMetric(size.TimesNative, "host/native")
				b.ReportMetric(size.Fuel, "fuel/row")
			})
		}
	}
}

// BenchmarkShippedRow counts what a single row allocates, which must be
// nothing.
func BenchmarkShippedRow(b *testing.B) {
	for _, s := range shipped {
		b.Run(s.name, func(b *testing.B) {
			transform := admitShipped(b, s.name, s.language)
			rows := shippedRows(transform.Spec().Inputs)
			in, out := make([]float64, len(rows)), make([]float64, len(transform.Spec().Outputs))
			for c := range in {
				in[c] = rows[c][0]
			}
			b.ReportAllocs()
			for b.Loop() {
				if err := transform.ApplyRow(in, out); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// byRow makes a loop over columns of what computes a row.
func byRow(row func(in, out []float64), inputs, outputs int) func(in, out [][]float64) {
	x, y := make([]float64, inputs), make([]float64, outputs)
	return func(in, out [][]float64) {
		for r := range out[0] {
			for c, column := range in {
				x[c] = column[r]
			}
			row(x, y)
			for c, column := range out {
				column[r] = y[c]
			}
		}
	}
}
