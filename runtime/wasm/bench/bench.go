// Package bench measures what a row through a transform costs, side by side in
// one run: a loop in Go, the module as its author built it, the module with
// its metering, and the whole way through the host. The two modules differ in
// the metering alone and are called in the same way, so that the difference is
// its cost.
//
// The module as its author built it has no limits, which is why this has an
// engine of its own and why nothing that serves may import it. Only a module
// that was admitted is run, on rows that the host has answered before.
package bench

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"livelab/pipeline/features"
	"livelab/plugins/abi"
)

// The ways that are compared.
const (
	Native    = "native"    // NativeLoop
	Unmetered = "unmetered" // the module's original bytes
	Metered   = "metered"   // the same with metering
	Host      = "host"      // features.Transform: metered, copied, checked
)

// NativeLoop says what the loop in Go computes.
const NativeLoop = "share and imbalance of free_bikes and empty_slots, the example that `livelab plugin new` writes"

// Config of Run. Zero fields take their default.
type Config struct {
	// Sizes are the rows of a call. Default 1, 64 and 4096, which is the most.
	Sizes []int

	// Rounds is how often each way is measured, one after the other in each
	// round. Many short ones stand a busy machine better than a few long ones:
	// most are over before something else gets the processor.
	Rounds int // default DefaultRounds

	// Slice is how long one way is measured in one round.
	Slice time.Duration // default DefaultSlice

	// Least is how many calls a slice has at least. Default 1.
	Least int

	// Native is the loop in Go that is measured beside the module: it computes
	// the columns out from the columns in. Default that of NativeLoop.
	Native func(in, out [][]float64)

	Now func() time.Time // default time.Now
}

// The defaults of Config.
const (
	DefaultRounds = 301
	DefaultSlice  = 500 * time.Microsecond
)

func (c *Config) setDefaults() {
	if len(c.Sizes) == 0 {
		c.Sizes = []int{1, 64, abi.MaxRows}
	}
	c.Rounds = cmp.Or(c.Rounds, DefaultRounds)
	c.Slice = cmp.Or(c.Slice, DefaultSlice)
	c.Least = cmp.Or(c.Least, 1)
	if c.Now == nil {
		c.Now = time.Now
	}
}

func (c *Config) validate() error {
	for _, n := range c.Sizes {
		if n < 1 || n > abi.MaxRows {
			return fmt.Errorf("bench: %d rows a call, must be 1 to %d", n, abi.MaxRows)
		}
	}
	if c.Rounds < 1 || c.Slice < 0 || c.Least < 1 {
		return fmt.Errorf("bench: %d rounds of %v and at least %d calls, all must be positive", c.Rounds, c.Slice, c.Least)
	}
	return nil
}

// Report is what Run has measured.
type Report struct {
	NativeLoop string `json:"native_loop"` // what the way native computes
	Rounds     int    `json:"rounds"`
	Sizes      []Size `json:"sizes"`
}

// Size is one number of rows a call.
type Size struct {
	Rows      int     `json:"rows"`
	Native    Nanos   `json:"native"`
	Unmetered Nanos   `json:"unmetered"`
	Metered   Nanos   `json:"metered"`
	Host      Nanos   `json:"host"`
	Fuel      float64 `json:"fuel_per_row"` // spent by a call, over its rows

	// Medians over the rounds of the ratio within each of them.
	Metering    float64 `json:"metered_over_unmetered"`
	TimesNative float64 `json:"host_over_native"`
}

// Nanos are nanoseconds a row over the rounds.
type Nanos struct {
	Median float64 `json:"median_ns"`
	Lower  float64 `json:"lower_quartile_ns"`
	Upper  float64 `json:"upper_quartile_ns"`
	Least  float64 `json:"least_ns"`
}

// way answers the rows once.
type way struct {
	name string
	call func() error
}

// Run measures an admitted transform. It fails where the ways do not answer
// alike, as there is nothing to compare then.
func Run(ctx context.Context, t features.Transform, cfg Config) (Report, error) {
	cfg.setDefaults()
	if err := cfg.validate(); err != nil {
		return Report{}, err
	}
	original, metered, done, err := modules(ctx, t.Code())
	if err != nil {
		return Report{}, err
	}
	defer done()
	r := Report{NativeLoop: NativeLoop, Rounds: cfg.Rounds}
	if cfg.Native != nil {
		r.NativeLoop = "the same in Go"
	}
	for _, rows := range cfg.Sizes {
		s, err := measure(ctx, t, original, metered, rows, cfg)
		if err != nil {
			return Report{}, fmt.Errorf("%d rows a call: %w", rows, err)
		}
		r.Sizes = append(r.Sizes, s)
	}
	return r, nil
}

