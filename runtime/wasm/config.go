package wasm

import (
	"fmt"
	"log/slog"
	"runtime"
	"time"

	"livelab/pipeline/features"
	"livelab/plugins/abi"
	"livelab/runtime/wasm/meter"
	"livelab/runtime/wasm/module"
)

// Policy is what becomes of a row that a transform fails on.
type Policy string

// The policies.
const (
	Missing Policy = "missing" // its outputs are NaN, and it is counted
	Fail    Policy = "fail"    // the call fails with a *features.RowError
)

// Config of a Host. The zero value of a field means its default.
type Config struct {
	// Limits of the parser.
	Limits module.Limits // default module.DefaultLimits()

	// Budget of transforms where Admit is not given another. It stands above
	// the memory of Limits.
	Budget features.Budget // default 10,000,000 a call, 50,000 a row and 256 pages, which are 16 MiB

	// InitFuel is what making an instance, with its buffers and description,
	// may spend. The garbage collector of this process cannot interrupt a call
	// of a module: once it wants to stop the world, every other goroutine waits
	// for the call's end. A unit is a nanosecond, and some nine of them where
	// each load misses the cache, so that this is also how long all may stand
	// still.
	InitFuel int64 // default 40,000,000: Go modules of 2 to 4 MB took 5,000,000 to 29,600,000

	// ProbeFuel is what all of the probe may spend, the instances that it
	// makes included. A dearer row is asked less often.
	ProbeFuel int64 // default 300,000,000: enough for rows of 500,000

	// Stack is how deep calls may nest, in bytes.
	Stack int64 // default 1 MiB; at most meter.DefaultStack

	// Instances is how many instances one transform may have at once. Each may
	// keep the budget's memory once it has grown to it.
	Instances int // default GOMAXPROCS, at most 4

	// CacheFolder keeps what admission found out, machine code included. It
	// and what is above it must not be writable by others.
	CacheFolder string // default livelab/wasm in the user's cache folder, else a temporary one

	// CacheEntries is how many modules the folder keeps, oldest use first out.
	CacheEntries int // default 64

	// Compiler starts the child process that compiles: a program, which calls
	// CompileIfChild, and arguments. An emulated program names its emulator.
	Compiler []string // default this program

	// Compile limits the child process that compiles.
	Compile CompileLimits

	// ForgetCode lets go of a module's bytes once it is admitted: for a process
	// that publishes no models. Transforms have no Code to give then.
	ForgetCode bool

	// Columns says whether a column can be read.
	Columns func(name string) bool // default those of features.Catalogue

	// OnRowError is what becomes of a row that a transform fails on.
	OnRowError Policy // default Missing

	Logger *slog.Logger // default none
}

// CompileLimits of the child process. Each grows with the size of the code, so
// that what is small is stopped early.
type CompileLimits struct {
	CPU        time.Duration // of processor time, whatever the size; default 400 ms
	CPUPerKB   time.Duration // for each 1024 bytes of code on top; default 4 ms
	Memory     int64         // bytes, whatever the size; default 32 MiB
	MemoryByte int64         // bytes for each byte of code on top; default 40
	Wall       time.Duration // of waiting, on a machine that never runs it; default 2 min
}

func (c Config) withDefaults() Config {
	if c.Limits == (module.Limits{}) {
		c.Limits = module.DefaultLimits()
	}
	set(&c.Budget.Call, 10_000_000)
	set(&c.Budget.Row, 50_000)
	set(&c.Budget.Pages, 256)
	set(&c.InitFuel, 40_000_000)
	set(&c.ProbeFuel, 300_000_000)
	set(&c.Stack, 1<<20)
	set(&c.Instances, min(runtime.GOMAXPROCS(0), 4))
	set(&c.CacheEntries, 64)
	set(&c.Compile.CPU, 400*time.Millisecond)
	set(&c.Compile.CPUPerKB, 4*time.Millisecond)
	set(&c.Compile.Memory, 32<<20)
	set(&c.Compile.MemoryByte, 40)
	set(&c.Compile.Wall, 2*time.Minute)
	set(&c.OnRowError, Missing)
	if c.Columns == nil {
		c.Columns = catalogued()
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return c
}

func (c Config) validate() error {
	for _, n := range []struct {
		name             string
		value, low, high int64
	}{
		{"InitFuel", c.InitFuel, 1, 1 << 40},
		{"ProbeFuel", c.ProbeFuel, 1, 1 << 40},
		{"Stack", c.Stack, 1, meter.DefaultStack},
		{"Instances", int64(c.Instances), 1, 256},
		{"CacheEntries", int64(c.CacheEntries), 1, 1 << 20},
		{"Compile.CPU", int64(c.Compile.CPU), 1, int64(time.Hour)},
		{"Compile.CPUPerKB", int64(c.Compile.CPUPerKB), 1, int64(time.Second)},
		{"Compile.Memory", c.Compile.Memory, 1 << 20, 1 << 40},
		{"Compile.MemoryByte", c.Compile.MemoryByte, 1, 1 << 20},
		{"Compile.Wall", int64(c.Compile.Wall), 1, int64(24 * time.Hour)},
	} {
		if n.value < n.low || n.value > n.high {
			return fmt.Errorf("wasm: %s is %d: use %d to %d", n.name, n.value, n.low, n.high)
		}
	}
	if c.OnRowError != Missing && c.OnRowError != Fail {
		return fmt.Errorf("wasm: OnRowError is %q: use %q or %q", c.OnRowError, Missing, Fail)
	}
	return validBudget(c.Budget)
}

// under is the configuration for a transform with a budget.
func (c Config) under(b features.Budget) Config {
	c.Budget = b
	c.Limits.MemoryPages = int(b.Pages)
	return c
}

// validBudget keeps the sum of a batch far from overflow, and the memory of
// all instances within a machine.
func validBudget(b features.Budget) error {
	const most, mostPages = 1 << 40, 1024
	if b.Pages < 1 || b.Pages > mostPages {
		return fmt.Errorf("wasm: a budget of %d pages: use 1 to %d", b.Pages, mostPages)
	}
	if b.Call < 1 || b.Call > most || b.Row < 0 || b.Row > most/abi.MaxRows {
		return fmt.Errorf("wasm: a budget of %d a call and %d a row: use 1 to %d, and 0 to %d", b.Call, b.Row, int64(most), int64(most)/abi.MaxRows)
	}
	return nil
}

func catalogued() func(string) bool {
	known := map[string]bool{}
	for _, f := range features.Catalogue() {
		known[f.Name] = true
	}
	return func(name string) bool { return known[name] }
}

func set[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}
