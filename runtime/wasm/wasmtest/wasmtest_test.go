package wasmtest_test

import (
	"context"
	"math"
	"testing"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"

	"livelab/plugins/abi"
	. "livelab/runtime/wasm/wasmtest"
)

func instance(t *testing.T, code []byte) api.Module {
	t.Helper()
	ctx := context.Background()
	r := wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfigInterpreter())
	t.Cleanup(func() { _ = r.Close(ctx) })
	m, err := r.Instantiate(ctx, code)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func call(t *testing.T, m api.Module, name string, args ...uint64) uint64 {
	t.Helper()
	out, err := m.ExportedFunction(name).Call(context.Background(), args...)
	if err != nil {
		t.Fatal(err)
	}
	return out[0]
}

// The expected bytes are those of the specification's examples and rules.
func TestNumbers(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ got, want Code }{
		{U(624485), "\xe5\x8e\x26"}, {U(0), "\x00"},
		{S(-123456), "\xc0\xbb\x78"}, {S(63), "\x3f"}, {S(64), "\xc0\x00"}, {S(-64), "\x40"},
		{Locals(I32 + I32 + F64 + I32), "\x03\x02\x7f\x01\x7c\x01\x7f"},
		{BrTable(2, 0, 1), "\x0e\x02\x00\x01\x02"},
	} {
		if c.got != c.want {
			t.Errorf("got %x, want %x", string(c.got), string(c.want))
		}
	}
}

func TestBuilder(t *testing.T) {
	t.Parallel()
	b := New()
	b.Table(FuncRef, 2, 2)
	b.Memory(1, 2)
	counter := b.Global(I64, true, I64Const(40))
	even, odd := b.Declare(I32, I32), b.Declare(I32, I32)
	parity := func(zero int32, other uint32) Code {
		return LocalGet(0) + I32Eqz + IfElse(I32, I32Const(zero), LocalGet(0)+I32Const(1)+I32Sub+Call(other))
	}
	b.Define(even, None, parity(1, odd))
	b.Define(odd, None, parity(0, even))
	b.Elem(I32Const(0), even, odd)
	segment := b.DataPassive("\x07")
	b.ExportFunc("parity", b.Func(I32+I32, I32, None, LocalGet(1), LocalGet(0), CallIndirect(b.Type(I32, I32), 0)))
	b.ExportFunc("count", b.Func(None, I64, None, GlobalGet(counter), I64Const(2), I64Add, GlobalSet(counter), GlobalGet(counter)))
	b.ExportFunc("load", b.Func(None, I32, None,
		I32Const(9), I32Const(0), I32Const(1), MemoryInit(segment), I32Const(1), At(I32Load8U, 8)))
	b.Custom("note", "anything")
	m := instance(t, b.Bytes())
	for _, c := range []struct {
		name string
		args []uint64
		want uint64
	}{
		{"parity", []uint64{0, 7}, 0}, {"parity", []uint64{1, 7}, 1}, {"count", nil, 42}, {"load", nil, 7},
	} {
		if got := call(t, m, c.name, c.args...); got != c.want {
			t.Errorf("%s%v = %d, want %d", c.name, c.args, got, c.want)
		}
	}
}

func TestTransform(t *testing.T) {
	t.Parallel()
	m := instance(t, Transform{Message: "no", Init: Nop}.Bytes())
	description := call(t, m, abi.Describe)
	text, ok := m.Memory().Read(uint32(description>>32), uint32(description))
	if want := Description("sample", "1.0.0", []string{"a", "b"}, []string{"ratio"}); !ok || string(text) != want {
		t.Errorf("description %q, want %q", text, want)
	}
	message := call(t, m, abi.Error)
	if text, _ := m.Memory().Read(uint32(message>>32), uint32(message)); string(text) != "no" {
		t.Errorf("message %q", text)
	}
	const rows = abi.MaxRows
	in, out := call(t, m, abi.Alloc, 2*8*rows), call(t, m, abi.Alloc, 8*rows)
	for r := range uint32(rows) {
		m.Memory().WriteFloat64Le(uint32(in)+8*r, float64(r))
		m.Memory().WriteFloat64Le(uint32(in)+8*(rows+r), 1)
	}
	if code := call(t, m, abi.Transform, in, out, rows); code != 0 {
		t.Fatalf("code %d", code)
	}
	for r := range uint32(rows) {
		got, _ := m.Memory().ReadFloat64Le(uint32(out) + 8*r)
		if want := float64(r) / (float64(r) + 1); math.Float64bits(got) != math.Float64bits(want) {
			t.Fatalf("row %d: %v, want %v", r, got, want)
		}
	}
	if at := call(t, m, abi.Alloc, 1<<30); at != 0 {
		t.Errorf("a buffer of 1 GiB at %d, want none", at)
	}
	if at := call(t, m, abi.Alloc, 8); at == 0 || at%abi.Alignment != 0 {
		t.Errorf("a buffer of 8 bytes at %d", at)
	}
}
