package meter_test

import (
	"fmt"
	"strings"
	"testing"

	"livelab/runtime/wasm/meter"
	"livelab/runtime/wasm/module"
	. "livelab/runtime/wasm/wasmtest"
)

// deepest wazero's stack gets before it refuses to grow: it doubles from
// 10,240 bytes until more than 50,000,000 are full.
const deepest = 10240 << 13

var counted = GlobalGet(0) + I32Const(1) + I32Add + GlobalSet(0)

// recursive functions whose frames differ. Each counts itself in global 0 and
// calls itself with its i32 less by one, until it is zero.
var recursive = map[string]func(b *Builder) uint32{
	"small": func(b *Builder) uint32 {
		fn := b.Declare(I32, None)
		b.Define(fn, None, counted, LocalGet(0), If(Empty, LocalGet(0), I32Const(1), I32Sub, Call(fn)))
		return fn
	},
	"operands across the call": func(b *Builder) uint32 {
		fn := b.Declare(I32, I32)
		var push, pop Code
		for i := range int32(200) {
			push += LocalGet(0) + I32Const(i) + I32Mul
			pop += I32Add
		}
		b.Define(fn, None, counted, LocalGet(0), If(I32, push, LocalGet(0), I32Const(1), I32Sub, Call(fn), pop, Else, I32Const(0)))
		return fn
	},
	"locals across the call": func(b *Builder) uint32 {
		fn := b.Declare(I32, F64)
		var set, get Code
		locals := None
		for i := range uint32(300) {
			locals += F64
			set += LocalGet(0) + I32Const(int32(i)) + I32Xor + F64ConvertI32S + LocalSet(1+i)
			get += LocalGet(1+i) + F64Add
		}
		b.Define(fn, locals, counted, LocalGet(0), If(F64, set, LocalGet(0), I32Const(1), I32Sub, Call(fn), get, Else, F64Const(0)))
		return fn
	},
	"values one after another": func(b *Builder) uint32 {
		leaf := b.Func(I32, I32, None, LocalGet(0), I32Const(7), I32Mul)
		fn := b.Declare(I32, None)
		var body Code
		for i := range int32(40) {
			body += LocalGet(0) + I32Const(i) + I32Add + LocalTee(1) + Call(leaf) + LocalGet(1) + Call(leaf) + I32Add + Drop
		}
		b.Define(fn, I32, counted, LocalGet(0), If(Empty, body, LocalGet(0), I32Const(1), I32Sub, Call(fn)))
		return fn
	},
	"loads": func(b *Builder) uint32 {
		fn := b.Declare(I32, F64)
		var push, pop Code
		for i := range int32(100) {
			push += LocalGet(0) + I32Const(8*i) + I32And + At(F64Load, uint32(8*i))
			pop += F64Add
		}
		b.Define(fn, None, counted, LocalGet(0), If(F64, push, LocalGet(0), I32Const(1), I32Sub, Call(fn), pop, Else, F64Const(0)))
		return fn
	},
	"vectors": func(b *Builder) uint32 {
		fn := b.Declare(I32, V128)
		var push, pop Code
		for i := range int32(100) {
			push += LocalGet(0) + I32Const(i) + I32Add + SIMD(0x11)
			pop += SIMD(0xae)
		}
		zero := SIMD(0x0c) + Code(strings.Repeat("\x00", 16))
		b.Define(fn, None, counted, LocalGet(0), If(V128, push, LocalGet(0), I32Const(1), I32Sub, Call(fn), pop, Else, zero))
		return fn
	},
	"results on the stack": func(b *Builder) uint32 {
		fn := b.Declare(I32, Types(strings.Repeat(string(I64), 16)))
		zeros := Code(strings.Repeat(string(I64Const(0)), 16))
		b.Define(fn, None, counted, LocalGet(0), I32Eqz, If(Empty, zeros, Return), LocalGet(0), I32Const(1), I32Sub, Call(fn))
		return fn
	},
	"joins": func(b *Builder) uint32 {
		const n = 60
		leaf := b.Func(None, None, None)
		fn := b.Declare(I32, I32)
		var set, get Code
		for i := range uint32(n) {
			set += LocalGet(0) + LocalSet(1+i) + LocalGet(0) + BrIf((7*i)%n)
			get += LocalGet(1+i) + I32Add
		}
		body := set
		for range n {
			body = Block(Empty, body) + Call(leaf)
		}
		b.Define(fn, Types(strings.Repeat(string(I32), n)), counted, LocalGet(0),
			If(I32, body, LocalGet(0), I32Const(1), I32Sub, Call(fn), get, Else, I32Const(0)))
		return fn
	},
}

