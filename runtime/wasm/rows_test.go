package wasm

import (
	"errors"
	"math"
	"strings"
	"sync"
	"testing"

	"livelab/pipeline/features"
	w "livelab/runtime/wasm/wasmtest"
)

// picky fails in its own way on each of some values of input a, and else gives
// a/(a+b).
func picky() w.Transform {
	when := func(value float64, then w.Code) w.Code {
		return w.In(0) + w.F64Const(value) + w.F64Eq + w.If(w.Empty, then)
	}
	spin := w.Loop(w.Empty, w.Br(0))
	return w.Transform{
		Message: "nineteen is not\x1b[2J a number",
		Row: when(-11, w.Unreachable) +
			when(-13, spin) +
			when(-17, w.Call(0)) +
			when(-19, w.I32Const(3)+w.Return) +
			when(-23, w.Out(0, w.F64Const(math.Inf(1)))+w.I32Const(0)+w.Drop) +
			w.In(0) + w.F64Const(-23) + w.F64Ne +
			w.If(w.Empty, w.Out(0, w.In(0)+w.In(0)+w.In(1)+w.F64Add+w.F64Div)),
		First: func(b *w.Builder) { // function 0 calls itself
			f := b.Declare(w.None, w.None)
			b.Define(f, w.None, w.Call(f), w.Call(f))
		},
	}
}

var pickyValues = map[float64]struct {
	cause  Cause
	reason string
}{
	-11: {Trapped, "unreachable"},
	-13: {OutOfFuel, "more than 10050000 of fuel"},
	-17: {TooDeep, "recurse less"},
	-19: {Returned, "it returned 3: nineteen is not [2J a number"},
	-23: {Infinite, "output ratio is +Inf"},
}

func TestFindsExactlyTheBadRows(t *testing.T) {
	t.Parallel()
	tr := admit(t, newHost(t, nil), picky().Bytes())
	for value, want := range pickyValues {
		in, out := columns(2, 9000), columns(1, 9000)
		for i := range in[0] {
			in[0][i], in[1][i] = 1, float64(i)
		}
		bad := map[int]bool{0: true, 1: true, 4095: true, 4097: true, 8999: true}
		for i := range bad {
			in[0][i] = value
		}
		before := tr.Stats().Failed[want.cause]
		if err := tr.Apply(in, out); err != nil {
			t.Fatal(err)
		}
		for i, v := range out[0] {
			if bad[i] && math.Float64bits(v) != canonicalNaN || !bad[i] && v != 1/(1+float64(i)) {
				t.Fatalf("value %v: row %d is %v", value, i, v)
			}
		}
		if n := tr.Stats().Failed[want.cause] - before; n != int64(len(bad)) {
			t.Errorf("value %v: %d rows are counted as %v, want %d", value, n, want.cause, len(bad))
		}
	}
}

func TestPolicyFailNamesTheFirstRow(t *testing.T) {
	t.Parallel()
	tr := admit(t, newHost(t, func(c *Config) { c.OnRowError, c.Instances = Fail, 4 }), picky().Bytes())
	for value, want := range pickyValues {
		in, out := columns(2, 20_000), columns(1, 20_000)
		in[0][17_000], in[0][5000], in[0][5001] = value, value, value
		for i := range in[1] {
			in[1][i] = 1
		}
		var row *features.RowError
		err := tr.Apply(in, out)
		if !errors.As(err, &row) || row.Row != 5000 || row.Transform != "sample" || !strings.Contains(row.Reason, want.reason) {
			t.Errorf("value %v: got %v, want row 5000 with %q", value, err, want.reason)
		}
		one := []float64{0}
		err = tr.ApplyRow([]float64{value, 1}, one)
		if !errors.As(err, &row) || row.Row != 0 || !strings.Contains(row.Reason, want.reason) || !math.IsNaN(one[0]) {
			t.Errorf("value %v alone: got %v, %v, want %q", value, one, err, want.reason)
		}
		if err := tr.ApplyRow([]float64{1, 1}, one); err != nil || one[0] != 0.5 {
			t.Errorf("after value %v: got %v, %v", value, one, err)
		}
	}
}

