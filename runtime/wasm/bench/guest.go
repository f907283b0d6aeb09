package bench

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"

	"livelab/plugins/abi"
	"livelab/runtime/wasm/meter"
	"livelab/runtime/wasm/module"
)

// plenty is fuel that no call spends.
const plenty = math.MaxInt64 / 2

// guest is an instance that is called without anything around it. Its inputs
// stay in its memory from call to call.
type guest struct {
	name      string
	module    api.Module
	fuel      api.MutableGlobal // nil without metering
	stack     api.MutableGlobal
	transform api.Function

	in, out uint32
	rows    int
	args    [3]uint64
}

// modules makes an instance of a module and one of it with metering. They live
// until done.
func modules(ctx context.Context, code []byte) (original, metered *guest, done func(), err error) {
	m, err := module.Parse(code, module.DefaultLimits())
	if err != nil {
		return nil, nil, nil, fmt.Errorf("parse: %w", err)
	}
	rewritten, err := meter.Rewrite(m, meter.Options{})
	if err != nil {
		return nil, nil, nil, fmt.Errorf("meter: %w", err)
	}
	// Pages that the guests may have: more than admission lets them take.
	engine := wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfig().
		WithDebugInfoEnabled(false).WithMemoryLimitPages(meter.DefaultMaxPages))
	done = func() { _ = engine.Close(context.WithoutCancel(ctx)) }
	defer func() {
		if err != nil {
			done()
		}
	}()
	if _, err = wasi_snapshot_preview1.Instantiate(ctx, engine); err != nil {
		return nil, nil, nil, err
	}
	if original, err = instantiate(ctx, engine, "without metering", code); err != nil {
		return nil, nil, nil, err
	}
	if metered, err = instantiate(ctx, engine, "with metering", rewritten.Code); err != nil {
		return nil, nil, nil, err
	}
	return original, metered, done, nil
}

// instantiate gives the guest nothing of this machine: no files, no
// environment, a clock and random numbers that are made up.
func instantiate(ctx context.Context, engine wazero.Runtime, name string, code []byte) (*guest, error) {
	compiled, err := engine.CompileModule(ctx, code)
	if err != nil {
		return nil, fmt.Errorf("compile %s: %w", name, err)
	}
	quiet := wazero.NewModuleConfig().WithName("").WithStartFunctions().WithStdout(io.Discard).WithStderr(io.Discard)
	m, err := engine.InstantiateModule(ctx, compiled, quiet)
	if err != nil {
		return nil, fmt.Errorf("make an instance %s: %w", name, err)
	}
	g := &guest{name: name, module: m, transform: m.ExportedFunction(abi.Transform)}
	if m.Memory() == nil || g.transform == nil {
		return nil, fmt.Errorf("the module does not export %s and %s", abi.Memory, abi.Transform)
	}
	g.fuel, _ = m.ExportedGlobal(meter.Fuel).(api.MutableGlobal)
	g.stack, _ = m.ExportedGlobal(meter.Stack).(api.MutableGlobal)
	g.fill()
	if start := m.ExportedFunction(abi.Initialize); start != nil {
		if _, err := start.Call(ctx); err != nil {
			return nil, fmt.Errorf("%s %s: %w", abi.Initialize, name, err)
		}
	}
	return g, nil
}

// fill sets what a metered module is to be given before each call.
func (g *guest) fill() {
	if g.fuel != nil {
		g.fuel.Set(plenty)
		g.stack.Set(meter.DefaultStack)
	}
}

// spent is the fuel of the last call.
func (g *guest) spent() int64 { return plenty - int64(g.fuel.Get()) }

// prepare puts columns into the guest's memory.
func (g *guest) prepare(in [][]float64, outputs int) (err error) {
	g.rows = len(in[0])
	if g.in, err = g.alloc(8 * g.rows * len(in)); err != nil {
		return err
	}
	if g.out, err = g.alloc(8 * g.rows * outputs); err != nil {
		return err
	}
	at := g.in
	for _, c := range in {
		for _, x := range c {
			if !g.module.Memory().WriteUint64Le(at, math.Float64bits(x)) {
				return errors.New("the module's buffer is not in its memory")
			}
			at += 8
		}
	}
	return nil
}

func (g *guest) alloc(bytes int) (uint32, error) {
	g.fill()
	r, err := g.module.ExportedFunction(abi.Alloc).Call(context.Background(), uint64(bytes))
	if err != nil {
		return 0, fmt.Errorf("%s of %d bytes %s: %w", abi.Alloc, bytes, g.name, err)
	}
	if uint32(r[0]) == 0 {
		return 0, fmt.Errorf("%s has no %d bytes to give: %d rows do not fit", abi.Alloc, bytes, g.rows)
	}
	return uint32(r[0]), nil
}

func (g *guest) call() error {
	g.fill()
	g.args = [3]uint64{uint64(g.in), uint64(g.out), uint64(g.rows)}
	if err := g.transform.CallWithStack(context.Background(), g.args[:]); err != nil {
		return fmt.Errorf("%s %s: %w", abi.Transform, g.name, err)
	}
	if code := int32(g.args[0]); code != 0 {
		return fmt.Errorf("%s %s gives %d, not 0", abi.Transform, g.name, code)
	}
	return nil
}

// answered reports whether the outputs are these, bit for bit but for the
// payload of what is missing.
func (g *guest) answered(want [][]float64) bool {
	b, ok := g.module.Memory().Read(g.out, uint32(8*g.rows*len(want)))
	if !ok {
		return false
	}
	for c := range want {
		for r, x := range want[c] {
			got := math.Float64frombits(binary.LittleEndian.Uint64(b[8*(c*g.rows+r):]))
			if math.Float64bits(got) != math.Float64bits(x) && !(math.IsNaN(got) && math.IsNaN(x)) {
				return false
			}
		}
	}
	return true
}