// What is taken for a frame is not less than what wazero's compiler needs. The
// original recurses until wazero's stack is full, the metered module until its
// allowance is.
func TestFrameIsAnUpperBound(t *testing.T) {
	for name, build := range recursive {
		t.Run(name, func(t *testing.T) {
			b := New()
			b.Memory(1, 1)
			b.Export("depth", KindGlobal, b.Global(I32, true, I32Const(0)))
			b.ExportFunc("f", build(b))
			original := b.Bytes()
			g := instantiate(t, engines["compiler"], original)
			if _, err := g.call("f", 1<<30); err == nil || !strings.Contains(err.Error(), "stack overflow") {
				t.Fatalf("original: %v, want a stack overflow", err)
			}
			real := float64(deepest) / float64(g.global("depth").Get())
			if real > 1<<20 {
				t.Skip("wazero's interpreter counts calls, not bytes: this machine has no compiler")
			}

			g = instantiate(t, engines["compiler"], rewrite(t, original, meter.Options{}))
			_, _, cause, err := g.run(plenty, "f", 1<<30)
			if cause != meter.ErrStack {
				t.Fatalf("metered: %v by %v, want %v", err, cause, meter.ErrStack)
			}
			taken := float64(meter.DefaultStack) / float64(g.global("depth").Get())
			t.Logf("%.0f bytes are taken for %.0f", taken, real)
			if taken < real {
				t.Errorf("%.0f bytes are taken for a frame of %.0f", taken, real)
			}
		})
	}
}

func TestStack(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		build func(b *Builder) uint32
		n     uint64
		cause error
	}{
		{"recursion that ends", recursive["small"], 1000, nil},
		{"recursion that does not", recursive["small"], 1 << 30, meter.ErrStack},
		{"mutual recursion", func(b *Builder) uint32 {
			a, c := b.Declare(I32, I32), b.Declare(I32, I32)
			b.Define(a, None, LocalGet(0), Call(c), I32Const(1), I32Add)
			b.Define(c, None, LocalGet(0), Call(a), I32Const(1), I32Add)
			return a
		}, 1, meter.ErrStack},
		{"recursion through a table", func(b *Builder) uint32 {
			b.Table(FuncRef, 1, 1)
			fn := b.Declare(I32, I32)
			b.Define(fn, None, LocalGet(0), I32Const(0), CallIndirect(b.Type(I32, I32), 0), I32Const(1), I32Add)
			b.Elem(I32Const(0), fn)
			return fn
		}, 1, meter.ErrStack},
		{"a long chain of wide frames", func(b *Builder) uint32 {
			fn := b.Func(I32, I32, None, LocalGet(0))
			for range 300 {
				locals := Types(strings.Repeat(string(I64), 4000))
				fn = b.Func(I32, I32, locals, LocalGet(0), Call(fn), I32Const(1), I32Add)
			}
			return fn
		}, 1, meter.ErrStack},
		{"a tree of calls", func(b *Builder) uint32 {
			fn := b.Func(I32, None, None)
			for range 40 {
				fn = b.Func(I32, None, None, LocalGet(0), Call(fn), LocalGet(0), Call(fn))
			}
			return fn
		}, 1, meter.ErrFuel},
		{"a loop that does not end", func(b *Builder) uint32 {
			return b.Func(I32, None, None, Loop(Empty, Br(0)))
		}, 1, meter.ErrFuel},
		{"fills in a loop", func(b *Builder) uint32 {
			return b.Func(I32, None, None, Loop(Empty, I32Const(0), I32Const(1), I32Const(65536), MemoryFill, Br(0)))
		}, 1, meter.ErrFuel},
		{"grows in a loop", func(b *Builder) uint32 {
			return b.Func(I32, None, None, Loop(Empty, I32Const(0), MemoryGrow, Drop, Br(0)))
		}, 1, meter.ErrFuel},
		{"a trap of its own", func(b *Builder) uint32 {
			return b.Func(I32, None, None, Loop(Empty, I32Const(1), I32Const(0), I32DivU, BrIf(0)))
		}, 1, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b := New()
			b.Memory(1, 1)
			b.Global(I32, true, I32Const(0))
			b.ExportFunc("f", c.build(b))
			g := instantiate(t, engines["compiler"], rewrite(t, b.Bytes(), meter.Options{}))
			_, _, cause, err := g.run(10_000_000, "f", c.n)
			if cause != c.cause {
				t.Errorf("%v by %v, want %v", err, cause, c.cause)
			}
			if own := c.name == "a trap of its own"; own != (err != nil && cause == nil) {
				t.Errorf("error %v by %v", err, cause)
			}
			if err == nil && g.stack() != meter.DefaultStack {
				t.Errorf("%d of the stack is left", g.stack())
			}
		})
	}
}