// Two workers fail at once, and the one with the higher row comes last.
func TestStopNamesTheLowestRow(t *testing.T) {
	t.Parallel()
	s := &session{policy: Fail, first: &features.RowError{Row: 3}}
	s.stop(&features.RowError{Row: 9})
	if r := (*features.RowError)(nil); !errors.As(s.err, &r) || r.Row != 3 {
		t.Errorf("got %v, want row 3", s.err)
	}
}

// However many rows fail, they are missing, whether they return or trap.
func TestManyFailedRows(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		value      float64
		rows, each int
	}{
		"half return": {-19, 100_000, 2},
		"all trap":    {-11, 10_000, 1},
		"half trap":   {-11, 10_000, 2},
		"some trap":   {-11, 20_000, 25},
		"all return":  {-19, 20_000, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tr := admit(t, newHost(t, nil), picky().Bytes())
			in, out := columns(2, test.rows), columns(1, test.rows)
			for i := range test.rows {
				in[0][i], in[1][i] = 1, 1
				if i%test.each == 0 {
					in[0][i] = test.value
				}
			}
			if err := tr.Apply(in, out); err != nil {
				t.Fatal(err)
			}
			for i, v := range out[0] {
				if math.IsNaN(v) != (i%test.each == 0) {
					t.Fatalf("row %d is %v", i, v)
				}
			}
		})
	}
}

// A row that a call of it alone can pay for must come out in a batch too, and
// one that it cannot must not, whatever the others save.
func TestBudgetDoesNotHangOnChunks(t *testing.T) {
	t.Parallel()
	const limit = w.FirstLocal
	work := w.Transform{
		Locals: w.I32,
		Row: w.In(0) + w.I32TruncF64S + w.LocalSet(limit) +
			w.Loop(w.Empty, w.LocalGet(limit)+w.I32Const(1)+w.I32Sub+w.LocalTee(limit)+w.I32Const(0)+w.I32GtS+w.BrIf(0)) +
			w.Out(0, w.In(0)),
	}
	work.Row = w.In(0) + w.F64Const(1<<25) + w.F64Lt + w.If(w.Empty, work.Row)
	tr := admit(t, newHost(t, func(c *Config) { c.ProbeFuel = 1 << 38 }), work.Bytes())
	most := int64(1)
	one := []float64{0}
	for step := int64(1 << 24); step > 0; step /= 2 {
		if err := tr.ApplyRow([]float64{float64(most + step), 0}, one); err != nil {
			t.Fatal(err)
		}
		if !math.IsNaN(one[0]) {
			most += step
		}
	}
	in, out := columns(2, 3000), columns(1, 3000)
	for i := range in[0] {
		in[0][i] = 1
	}
	in[0][1000], in[0][2000] = float64(most), float64(most+1)
	if err := tr.Apply(in, out); err != nil {
		t.Fatal(err)
	}
	for i, v := range out[0] {
		if math.IsNaN(v) != (i == 2000) {
			t.Errorf("row %d of %v rounds is %v, where %d fit", i, in[0][i], v, most)
		}
	}
	if c := tr.core.chunk.Load(); c >= 4096 {
		t.Errorf("the next call takes %d rows, want fewer after some were too dear", c)
	}
}

func TestValues(t *testing.T) {
	t.Parallel()
	describe := `{"name":"bounded","version":"1","inputs":[{"name":"a"}],"outputs":[{"name":"x","min":-1,"max":2},{"name":"y"}]}`
	code := w.Transform{
		Inputs: []string{"a"}, Describe: describe,
		// y is the input's bits where it is not NaN, and else a NaN with a payload
		Row: w.Out(0, w.In(0)) + w.In(0) + w.F64Const(1.5) + w.F64Ne + w.If(w.Empty, w.Out(1, w.I64Const(-1)+w.F64ReinterpretI64)),
	}.Bytes()
	h := newHost(t, func(c *Config) { c.OnRowError = Fail })
	tr := admit(t, h, code)
	for _, v := range []float64{-1, 2, 0, math.Copysign(0, -1), 0.5} {
		out := []float64{9, 9}
		if err := tr.ApplyRow([]float64{v}, out); err != nil || math.Float64bits(out[0]) != math.Float64bits(v) || math.Float64bits(out[1]) != canonicalNaN {
			t.Errorf("%v: got %x, %v", v, out, err)
		}
	}
	nan := math.Float64frombits(0xFFF0_0000_0000_0001)
	out := []float64{9, 9}
	if err := tr.ApplyRow([]float64{nan}, out); err != nil || math.Float64bits(out[0]) != canonicalNaN {
		t.Errorf("a NaN with a payload came out as %x, %v", math.Float64bits(out[0]), err)
	}
	// What was not written is missing, and not what a row before left there.
	if err := tr.ApplyRow([]float64{1.5}, out); err != nil || math.Float64bits(out[1]) != canonicalNaN {
		t.Errorf("an output that was not written is %v, %v", out[1], err)
	}
	for _, v := range []float64{math.Nextafter(-1, -2), math.Nextafter(2, 3), math.Inf(1), math.Inf(-1)} {
		if err := tr.ApplyRow([]float64{v}, out); err == nil {
			t.Errorf("%v came out as %v", v, out)
		}
	}
}

