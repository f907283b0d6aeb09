package meter_test

import (
	"strings"
	"testing"

	"livelab/runtime/wasm/meter"
	. "livelab/runtime/wasm/wasmtest"
)

// countdown runs a body while local 0 counts down to zero.
func countdown(body Code) Code {
	return Loop(Empty, body, LocalGet(0), I32Const(1), I32Sub, LocalTee(0), BrIf(0))
}

// heavy code of 600 units, and an arm of 60 that is not taken.
var heavy = Code(strings.Repeat(string(LocalGet(0)+I32Eqz+Drop), 200))

func arms(local uint32) Code { return LocalGet(local) + If(Empty, heavy[:4*20]) }

// The weights of the frame and of a loop's header, as written down in
// weights.go, and that of countdown without a body.
const (
	frame  = 8
	header = 2
	count  = 5
)

func TestFuel(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		build func(b *Builder) uint32 // the function that is called with n
		n     uint64
		want  int64
	}{
		{"nothing", func(b *Builder) uint32 {
			return b.Func(I32, None, None)
		}, 1, frame},
		{"straight line", func(b *Builder) uint32 {
			return b.Func(I32, None, None, LocalGet(0), I32Const(3), I32DivU, Drop)
		}, 1, frame + 1 + 1 + 8 + 1},
		{"both arms are paid for", func(b *Builder) uint32 {
			return b.Func(I32, None, None, LocalGet(0), IfElse(Empty, Nop, I32Const(1)+Drop))
		}, 1, frame + 1 + 1 + 2},
		{"a heavy arm is paid for where it is taken", func(b *Builder) uint32 {
			return b.Func(I32, None, None, LocalGet(0), If(Empty, heavy))
		}, 1, frame + 2 + 600},
		{"and not where it is not", func(b *Builder) uint32 {
			return b.Func(I32, None, None, LocalGet(0), If(Empty, heavy))
		}, 0, frame + 2},
		{"the other arm likewise", func(b *Builder) uint32 {
			return b.Func(I32, None, None, LocalGet(0), IfElse(Empty, heavy, Nop))
		}, 0, frame + 2},
		{"light arms are paid for in groups", func(b *Builder) uint32 {
			return b.Func(I32, None, None, arms(0)+arms(0)+arms(0)+arms(0))
		}, 0, frame + 4*(2+60)},
		{"a light arm is paid for with heavy code", func(b *Builder) uint32 {
			return b.Func(I32, None, None, heavy, LocalGet(0), If(Empty, Nop, I32Const(1), Drop))
		}, 0, frame + 600 + 2 + 2},
		{"heavy blocks behind a br_table", func(b *Builder) uint32 {
			return b.Func(I32, None, None, Block(Empty, Block(Empty, Block(Empty,
				LocalGet(0), BrTable(2, 0, 1)), heavy), heavy), heavy)
		}, 1, frame + 1 + 4 + 2*600},
		{"loop", func(b *Builder) uint32 {
			return b.Func(I32, None, None, countdown(""))
		}, 10, frame + 10*(header+count)},
		{"loop with a call", func(b *Builder) uint32 {
			leaf := b.Func(None, None, None)
			return b.Func(I32, None, None, countdown(Call(leaf)))
		}, 10, frame + 10*(header+count+8+frame)},
		{"nested loops", func(b *Builder) uint32 {
			inner := I32Const(4) + LocalSet(1) +
				Loop(Empty, LocalGet(1), I32Const(1), I32Sub, LocalTee(1), BrIf(0))
			return b.Func(I32, None, I32, countdown(inner))
		}, 10, frame + 10*(header+count+2+4*(header+count))},
		{"branch to the outer loop", func(b *Builder) uint32 {
			return b.Func(I32, None, None, Loop(Empty, Loop(Empty,
				LocalGet(0), I32Const(1), I32Sub, LocalTee(0), BrIf(1))))
		}, 10, frame + 10*(2*header+count)},
		{"return out of a loop", func(b *Builder) uint32 {
			return b.Func(I32, I32, None, Loop(Empty,
				LocalGet(0), I32Const(1), I32Sub, LocalTee(0), I32Eqz, If(Empty, I32Const(7), Return), Br(0)), Unreachable)
		}, 10, frame + 10*(header+4+1+1+2+1)},
		{"fill by length", func(b *Builder) uint32 {
			return b.Func(I32, None, None, I32Const(0), I32Const(1), LocalGet(0), MemoryFill)
		}, 65536, frame + 3 + 32 + 65536/8},
		{"copy in a loop", func(b *Builder) uint32 {
			return b.Func(I32, None, None, countdown(I32Const(0)+I32Const(8)+I32Const(800)+MemoryCopy))
		}, 10, frame + 10*(header+count+3+32+100)},
		{"grow", func(b *Builder) uint32 {
			return b.Func(I32, None, None, LocalGet(0), MemoryGrow, Drop)
		}, 2, frame + 2 + 512 + (1+2)*8192},
		{"grow by too much", func(b *Builder) uint32 {
			return b.Func(I32, None, None, LocalGet(0), MemoryGrow, Drop)
		}, 1 << 31, frame + 2 + 512 + (1+meter.DefaultMaxPages)*8192},
		{"table by entries", func(b *Builder) uint32 {
			b.Table(FuncRef, 100, 100)
			return b.Func(I32, None, None, I32Const(0), RefNull(FuncRef), LocalGet(0), TableFill(0))
		}, 100, frame + 3 + 32 + 100},
		{"recursion", func(b *Builder) uint32 {
			fn := b.Declare(I32, None)
			b.Define(fn, None, LocalGet(0), If(Empty, LocalGet(0), I32Const(1), I32Sub, Call(fn)))
			return fn
		}, 5, 6 * (frame + 2 + 3 + 8 + 1)},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b := New()
			b.Memory(1, NoMax)
			b.ExportFunc("f", c.build(b))
			code := rewrite(t, b.Bytes(), meter.Options{})
			for name, engine := range engines {
				g := instantiate(t, engine, code)
				if _, used, _, err := g.run(plenty, "f", c.n); err != nil || used != c.want {
					t.Errorf("%s: used %d, want %d, error %v", name, used, c.want, err)
				}
				if left := g.stack(); left != meter.DefaultStack {
					t.Errorf("%s: %d of the stack is left, want all", name, left)
				}
				if _, used, _, err := g.run(c.want, "f", c.n); c.name != "grow" && (err != nil || used != c.want) {
					t.Errorf("%s: just enough: used %d, error %v", name, used, err)
				}
				g = instantiate(t, engine, code)
				if _, _, cause, _ := g.run(c.want-1, "f", c.n); cause != meter.ErrFuel {
					t.Errorf("%s: one too little: %v, want %v", name, cause, meter.ErrFuel)
				}
			}
		})
	}
}
