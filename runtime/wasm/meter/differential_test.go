package meter_test

import (
	"context"
	"fmt"
	"hash/crc32"
	"strings"
	"testing"

	"github.com/tetratelabs/wazero/api"

	"livelab/runtime/wasm/meter"
	. "livelab/runtime/wasm/wasmtest"
)

// A metered module answers as the original does, uses the same fuel in both
// engines, and runs out of it at the same place where there is less.
func TestDifferential(t *testing.T) {
	t.Parallel()
	seeds := uint64(200)
	if testing.Short() {
		seeds = 50
	}
	sum := tally{}
	for seed := range seeds {
		t.Run(fmt.Sprint(seed), func(t *testing.T) { differential(t, seed, &sum) })
	}
	if sum.returned < int(seeds) || sum.trapped < int(seeds)/10 || sum.starved < int(seeds) {
		t.Errorf("%+v: the modules show too little", sum)
	}
}

func FuzzMetered(f *testing.F) {
	for seed := range uint64(8) {
		f.Add(1<<32 + seed)
	}
	f.Fuzz(func(t *testing.T, seed uint64) { differential(t, seed, &tally{}) })
}

// tally of the calls by how they ended.
type tally struct{ returned, trapped, starved int }

func differential(t *testing.T, seed uint64, sum *tally) {
	t.Helper()
	code, funcs := Random(seed)
	original, metered := compile(t, code), compile(t, rewrite(t, code, meter.Options{}))
	inGlobal := newProgram(t, engines["interpreter"], rewrite(t, code, meter.InGlobal))
	for _, f := range funcs {
		var used [2]int64
		for i, name := range []string{"interpreter", "compiler"} {
			want := observe(t, original[i], f, 0, 0)
			got := observe(t, metered[i], f, plenty, meter.DefaultStack)
			if got.seen != want.seen {
				t.Fatalf("seed %d, %s, %s: metered\n%.400s\nwant\n%.400s", seed, f.Name, name, got.seen, want.seen)
			}
			used[i] = plenty - got.fuel
			if got.trapped {
				sum.trapped++
				used[i] = 0
			} else if sum.returned++; got.stack != meter.DefaultStack {
				t.Fatalf("seed %d, %s, %s: %d of the stack is left", seed, f.Name, name, got.stack)
			}
		}
		if used[0] != used[1] {
			t.Fatalf("seed %d, %s: the interpreter used %d, the compiler %d", seed, f.Name, used[0], used[1])
		}
		if used[0] == 0 {
			continue
		}
		if o := observe(t, inGlobal, f, plenty, meter.DefaultStack); plenty-o.fuel != used[0] {
			t.Fatalf("seed %d, %s: used %d by the global alone, %d by a local", seed, f.Name, plenty-o.fuel, used[0])
		}
		if last := starve(t, seed, f, metered, used[0]-1, sum); !last {
			t.Fatalf("seed %d, %s: one too little is enough", seed, f.Name)
		}
		starve(t, seed, f, metered, used[0]/2, sum)
	}
}

// starve a call, and tell whether it ran out of fuel, in both engines alike.
func starve(t *testing.T, seed uint64, f RandomFunc, metered [2]program, fuel int64, sum *tally) bool {
	t.Helper()
	a := observe(t, metered[0], f, fuel, meter.DefaultStack)
	b := observe(t, metered[1], f, fuel, meter.DefaultStack)
	if a.seen != b.seen || a.fuel != b.fuel {
		t.Fatalf("seed %d, %s with %d: the interpreter\n%d %.400s\nthe compiler\n%d %.400s",
			seed, f.Name, fuel, a.fuel, a.seen, b.fuel, b.seen)
	}
	sum.starved++
	return meter.Cause(a.fuel, a.stack) == meter.ErrFuel
}

// compile for the interpreter and for the compiler.
func compile(t *testing.T, code []byte) [2]program {
	t.Helper()
	return [2]program{newProgram(t, engines["interpreter"], code), newProgram(t, engines["compiler"], code)}
}

// outcome of a call on a fresh instance.
type outcome struct {
	seen        string // results or trap, globals and memory
	trapped     bool
	fuel, stack int64
}

func observe(t *testing.T, p program, f RandomFunc, fuel, stack int64) (o outcome) {
	t.Helper()
	g := p.instance(t)
	defer func() { _ = g.Close(context.Background()) }()
	if stack != 0 {
		g.set(fuel, stack)
	}
	g.global(Steps).Set(60)
	args := make([]uint64, len(f.Params))
	for i := range args {
		args[i] = api.EncodeI32(int32(i) + 5)
	}
	results, err := g.call(f.Name, args...)
	o.trapped = err != nil
	var text strings.Builder
	if err != nil {
		first, _, _ := strings.Cut(err.Error(), "\n")
		fmt.Fprintln(&text, first)
	}
	fmt.Fprintln(&text, results)
	for i := range 4 {
		fmt.Fprintln(&text, g.ExportedGlobal(fmt.Sprintf("g%d", i)).Get())
	}
	memory, _ := g.Memory().Read(0, g.Memory().Size())
	fmt.Fprintln(&text, len(memory), crc32.Checksum(memory, crc32.MakeTable(crc32.Castagnoli)))
	o.seen = text.String()
	if stack != 0 {
		o.fuel, o.stack = g.fuel(), g.stack()
	}
	return o
}
