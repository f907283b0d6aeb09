package wasm

import (
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
	tr := admit(t, newHost(t, func(c *Config) { c.InitFuel = 20_000_000 }), w.Transform{
		Locals: w.I64,
		Row:    w.In(0) + w.F64Const(-77) + w.F64Eq + w.If(w.Empty, passes(100_000), w.I32Const(1), w.Return) + w.Out(0, w.In(1)),
	}.Bytes())
	in, out := columns(2, 900), columns(1, 900)
	for i := range in[0] {
		in[0][i] = -77
	}
	err := tr.Apply(in, out)
	if err == nil || !strings.Contains(err.Error(), "spent more than 205000000 of fuel") {
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
	p := &prober{core: tr.core, in: goldenColumns(2)}
	if _, _, err := p.ask(nil, []int{0, 1, 2}, 3); err == nil || !strings.Contains(err.Error(), "more than its fuel") {
		t.Errorf("got %v", err)
	}
}
