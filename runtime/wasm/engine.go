package wasm

import (
	"context"
	"errors"
	"fmt"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"

	"livelab/plugins/abi"
	"livelab/runtime/wasm/meter"
)

// features of WebAssembly that the engine takes, the same as the parser.
const coreFeatures = api.CoreFeaturesV2

// newRuntime with a cache of machine code, for the child that fills it and the
// parent that reads it: both must ask for the same.
func newRuntime(ctx context.Context, cache wazero.CompilationCache, pages uint32) wazero.Runtime {
	return wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfig().
		WithCoreFeatures(coreFeatures).
		WithDebugInfoEnabled(false).
		WithMemoryLimitPages(pages).
		WithCompilationCache(cache))
}

// An engine makes instances of one module. It is safe for concurrent use.
type engine struct {
	cache    wazero.CompilationCache
	runtime  wazero.Runtime
	compiled wazero.CompiledModule

	depth    int64 // stack of a call
	initFuel int64
	making   int64 // fuel that an instance is worth, besides what it spends
}

// makingFuel is what an instance takes the host, in units of fuel: to map and
// unmap its memory, and for each byte of the outline to copy data or to note a
// function.
func makingFuel(outline int) int64 { return 100_000 + int64(outline)/4 }

// load a module by its outline, whose machine code is in a folder. The engine
// decodes and checks what it is given even so, which for the module itself
// would be most of the time and memory of a start. If it did not find machine
// code, it would compile no more than traps.
func load(ctx context.Context, cfg Config, outline []byte, native string) (_ *engine, err error) {
	e := &engine{depth: cfg.Stack, initFuel: cfg.InitFuel, making: makingFuel(len(outline))}
	if e.cache, err = wazero.NewCompilationCacheWithDir(native); err != nil {
		return nil, fmt.Errorf("open machine code: %w", err)
	}
	e.runtime = newRuntime(ctx, e.cache, cfg.Budget.Pages)
	defer func() {
		if err != nil {
			e.close()
		}
	}()
	if err := addStubs(ctx, e.runtime); err != nil {
		return nil, err
	}
	if e.compiled, err = e.runtime.CompileModule(ctx, outline); err != nil {
		return nil, fmt.Errorf("load machine code: %w", err)
	}
	return e, nil
}

// instantiate makes an instance and initialises it. A *trap or a *Refusal is
// the module's fault.
func (e *engine) instantiate() (_ *instance, err error) {
	g := &instance{depth: e.depth, start: e.initFuel, making: e.making}
	g.ctx = context.WithValue(context.Background(), instanceKey{}, g)
	cfg := wazero.NewModuleConfig().WithName("").WithStartFunctions()
	ctx := experimental.WithMemoryAllocator(g.ctx, experimental.MemoryAllocatorFunc(allocateMemory))
	if g.module, err = e.fresh(ctx, cfg); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			g.close()
		}
	}()
	g.memory = g.module.ExportedMemory(abi.Memory)
	g.alloc = g.module.ExportedFunction(abi.Alloc)
	g.transform = g.module.ExportedFunction(abi.Transform)
	g.failure = g.module.ExportedFunction(abi.Error)
	if g.fuel, err = g.global(meter.Fuel); err != nil {
		return nil, err
	}
	if g.stack, err = g.global(meter.Stack); err != nil {
		return nil, err
	}
	if start := g.module.ExportedFunction(abi.Initialize); start != nil {
		if err = g.prepare(start); err != nil {
			return nil, fmt.Errorf("%s: %w", abi.Initialize, err)
		}
	}
	g.started = e.initFuel - g.start
	return g, nil
}

func (e *engine) fresh(ctx context.Context, cfg wazero.ModuleConfig) (_ api.Module, err error) {
	defer func() {
		if r := recover(); r != nil { // the system has no memory to map
			err = fmt.Errorf("make an instance: %v", r)
		}
	}()
	m, err := e.runtime.InstantiateModule(ctx, e.compiled, cfg)
	if err != nil {
		return nil, refuse("an instance cannot be made: %s", clean(err.Error(), 200))
	}
	return m, nil
}

func (g *instance) global(name string) (api.MutableGlobal, error) {
	v, ok := g.module.ExportedGlobal(name).(api.MutableGlobal)
	if !ok {
		return nil, fmt.Errorf("the metered module has no global %q", name)
	}
	return v, nil
}

// equip an instance for calls of single rows.
func (g *instance) equip(j *judge) (err error) {
	g.inputs, g.outputs = len(j.description.Inputs), len(j.description.Outputs)
	if g.row, err = g.reserve(1); err == nil {
		return nil
	}
	if none := (*noRoom)(nil); errors.As(err, &none) {
		return refuse("%v", err)
	}
	return err
}

// close ends all instances. None may be in a call.
func (e *engine) close() {
	ctx := context.Background()
	_ = e.runtime.Close(ctx)
	_ = e.cache.Close(ctx)
}
