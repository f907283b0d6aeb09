package hostile

import (
	"errors"
	"math"
	"strings"
	"testing"

	"livelab/pipeline/features"
	"livelab/runtime/wasm"
	. "livelab/runtime/wasm/wasmtest"
)

// patience is how many calls a late specimen waits for, more than the probe
// makes of one instance.
const patience = 20_000

// late modules behave until an instance has had many calls.
func late() []specimen {
	after := func(then Code) func() []byte {
		return counting(func(n uint32) Transform {
			return Transform{Body: tick(n) + GlobalGet(n) + I32Const(patience) + I32GtU + If(Empty, then) + EachRow(friendly)}
		})
	}
	fails := func(reason string) func(*testing.T, *wasm.Transform) {
		return func(t *testing.T, tr *wasm.Transform) { failsLate(t, tr, reason) }
	}
	return []specimen{
		{name: "traps after 20,000 calls", outcome: "stopped: that row fails, and the next one is answered by a new instance",
			code: after(Unreachable), use: fails("unreachable")},
		{name: "loops after 20,000 calls", outcome: "stopped: that row fails, and the next one is answered by a new instance",
			code: after(spin), use: fails(spent)},
		{name: "recurses after 20,000 calls", outcome: "stopped: that row fails, and the next one is answered by a new instance",
			code: counting(func(n uint32) Transform {
				return Transform{
					Body: tick(n) + GlobalGet(n) + I32Const(patience) + I32GtU + If(Empty, Call(3)) + EachRow(friendly),
					Last: func(b *Builder) { f := b.Declare(None, None); b.Define(f, None, Call(f)) },
				}
			}), use: fails("nest deeper")},
		{name: "ends itself with a message of its own after 20,000 calls", outcome: "stopped: rows fail from then on",
			code: after(I32Const(5) + Return), use: func(t *testing.T, tr *wasm.Transform) {
				if n, err := until(t, tr); err == nil || !strings.Contains(err.Error(), "it returned 5") {
					t.Errorf("after %d rows: %v", n, err)
				}
			}},
		{name: "lies after 20,000 calls", outcome: "not seen: its answers are others from then on, within their range",
			code: counting(func(n uint32) Transform {
				return Transform{Body: tick(n) + EachRow(Out(0, In(0)+In(0)+In(1)+F64Add+F64Div+GlobalGet(n)+I32Const(patience)+I32GtU+F64ConvertI32U+F64Add))}
			}), use: func(t *testing.T, tr *wasm.Transform) {
				out := []float64{0}
				if err := tr.ApplyRow([]float64{1, 3}, out); err != nil || out[0] != 0.25 {
					t.Errorf("got %v, %v", out, err)
				}
			}},
	}
}

// until calls rows of one after another, until one fails.
func until(t *testing.T, tr *wasm.Transform) (int, error) {
	t.Helper()
	out := []float64{0}
	for n := range 4 * patience {
		if err := tr.ApplyRow([]float64{1, 3}, out); err != nil {
			if !math.IsNaN(out[0]) {
				t.Errorf("the row that failed is %v", out[0])
			}
			return n, err
		}
		if out[0] != 0.25 {
			t.Fatalf("row %d is %v", n, out[0])
		}
	}
	return 4 * patience, nil
}

func failsLate(t *testing.T, tr *wasm.Transform, reason string) {
	n, err := until(t, tr)
	var row *features.RowError
	if !errors.As(err, &row) || !strings.Contains(row.Reason, reason) {
		t.Fatalf("after %d rows: %v, want a row that fails with %q", n, err, reason)
	}
	out := []float64{0}
	if err := tr.ApplyRow([]float64{1, 3}, out); err != nil || out[0] != 0.25 {
		t.Errorf("the row after it: %v, %v", out, err)
	}
}
