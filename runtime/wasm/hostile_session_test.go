package wasm

import (
	"math"
	"strings"
	"testing"

	w "livelab/runtime/wasm/wasmtest"
)

// passes is code that takes some fuel for each of n passes of a loop; it needs
// a local i64.
func passes(n int64) w.Code {
	const left = w.FirstLocal
	return w.I64Const(n) + w.LocalSet(left) + w.Loop(w.Empty,
		w.LocalGet(left), w.I64Const(1), w.I64Sub, w.LocalTee(left), w.I64Const(0), w.I64GtS, w.BrIf(0))
}

// A row that costs six times what a batch has for it, and far less than a call of
// it alone, must come out in batches too, however many there are.
func TestDearRowsInLargeBatches(t *testing.T) {
	t.Parallel()
	const rows = 6000
	tr := admit(t, newHost(t, func(c *Config) { c.Instances = 4 }), w.Transform{
		Locals: w.I64,
		Row: w.In(0) + w.F64Const(-77) + w.F64Eq + w.If(w.Empty, passes(43_000)) +
			w.Out(0, w.In(1)),
	}.Bytes())
	in, out := columns(2, rows), columns(1, rows)
	for i := range rows {
		in[0][i], in[1][i] = -77, float64(i)
	}
	if err := tr.Apply(in, out); err != nil {
		t.Fatal(err)
	}
	for i, v := range out[0] {
		if v != float64(i) {
			t.Fatalf("row %d is %v", i, v)
		}
	}
	if s := tr.Stats(); s.Discards > 40 {
		t.Errorf("%d instances were lost", s.Discards)
	}
}

// Where all rows are dear alike, calls are as large as fuel allows from the
// first on, when the module was just admitted and when it was recalled.
func TestFirstCallsFit(t *testing.T) {
	t.Parallel()
	const rows = 6000
	folder := t.TempDir()
	for _, state := range []string{"admitted", "recalled"} {
		h := newHost(t, func(c *Config) { c.CacheFolder = folder })
		tr := admit(t, h, w.Transform{Locals: w.I64, Row: passes(1000) + w.Out(0, w.In(1))}.Bytes())
		if err := tr.Apply(columns(2, rows), columns(1, rows)); err != nil {
			t.Fatal(err)
		}
		if s := tr.Stats(); s.Discards != 0 || s.Calls > 20 {
			t.Errorf("%s: %d calls, %d instances lost", state, s.Calls, s.Discards)
		}
	}
}

// A module that fails each row after much work must not hold its caller up for
// as many rows as may fail.
func TestSlowFailures(t *testing.T) {
	t.Parallel()
	tr := admit(t, newHost(t, nil), w.Transform{
		Locals: w.I64,
		Row:    w.In(0) + w.F64Const(-77) + w.F64Eq + w.If(w.Empty, passes(1_000_000), w.I32Const(1), w.Return) + w.Out(0, w.In(1)),
	}.Bytes())
	in, out := columns(2, 900), columns(1, 900)
	for i := range in[0] {
		in[0][i] = -77
	}
	err := tr.Apply(in, out)
	if err == nil || !strings.Contains(err.Error(), "calls that failed spent more than") {
		t.Errorf("got %v", err)
	}
	one := []float64{0}
	if err := tr.ApplyRow([]float64{1, 2}, one); err != nil || one[0] != 2 {
		t.Errorf("afterwards: %v, %v", one, err)
	}
}

// What a message takes is part of the row's fuel, and of the probe's.
func TestMessagesSpendFuel(t *testing.T) {
	t.Parallel()
	h := newHost(t, func(c *Config) { c.OnRowError = Fail })
	slow := w.Transform{
		Omit: []string{"ll_error_v1"}, Message: "unused",
		Row: w.In(0) + w.F64Const(-77) + w.F64Eq + w.If(w.Empty, w.I32Const(1), w.Return) + w.Out(0, w.In(1)),
		Last: func(b *w.Builder) {
			b.ExportFunc("ll_error_v1", b.Func(w.None, w.I64, w.I32+w.I32+w.I32+w.I32+w.I64, passes(100_000), w.I64Const(1024<<32|4)))
		},
	}
	tr := admit(t, h, slow.Bytes())
	g, err := tr.core.pool.take()
	if err != nil {
		t.Fatal(err)
	}
	defer tr.core.pool.put(g)
	if o := tr.core.judge.callRow(g, []float64{-77, 1}, []float64{0}); o.spent < 500_000 || !strings.Contains(o.reason, `it returned 1: {"na`) {
		t.Errorf("spent %d: %s", o.spent, o.reason)
	}
	in := columns(2, 2)
	in[0][0], in[0][1] = -77, -77
	if o := tr.core.judge.callBatch(g, in, columns(1, 2), 0, 2); o.spent > 10_000 || !o.failed {
		t.Errorf("a batch spent %d for a message that nobody reads", o.spent)
	}
}

// A probe whose fuel is spent to the last unit has none left, not all there is.
func TestProbeWithoutFuel(t *testing.T) {
	t.Parallel()
	tr := admit(t, newHost(t, nil), w.Transform{}.Bytes())
	p := newProber(tr.core, goldenColumns(2), 0)
	if _, _, err := p.ask(nil, []int{0, 1, 2}, 3); err == nil || !strings.Contains(err.Error(), "more than 0 of fuel") {
		t.Errorf("got %v", err)
	}
}