func measure(ctx context.Context, t features.Transform, original, metered *guest, rows int, cfg Config) (Size, error) {
	in := inputs(t.Spec().Inputs, rows)
	out := columns(len(t.Spec().Outputs), rows)
	if err := t.Apply(in, out); err != nil {
		return Size{}, err
	}
	for _, g := range []*guest{metered, original} {
		if err := g.prepare(in, len(out)); err != nil {
			return Size{}, err
		}
		if err := g.call(); err != nil {
			return Size{}, err
		}
		if !g.answered(out) {
			return Size{}, fmt.Errorf("the module answers otherwise %s than through the host, perhaps as rows fail there", g.name)
		}
	}
	s := Size{Rows: rows, Fuel: float64(metered.spent()) / float64(rows)}
	host := func() error { return t.Apply(in, out) }
	if rows == 1 {
		x, y := column(in), make([]float64, len(out))
		host = func() error { return t.ApplyRow(x, y) }
	}
	native := newNative(rows).call
	if cfg.Native != nil {
		mine := columns(len(out), rows)
		native = func() error { cfg.Native(in, mine); return nil }
	}
	ways := []way{{Native, native}, {Unmetered, original.call}, {Metered, metered.call}, {Host, host}}
	taken, err := interleave(ctx, ways, rows, cfg)
	if err != nil {
		return Size{}, err
	}
	s.Native, s.Unmetered, s.Metered, s.Host = summary(taken[0]), summary(taken[1]), summary(taken[2]), summary(taken[3])
	s.Metering = median(ratios(taken[2], taken[1]))
	s.TimesNative = median(ratios(taken[3], taken[0]))
	return s, nil
}

// interleave measures each way once a round, so that what slows the machine
// down for a while slows down all of them, and every other round backwards. It
// gives the nanoseconds a row, by way and round.
func interleave(ctx context.Context, ways []way, rows int, cfg Config) ([][]float64, error) {
	calls := make([]int, len(ways))
	for i, w := range ways {
		var err error
		if calls[i], err = enough(w, cfg); err != nil {
			return nil, fmt.Errorf("%s: %w", w.name, err)
		}
	}
	taken := make([][]float64, len(ways))
	for round := range cfg.Rounds {
		for i := range ways {
			if round%2 == 1 {
				i = len(ways) - 1 - i
			}
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			d, err := timeOf(ways[i], calls[i], cfg.Now)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", ways[i].name, err)
			}
			taken[i] = append(taken[i], float64(d.Nanoseconds())/float64(calls[i])/float64(rows))
		}
	}
	return taken, nil
}

// enough finds how many calls fill a slice, and warms up on the way.
func enough(w way, cfg Config) (int, error) {
	for calls := cfg.Least; ; calls *= 2 {
		d, err := timeOf(w, calls, cfg.Now)
		if err != nil {
			return 0, err
		}
		if 2*d >= cfg.Slice || calls > math.MaxInt32 {
			return max(cfg.Least, int(float64(calls)*float64(cfg.Slice)/float64(max(d, 1)))), nil
		}
	}
}

func timeOf(w way, calls int, now func() time.Time) (time.Duration, error) {
	start := now()
	for range calls {
		if err := w.call(); err != nil {
			return 0, err
		}
	}
	return now().Sub(start), nil
}

func summary(taken []float64) Nanos {
	return Nanos{
		Median: median(taken), Lower: quantile(taken, 0.25), Upper: quantile(taken, 0.75), Least: slices.Min(taken),
	}
}

func ratios(of, to []float64) []float64 {
	r := make([]float64, len(of))
	for i := range of {
		r[i] = of[i] / to[i]
	}
	return r
}

func median(xs []float64) float64 { return quantile(xs, 0.5) }

// quantile between the values next to it, in proportion.
func quantile(xs []float64, q float64) float64 {
	xs = slices.Sorted(slices.Values(xs))
	at := q * float64(len(xs)-1)
	i := int(at)
	if i+1 == len(xs) {
		return xs[i]
	}
	return xs[i] + (at-float64(i))*(xs[i+1]-xs[i])
}
