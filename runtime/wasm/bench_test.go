package wasm

import (
	"context"
	"testing"

	"livelab/runtime/wasm/wasmtest"
)

func BenchmarkApplyRow(b *testing.B) {
	tr := admit(b, newHost(b, nil), wasmtest.Transform{}.Bytes())
	in, out := []float64{1, 3}, []float64{0}
	b.ReportAllocs()
	for b.Loop() {
		if err := tr.ApplyRow(in, out); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkApply4096(b *testing.B) {
	tr := admit(b, newHost(b, nil), wasmtest.Transform{}.Bytes())
	in, out := columns(2, 4096), columns(1, 4096)
	b.ReportAllocs()
	for b.Loop() {
		if err := tr.Apply(in, out); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/4096, "ns/row")
}

// From a host that knows nothing yet, to the first answer of a module that
// was admitted before.
func BenchmarkStartGoPlugin(b *testing.B) {
	code, err := goPlugin()
	if err != nil {
		b.Fatal(err)
	}
	folder := b.TempDir()
	start := func() {
		h, err := New(context.Background(), Config{CacheFolder: folder, Columns: func(string) bool { return true }})
		if err != nil {
			b.Fatal(err)
		}
		tr := admit(b, h, code)
		if err := tr.ApplyRow([]float64{1, 2}, []float64{0}); err != nil {
			b.Fatal(err)
		}
		if err := h.Close(); err != nil {
			b.Fatal(err)
		}
	}
	start()
	for b.Loop() {
		start()
	}
}