// A module has calls of as many rows as its allocator has memory for.
func TestSmallHeaps(t *testing.T) {
	t.Parallel()
	for bytes, want := range map[int32]int64{
		1 << 20:  4096,
		99 << 10: 4096, // 64 KiB of inputs and 32 KiB of outputs, after a row
		64 << 10: 2048,
		33 << 10: 1365, // the inputs of 2048 rows are split
		60:       1,
	} {
		// A heap from 64 KiB on, whose end is in global 0.
		heap := w.Transform{
			MinPages: 40,
			First:    func(b *w.Builder) { b.Global(w.I32, true, w.I32Const(1<<16)) },
			Alloc: w.GlobalGet(0) + w.LocalGet(0) + w.I32Add + w.I32Const(1<<16+bytes) + w.I32GtU +
				w.If(w.Empty, w.I32Const(0), w.Return) +
				w.GlobalGet(0) + w.LocalGet(0) + w.I32Add + w.GlobalSet(0) +
				w.GlobalGet(0) + w.LocalGet(0) + w.I32Sub,
			Row: w.Out(0, w.In(0)+w.In(1)+w.F64Add),
		}
		tr := admit(t, newHost(t, nil), heap.Bytes())
		if n := tr.core.chunk.Load(); n != want {
			t.Errorf("a heap of %d bytes: calls of %d rows, want %d", bytes, n, want)
		}
		in, out := columns(2, 9000), columns(1, 9000)
		for i := range in[0] {
			in[0][i], in[1][i] = float64(i), 1
		}
		if err := tr.Apply(in, out); err != nil {
			t.Fatal(err)
		}
		for i, v := range out[0] {
			if v != float64(i+1) {
				t.Fatalf("a heap of %d bytes: row %d is %v", bytes, i, v)
			}
		}
	}
}

// Half of all rows may fail, also where each takes much.
func TestDearRowsOfWhichHalfFail(t *testing.T) {
	t.Parallel()
	const rows = 3000
	tr := admit(t, newHost(t, nil), w.Transform{
		Locals: w.I64,
		Row:    passes(50_000) + w.In(0) + w.F64Const(-77) + w.F64Eq + w.If(w.Empty, w.I32Const(1), w.Return) + w.Out(0, w.In(1)),
	}.Bytes())
	in, out := columns(2, rows), columns(1, rows)
	for i := range rows {
		in[1][i] = 1
		if i%2 == 0 {
			in[0][i] = -77
		}
	}
	if err := tr.Apply(in, out); err != nil {
		t.Fatal(err)
	}
	for i, v := range out[0] {
		if (v == 1) != (i%2 == 1) {
			t.Fatalf("row %d is %v", i, v)
		}
	}
}

// Rows of the probe that trap are missing; rows that fail by return are, too.
func TestProbeWithRowsThatTrap(t *testing.T) {
	t.Parallel()
	for name, then := range map[string]w.Code{"trap": w.Unreachable, "return": w.I32Const(1) + w.Return} {
		code := w.Transform{Row: w.In(0) + w.F64Const(0.25) + w.F64Gt + w.In(0) + w.F64Const(0.75) + w.F64Lt + w.I32And + w.If(w.Empty, then) + w.Out(0, w.In(1))}.Bytes()
		r := newHost(t, nil).Check(t.Context(), code)
		if err := r.Err(); err != nil || r.Facts.FailedRows < 30 {
			t.Errorf("%s: %d rows failed, %v", name, r.Facts.FailedRows, err)
		}
	}
}

// A row is as dear as it is, however its calls went.
func TestRowFuel(t *testing.T) {
	t.Parallel()
	for _, n := range []int64{100, 20_000, 30_000} {
		one := measure(t, passes(n))
		if dear := measure(t, passes(2*n)); dear < 19*one/10 || dear > 21*one/10 {
			t.Errorf("%d passes take %d a row, twice as many %d", n, one, dear)
		}
	}
}

// measure what a row takes, some of which return an error after all work.
func measure(t *testing.T, work w.Code) int64 {
	t.Helper()
	r := newHost(t, func(c *Config) { c.ProbeFuel = 1 << 38 }).Check(t.Context(), w.Transform{
		Locals: w.I64, Row: work + w.In(0) + w.F64Const(1) + w.F64Eq + w.If(w.Empty, w.I32Const(1), w.Return) + w.Out(0, w.In(1)),
	}.Bytes())
	if err := r.Err(); err != nil {
		t.Fatal(err)
	}
	return r.Facts.RowFuel
}

// Rows as dear as this are asked less often, and dearer ones are refused by
// their price.
func TestProbeFollowsThePrice(t *testing.T) {
	t.Parallel()
	for n, want := range map[int64]string{50_000: "", 100_000: "more than 300000000 of fuel, a row takes about"} {
		r := newHost(t, nil).Check(t.Context(), w.Transform{Locals: w.I64, Row: passes(n) + w.Out(0, w.In(1))}.Bytes())
		switch err := r.Err(); {
		case want == "" && (err != nil || r.Facts.RowFuel < 400_000):
			t.Errorf("%d passes: %d a row, %v", n, r.Facts.RowFuel, err)
		case want != "" && (err == nil || !strings.Contains(err.Error(), want)):
			t.Errorf("%d passes: got %v, want %q", n, err, want)
		}
	}
}

// Each column of the golden rows has zeros of both signs.
func TestGoldenRowsHaveBothZeros(t *testing.T) {
	t.Parallel()
	for c, column := range goldenColumns(20) {
		signs := map[bool]int{}
		for _, v := range column {
			if v == 0 {
				signs[math.Signbit(v)]++
			}
		}
		if len(signs) != 2 {
			t.Errorf("column %d has zeros %v", c, signs)
		}
	}
}
