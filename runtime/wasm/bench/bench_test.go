package bench

import (
	"context"
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"livelab/pipeline/features"
	"livelab/pipeline/features/featurestest"
	"livelab/runtime/wasm/wasmtest"
)

// coded is a transform in Go that carries a module, as if it were run from it.
type coded struct {
	featurestest.Native
	code []byte
}

func (c coded) Code() []byte { return c.code }

var ratio = wasmtest.Transform{Inputs: []string{"free_bikes", "empty_slots"}}

func transform(m wasmtest.Transform, row func(in, out []float64) error) features.Transform {
	return coded{featurestest.New("sample", m.Inputs, []string{"ratio"}, row), m.Bytes()}
}

func answer(in, out []float64) error {
	out[0] = in[0] / (in[0] + in[1])
	return nil
}

// quick measures with a clock that moves on by a millisecond at each look.
func quick() Config {
	at := time.Time{}
	return Config{Rounds: 3, Slice: time.Microsecond, Least: 2, Now: func() time.Time {
		at = at.Add(time.Millisecond)
		return at
	}}
}

func TestRun(t *testing.T) {
	t.Parallel()
	r, err := Run(t.Context(), transform(ratio, answer), quick())
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Sizes) != 3 || r.Rounds != 3 {
		t.Fatalf("got %+v", r)
	}
	for i, rows := range []int{1, 64, 4096} {
		s := r.Sizes[i]
		want := 1e6 / 2 / float64(rows) // two calls in a millisecond
		for name, n := range map[string]Nanos{Native: s.Native, Unmetered: s.Unmetered, Metered: s.Metered, Host: s.Host} {
			if n != (Nanos{want, want, want, want}) {
				t.Errorf("%d rows, %s: %+v, want %v each", rows, name, n, want)
			}
		}
		if s.Rows != rows || s.Metering != 1 || s.TimesNative != 1 {
			t.Errorf("got %+v", s)
		}
	}
	if one, many := r.Sizes[0].Fuel, r.Sizes[2].Fuel; !(many > 1 && one > many) {
		t.Errorf("a row spends %v of fuel alone and %v among many", one, many)
	}
}

// TestAnswersMustAgree holds that nothing is compared which computes something
// else.
func TestAnswersMustAgree(t *testing.T) {
	t.Parallel()
	other := func(in, out []float64) error { out[0] = in[1] / (in[0] + in[1]); return nil }
	if _, err := Run(t.Context(), transform(ratio, other), quick()); err == nil || !strings.Contains(err.Error(), "answers otherwise") {
		t.Errorf("got %v", err)
	}
	missing := func(in, out []float64) error { out[0] = math.NaN(); return nil }
	fails := ratio
	fails.Body = wasmtest.I32Const(7)
	if _, err := Run(t.Context(), transform(fails, missing), quick()); err == nil || !strings.Contains(err.Error(), "gives 7, not 0") {
		t.Errorf("got %v", err)
	}
	payload := ratio // a NaN of any payload is missing
	payload.Row = wasmtest.Out(0, wasmtest.F64Const(math.Float64frombits(0x7ff8_0000_0000_1234)))
	if _, err := Run(t.Context(), transform(payload, missing), quick()); err != nil {
		t.Error(err)
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	good := transform(ratio, answer)
	broken := coded{featurestest.New("sample", ratio.Inputs, []string{"ratio"}, answer), []byte("no module")}
	if _, err := Run(t.Context(), broken, quick()); err == nil || !strings.HasPrefix(err.Error(), "parse: ") {
		t.Errorf("got %v", err)
	}
	for _, cfg := range []Config{{Sizes: []int{0}}, {Sizes: []int{4097}}, {Rounds: -1}, {Slice: -1}} {
		if _, err := Run(t.Context(), good, cfg); err == nil || !strings.HasPrefix(err.Error(), "bench: ") {
			t.Errorf("%+v: %v", cfg, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cfg := quick()
	now := cfg.Now
	cfg.Now = func() time.Time { cancel(); return now() }
	if _, err := Run(ctx, good, cfg); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestSummary(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		taken []float64
		want  Nanos // median, quartiles, least
	}{
		{[]float64{7}, Nanos{7, 7, 7, 7}},
		{[]float64{5, 1, 9}, Nanos{5, 3, 7, 1}},
		{[]float64{4, 1, 10, 2}, Nanos{3, 1.75, 5.5, 1}},
	} {
		if got := summary(tt.taken); got != tt.want {
			t.Errorf("%v: %+v, want %+v", tt.taken, got, tt.want)
		}
	}
}

// TestRounds holds that the ways take turns, every other round backwards, and
// that ratios are of the same round.
func TestRounds(t *testing.T) {
	t.Parallel()
	at, order := time.Time{}, ""
	costs := func(name string, cost ...time.Duration) way {
		calls := 0
		return way{name, func() error {
			order += name
			at = at.Add(cost[calls%len(cost)])
			calls++
			return nil
		}}
	}
	cfg := Config{Rounds: 3, Slice: 1, Least: 1, Now: func() time.Time { return at }}
	taken, err := interleave(t.Context(), []way{costs("a", 9, 10, 20, 40), costs("b", 9, 30, 60, 120)}, 2, cfg)
	if err != nil {
		t.Fatal(err)
	}
	if order != "ab"+"ab"+"ba"+"ab" { // the first to warm up
		t.Errorf("called in the order %s", order)
	}
	if got := median(ratios(taken[1], taken[0])); got != 3 || taken[0][0] != 5 || taken[1][2] != 60 {
		t.Errorf("taken %v, ratio %v", taken, got)
	}
}

// TestInputs holds that rows are the same in every run and can be true.
func TestInputs(t *testing.T) {
	t.Parallel()
	var names []string
	for _, f := range features.Catalogue() {
		names = append(names, f.Name)
	}
	names = append(names, "other.output")
	a, b := inputs(names, 100), inputs(names, 100)
	for c, name := range names {
		least, greatest := features.Bounds(name)
		for r, x := range a[c] {
			if bikes := name == "free_bikes"; bikes && (x > 2000 || x != math.Floor(x)) {
				t.Fatalf("%v bikes", x)
			}
			if x != b[c][r] || !(x >= least && x <= greatest) || math.IsInf(x, 0) {
				t.Fatalf("%s is %v and %v, between %v and %v", name, x, b[c][r], least, greatest)
			}
		}
	}
}