func TestNaNsAreCanonicalOnTheWayIn(t *testing.T) {
	t.Parallel()
	low := w.In(0) + w.I64ReinterpretF64 + w.I64Const(0xffff) + w.I64And + w.F64ConvertI64U
	tr := admit(t, newHost(t, nil), w.Transform{Row: w.Out(0, low)}.Bytes())
	nan := math.Float64frombits(0x7ff8_0000_0000_0007)
	out := []float64{9}
	if err := tr.ApplyRow([]float64{nan, 0}, out); err != nil || out[0] != 0 {
		t.Errorf("a row's NaN has the low bits %v, %v, want 0", out[0], err)
	}
	batch := [][]float64{{9, 9}}
	if err := tr.Apply([][]float64{{nan, nan}, {0, 0}}, batch); err != nil || batch[0][0] != 0 || batch[0][1] != 0 {
		t.Errorf("a column's NaNs have the low bits %v, %v, want 0", batch[0], err)
	}
}

func TestApplyRowDoesNotAllocate(t *testing.T) {
	tr := admit(t, newHost(t, nil), w.Transform{}.Bytes())
	in, out := []float64{1, 3}, []float64{0}
	if n := testing.AllocsPerRun(1000, func() {
		if err := tr.ApplyRow(in, out); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("%v allocations for a row, want none", n)
	}
}

func TestShapes(t *testing.T) {
	t.Parallel()
	tr := admit(t, newHost(t, nil), w.Transform{}.Bytes())
	for name, err := range map[string]error{
		"few inputs":   tr.Apply(columns(1, 3), columns(1, 3)),
		"many outputs": tr.Apply(columns(2, 3), columns(2, 3)),
		"long output":  tr.Apply(columns(2, 3), columns(1, 4)),
		"long input":   tr.Apply([][]float64{{1}, {1, 2}}, columns(1, 1)),
		"row":          tr.ApplyRow([]float64{1}, []float64{1}),
	} {
		if err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if err := tr.Apply(columns(2, 0), columns(1, 0)); err != nil {
		t.Errorf("no rows: %v", err)
	}
}

func TestConcurrentUse(t *testing.T) {
	t.Parallel()
	tr := admit(t, newHost(t, func(c *Config) { c.Instances = 3 }), picky().Bytes())
	var all sync.WaitGroup
	for k := range 8 {
		all.Go(func() {
			in, out := columns(2, 6000), columns(1, 6000)
			for i := range in[0] {
				in[0][i], in[1][i] = float64(i), 1
			}
			in[0][k] = -11
			for range 3 {
				if err := tr.Apply(in, out); err != nil {
					t.Error(err)
				}
			}
			for i, v := range out[0] {
				if math.IsNaN(v) != (i == k) || i != k && v != float64(i)/float64(i+1) {
					t.Errorf("row %d is %v", i, v)
					return
				}
			}
			one := []float64{0}
			if err := tr.ApplyRow([]float64{-11, 1}, one); err != nil || !math.IsNaN(one[0]) {
				t.Errorf("a row that traps is %v, %v", one, err)
			}
			for i := range 200 {
				if err := tr.ApplyRow([]float64{float64(i), 1}, one); err != nil || one[0] != float64(i)/float64(i+1) {
					t.Errorf("row %d alone is %v, %v", i, one, err)
				}
			}
		})
	}
	all.Wait()
	p := tr.core.pool
	if p.busy != 0 || len(p.idle)+p.room != 3 {
		t.Errorf("the pool has %d busy, %d idle and room for %d, want 3 in all", p.busy, len(p.idle), p.room)
	}
}