func TestRefuses(t *testing.T) {
	t.Parallel()
	const locals, blocks = 1000, 1000
	joins := Br(0)
	for i := range uint32(locals) {
		joins = I32Const(1) + LocalSet(i) + LocalGet(i) + BrIf(i%blocks) + joins
	}
	for range blocks {
		joins = Block(Empty, joins)
	}
	for _, c := range []struct {
		name, want string
		build      func(b *Builder)
	}{
		{"a name of the metering", `"livelab:fuel"`, func(b *Builder) {
			b.ExportFunc(meter.Fuel, b.Func(None, None, None))
		}},
		{"a name like those", `"livelab:x"`, func(b *Builder) {
			b.ExportFunc("livelab:x", b.Func(None, None, None))
		}},
		{"a large memory", "17 pages, at most 16", func(b *Builder) { b.Memory(17, 20) }},
		{"many joins", "split the function", func(b *Builder) {
			b.Func(None, None, Types(strings.Repeat(string(I32), locals)), joins)
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b := New()
			c.build(b)
			limits := module.DefaultLimits()
			limits.FunctionWork = 1 << 30
			limits.Work = 1 << 30
			m, err := module.Parse(b.Bytes(), limits)
			if err != nil {
				t.Fatal(err)
			}
			_, err = meter.Rewrite(m, meter.Options{MaxPages: 16})
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want one with %q", err, c.want)
			}
		})
	}
}

func TestMemoryMaximum(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ declared, want int }{{NoMax, 5}, {100, 5}, {3, 3}} {
		t.Run(fmt.Sprint(c.declared), func(t *testing.T) {
			t.Parallel()
			b := New()
			b.Memory(1, c.declared)
			b.ExportFunc("f", b.Func(I32, I32, None, LocalGet(0), MemoryGrow))
			g := instantiate(t, engines["compiler"], rewrite(t, b.Bytes(), meter.Options{MaxPages: 5}))
			if got, _, _, err := g.run(plenty, "f", uint64(c.want)); err != nil || int32(got[0]) != -1 {
				t.Errorf("to %d pages: %v, %v, want -1", c.want+1, got, err)
			}
			if got, _, _, err := g.run(plenty, "f", uint64(c.want-1)); err != nil || got[0] != 1 {
				t.Errorf("to %d pages: %v, %v, want 1", c.want, got, err)
			}
		})
	}
}
