package wasm

import (
	"runtime"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"livelab/pipeline/features"
	"livelab/runtime/wasm/wasmtest"
)

func TestMetrics(t *testing.T) {
	t.Parallel()
	const unlucky = 12345
	code := wasmtest.Transform{Row: wasmtest.In(0) + wasmtest.F64Const(unlucky) + wasmtest.F64Eq +
		wasmtest.If(wasmtest.Empty, wasmtest.Unreachable) +
		wasmtest.Out(0, wasmtest.In(0)+wasmtest.In(1)+wasmtest.F64Div)}.Bytes()
	h := newHost(t, func(c *Config) { c.Instances = 1 })
	r := prometheus.NewPedanticRegistry()
	if err := r.Register(h); err != nil {
		t.Fatal(err)
	}
	if n, err := testutil.GatherAndCount(r); n != 0 || err != nil {
		t.Errorf("%d metrics without a transform, %v", n, err)
	}

	tr := admit(t, h, code)
	generous, err := h.Admit(t.Context(), code, &features.Budget{Call: 20_000_000, Row: 50_000, Pages: 256})
	if err != nil {
		t.Fatal(err)
	}
	// Three rows in columns, of which one traps, and one alone that is infinite.
	if err := tr.Apply([][]float64{{1, unlucky, 3}, {1, 1, 1}}, [][]float64{make([]float64, 3)}); err != nil {
		t.Fatal(err)
	}
	if err := generous.ApplyRow([]float64{1, 0}, []float64{0}); err != nil {
		t.Fatal(err)
	}
	labels := `digest="` + tr.Spec().Digest[:12] + `"`
	want := strings.ReplaceAll(`
		# HELP livelab_transform_discarded_instances_total Instances of a transform that were lost to a trap.
		# TYPE livelab_transform_discarded_instances_total counter
		livelab_transform_discarded_instances_total{DIGEST,transform="sample"} 2
		# HELP livelab_transform_failed_rows_total Rows that a transform failed on, by reason.
		# TYPE livelab_transform_failed_rows_total counter
		livelab_transform_failed_rows_total{DIGEST,reason="fuel",transform="sample"} 0
		livelab_transform_failed_rows_total{DIGEST,reason="infinite",transform="sample"} 1
		livelab_transform_failed_rows_total{DIGEST,reason="range",transform="sample"} 0
		livelab_transform_failed_rows_total{DIGEST,reason="returned",transform="sample"} 0
		livelab_transform_failed_rows_total{DIGEST,reason="stack",transform="sample"} 0
		livelab_transform_failed_rows_total{DIGEST,reason="trap",transform="sample"} 1
		# HELP livelab_transform_rows_total Rows that a transform was asked for.
		# TYPE livelab_transform_rows_total counter
		livelab_transform_rows_total{DIGEST,transform="sample"} 4
	`, "DIGEST", labels)
	if err := testutil.GatherAndCompare(r, strings.NewReader(want), "livelab_transform_rows_total",
		"livelab_transform_failed_rows_total", "livelab_transform_discarded_instances_total"); err != nil {
		t.Error(err)
	}
	if n, err := testutil.GatherAndCount(r, "livelab_transform_seconds_total"); n != 1 || err != nil {
		t.Errorf("%d times of transforms, %v", n, err)
	}
	problems, err := testutil.GatherAndLint(r)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
	runtime.KeepAlive(tr)
	runtime.KeepAlive(generous)
}
