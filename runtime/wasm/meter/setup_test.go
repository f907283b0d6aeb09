package meter_test

import (
	"context"
	"testing"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"

	"livelab/runtime/wasm/meter"
	"livelab/runtime/wasm/module"
)

const plenty = 1 << 40

func parse(t testing.TB, code []byte) *module.Module {
	t.Helper()
	m, err := module.Parse(code, module.DefaultLimits())
	if err != nil {
		t.Fatalf("original: %v", err)
	}
	return m
}

// rewrite parses, meters and parses what came out of it.
func rewrite(t testing.TB, code []byte, o meter.Options) []byte {
	t.Helper()
	metered, err := meter.Rewrite(parse(t, code), o)
	if err != nil {
		t.Fatal(err)
	}
	wider := module.DefaultLimits()
	wider.FileSize *= 4
	wider.BodySize *= 4
	wider.Locals++
	wider.Depth += 2
	wider.Stack += 4
	wider.Types += 8
	wider.Functions += 3
	wider.Globals += 2
	wider.Exports += 2
	if _, err := module.Parse(metered.Code, wider); err != nil {
		t.Fatalf("metered: %v", err)
	}
	return metered.Code
}

// engines by name. The compiler is not on every machine, where it is missing
// wazero takes the interpreter for both.
var engines = map[string]wazero.RuntimeConfig{
	"interpreter": wazero.NewRuntimeConfigInterpreter(),
	"compiler":    wazero.NewRuntimeConfig(),
}

// guest is an instance that may be metered.
type guest struct{ api.Module }

// program is a module, compiled once.
type program struct {
	runtime  wazero.Runtime
	compiled wazero.CompiledModule
}

func newProgram(t testing.TB, config wazero.RuntimeConfig, code []byte) program {
	t.Helper()
	ctx := context.Background()
	r := wazero.NewRuntimeWithConfig(ctx, config)
	t.Cleanup(func() { _ = r.Close(ctx) })
	compiled, err := r.CompileModule(ctx, code)
	if err != nil {
		t.Fatal(err)
	}
	return program{r, compiled}
}

// instance without a name, so that there can be several.
func (p program) instance(t testing.TB) guest {
	t.Helper()
	config := wazero.NewModuleConfig().WithStartFunctions().WithName("")
	m, err := p.runtime.InstantiateModule(context.Background(), p.compiled, config)
	if err != nil {
		t.Fatal(err)
	}
	return guest{m}
}

func instantiate(t testing.TB, config wazero.RuntimeConfig, code []byte) guest {
	t.Helper()
	return newProgram(t, config, code).instance(t)
}

func (g guest) global(name string) api.MutableGlobal {
	return g.ExportedGlobal(name).(api.MutableGlobal)
}

func (g guest) set(fuel, stack int64) {
	g.global(meter.Fuel).Set(uint64(fuel))
	g.global(meter.Stack).Set(uint64(stack))
}

func (g guest) fuel() int64  { return int64(g.global(meter.Fuel).Get()) }
func (g guest) stack() int64 { return int64(g.global(meter.Stack).Get()) }

func (g guest) call(name string, args ...uint64) ([]uint64, error) {
	return g.ExportedFunction(name).Call(context.Background(), args...)
}

// run calls with fuel, and gives what was used of it and the cause of a trap.
func (g guest) run(fuel int64, name string, args ...uint64) (results []uint64, used int64, cause, err error) {
	g.set(fuel, meter.DefaultStack)
	results, err = g.call(name, args...)
	if err != nil {
		cause = meter.Cause(g.fuel(), g.stack())
	}
	return results, fuel - g.fuel(), cause, err
}
