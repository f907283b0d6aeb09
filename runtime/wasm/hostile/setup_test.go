package hostile

import (
	"context"
	"errors"
	"math"
	"os"
	"strings"
	"testing"

	"livelab/pipeline/features"
	"livelab/runtime/wasm"
	. "livelab/runtime/wasm/wasmtest"
)

func TestMain(m *testing.M) {
	wasm.CompileIfChild()
	os.Exit(m.Run())
}

// A specimen is one module of the corpus, and what becomes of it.
type specimen struct {
	name   string
	code   func() []byte
	step   wasm.Step // that refuses it, empty where it is admitted
	reason string    // part of what the refusal, or the error of the row, says

	// turns says that it is admitted, and fails on a row with trigger.
	turns bool
	// machine says that a fast machine may have compiled it in time, and then
	// nothing is wrong with it.
	machine bool
	// heavy keeps the compiler busy for as long as its size allows.
	heavy bool
	// outcome is for people, where it is admitted and fails no row.
	outcome string
	// use shows what it does, where it is admitted.
	use func(*testing.T, *wasm.Transform)
}

// trigger is a value of input a that no row of the probe has.
const trigger = -77.125

// on gives rows that are friendly but for one that has the trigger.
func on(then Code) Code {
	return In(0) + F64Const(trigger) + F64Eq + If(Empty, then) + friendly
}

const fallthroughs = Unreachable // ends a body that never gets there

var (
	friendly = Out(0, In(0)+In(0)+In(1)+F64Add+F64Div)
	spin     = Loop(Empty, Br(0))
)

// made is a specimen's code out of a transform.
func made(t Transform) func() []byte { return t.Bytes }

// raw is a specimen's code as it is.
func raw(code Code) func() []byte { return func() []byte { return []byte(code) } }

// corpus is all specimens.
func corpus() []specimen {
	var all []specimen
	for _, list := range [][]specimen{
		work(), recursion(), storms(), memories(), tables(), compileBombs(), surface(), imports(),
		files(), sections(), descriptions(), buffers(), values(), impure(), late(),
	} {
		all = append(all, list...)
	}
	return all
}

func newHost(t testing.TB, change func(*wasm.Config)) *wasm.Host {
	t.Helper()
	cfg := wasm.Config{
		CacheFolder: t.TempDir(), OnRowError: wasm.Fail,
		Columns: func(name string) bool { return name == "a" || name == "b" },
	}
	if change != nil {
		change(&cfg)
	}
	h, err := wasm.New(context.Background(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := h.Close(); err != nil {
			t.Error(err)
		}
	})
	return h
}

func admit(t testing.TB, h *wasm.Host, code []byte) *wasm.Transform {
	t.Helper()
	tr, err := h.Admit(context.Background(), code, nil)
	if err != nil {
		t.Fatal(err)
	}
	return tr
}

// try a specimen on a host whose policy is to fail.
func (s specimen) try(t *testing.T, h *wasm.Host, code []byte) {
	t.Helper()
	tr, err := h.Admit(context.Background(), code, nil)
	var refusal *wasm.Refusal
	switch {
	case s.step == "" && err != nil:
		t.Fatalf("it is not admitted: %v", err)
	case s.step == "":
	case err == nil && s.machine:
		s.answers(t, tr)
		return
	case err == nil:
		t.Fatalf("it is admitted, want a refusal at %s with %q", s.step, s.reason)
	case !errors.As(err, &refusal):
		t.Fatalf("the host could not tell: %v", err)
	case refusal.Step != s.step || !strings.Contains(refusal.Reason, s.reason):
		t.Fatalf("%v, want a refusal at %s with %q", err, s.step, s.reason)
	default:
		oneLine(t, refusal.Reason)
		return
	}
	if s.turns {
		s.turn(t, tr)
	}
	if s.use != nil {
		s.use(t, tr)
	}
	if s.turns || s.use == nil {
		s.answers(t, tr)
	}
}

// turn a specimen by its trigger: that row fails for the reason, in a batch
// and alone, and no other row does.
func (s specimen) turn(t *testing.T, tr *wasm.Transform) {
	t.Helper()
	const rows, bad = 300, 217
	in, out := columns(2, rows), columns(1, rows)
	for i := range rows {
		in[0][i], in[1][i] = 1, float64(i)
	}
	in[0][bad] = trigger
	one := []float64{0}
	for name, err := range map[string]error{
		"in a batch": tr.Apply(in, out),
		"alone":      tr.ApplyRow([]float64{trigger, 1}, one),
	} {
		var row *features.RowError
		if !errors.As(err, &row) || !strings.Contains(row.Reason, s.reason) {
			t.Errorf("%s: %v, want a row that fails with %q", name, err, s.reason)
			continue
		}
		oneLine(t, row.Reason)
		if name == "in a batch" && row.Row != bad {
			t.Errorf("it is row %d that fails, want %d", row.Row, bad)
		}
	}
	if !math.IsNaN(one[0]) || !math.IsNaN(out[0][bad]) {
		t.Errorf("the row that fails has the values %v and %v, want NaN", one[0], out[0][bad])
	}
}

// answers holds that friendly rows have their answer.
func (s specimen) answers(t *testing.T, tr *wasm.Transform) {
	t.Helper()
	if len(tr.Spec().Inputs) != 2 || len(tr.Spec().Outputs) != 1 {
		return
	}
	out := []float64{0}
	if err := tr.ApplyRow([]float64{1, 3}, out); err != nil || out[0] != 0.25 {
		t.Errorf("a friendly row gives %v, %v; want 0.25", out[0], err)
	}
}

// oneLine holds that a reason is fit for a log and a terminal.
func oneLine(t *testing.T, reason string) {
	t.Helper()
	if len(reason) > 8<<10 {
		t.Errorf("a reason of %d bytes", len(reason))
	}
	for _, r := range reason {
		if r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0 || r == '\u202e' {
			t.Errorf("the reason %q has the character %U", reason, r)
			return
		}
	}
}

func columns(n, rows int) [][]float64 {
	cs := make([][]float64, n)
	for i := range cs {
		cs[i] = make([]float64, rows)
	}
	return cs
}
