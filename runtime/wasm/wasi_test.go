package wasm

import (
	"context"
	"strings"
	"testing"

	"livelab/plugins/abi"
	w "livelab/runtime/wasm/wasmtest"
)

func TestStubs(t *testing.T) {
	t.Parallel()
	const far = 1 << 30
	i32 := func(ns ...int32) (c w.Code) {
		for _, n := range ns {
			c += w.I32Const(n)
		}
		return c
	}
	const untouched = 1 << 64
	cases := []struct {
		name, call   string
		params       w.Types
		args         w.Code
		errno, value float64
	}{
		{"clock", "clock_time_get", w.I32 + w.I64 + w.I32, i32(0) + w.I64Const(1) + i32(512), 0, guestTime},
		{"clock far", "clock_time_get", w.I32 + w.I64 + w.I32, i32(0) + w.I64Const(1) + i32(far), errnoFault, untouched},
		{"no arguments", "args_sizes_get", w.I32 + w.I32, i32(512, 516), 0, 0},
		{"no environment", "environ_sizes_get", w.I32 + w.I32, i32(512, 516), 0, 0},
		{"environment far", "environ_sizes_get", w.I32 + w.I32, i32(far, far), errnoFault, untouched},
		{"arguments", "args_get", w.I32 + w.I32, i32(512, 512), 0, untouched},
		{"environment", "environ_get", w.I32 + w.I32, i32(512, 512), 0, untouched},
		{"random far", "random_get", w.I32 + w.I32, i32(far, 8), errnoFault, untouched},
		{"random negative", "random_get", w.I32 + w.I32, i32(512, -1), errnoFault, untouched},
		{"poll", "poll_oneoff", w.I32 + w.I32 + w.I32 + w.I32, i32(0, 0, 1, 512), 0, untouched - 1<<32 + 1},
		{"poll far", "poll_oneoff", w.I32 + w.I32 + w.I32 + w.I32, i32(0, 0, 1, far), errnoFault, untouched},
		{"yield", "sched_yield", w.None, "", 0, untouched},
		{"close", "fd_close", w.I32, i32(1), errnoBadf, untouched},
		{"status", "fd_fdstat_get", w.I32 + w.I32, i32(1, 512), errnoBadf, untouched},
		{"flags", "fd_fdstat_set_flags", w.I32 + w.I32, i32(1, 0), errnoBadf, untouched},
		{"folder", "fd_prestat_get", w.I32 + w.I32, i32(3, 512), errnoBadf, untouched},
		{"folder's name", "fd_prestat_dir_name", w.I32 + w.I32 + w.I32, i32(3, 512, 8), errnoBadf, untouched},
		{"write to a file", "fd_write", w.I32 + w.I32 + w.I32 + w.I32, i32(3, 512, 0, 512), errnoBadf, untouched},
		{"write far", "fd_write", w.I32 + w.I32 + w.I32 + w.I32, i32(1, far, 1, 512), errnoFault, untouched},
		{"write from far", "fd_write", w.I32 + w.I32 + w.I32 + w.I32, i32(1, 512, 1, 512), errnoFault, untouched},
		{"many vectors", "fd_write", w.I32 + w.I32 + w.I32 + w.I32, i32(1, 512, 1<<20, 512), errnoInval, untouched},
		{"write says where", "fd_write", w.I32 + w.I32 + w.I32 + w.I32, i32(1, 520, 0, far), errnoFault, untouched},
	}
	// One module makes them all: input 0 says which. Output 0 is the number of
	// the error, output 1 what lies at address 512 then.
	var row w.Code
	for i, c := range cases {
		row += w.In(0) + w.F64Const(float64(i)) + w.F64Eq + w.If(w.Empty,
			w.I32Const(512)+w.I64Const(-1)+w.At(w.I64Store, 0)+
				w.Out(0, c.args+w.Call(uint32(i))+w.F64ConvertI32U)+
				w.Out(1, w.I32Const(512)+w.At(w.I64Load, 0)+w.F64ConvertI64U))
	}
	tr := admit(t, newHost(t, nil), w.Transform{
		Outputs: []string{"errno", "value"}, Row: row,
		First: func(b *w.Builder) {
			for _, c := range cases {
				b.Import(abi.WASI, c.call, c.params, w.I32)
			}
		},
	}.Bytes())
	for i, c := range cases {
		out := []float64{-1, -1}
		if err := tr.ApplyRow([]float64{float64(i), 2}, out); err != nil || out[0] != c.errno || out[1] != c.value {
			t.Errorf("%s: got %v, %v, want %v and %v", c.name, out, err, c.errno, c.value)
		}
	}
}

// What the host does in a call is paid for by its length.
func TestStubsSpendFuel(t *testing.T) {
	t.Parallel()
	h := newHost(t, func(c *Config) { c.OnRowError = Fail })
	loop := func(call w.Code) w.Code { return w.Loop(w.Empty, call, w.Drop, w.Br(0)) }
	only := func(then w.Code) w.Code { return w.In(0) + w.F64Const(-11) + w.F64Eq + w.If(w.Empty, then) }
	const big = 15 << 20
	// A call by way of a table costs a guest little.
	indirect := w.I32Const(0) + w.CallIndirect(0, 0)
	for name, test := range map[string]struct {
		call   string
		params w.Types
		args   w.Code
		make   w.Code
		most   int64 // calls that the fuel of a row may pay for
	}{
		"random": {"random_get", w.I32 + w.I32, w.I32Const(0) + w.I32Const(big), w.Call(0), 1},
		"write":  {"fd_write", w.I32 + w.I32 + w.I32 + w.I32, w.I32Const(1) + w.I32Const(8) + w.I32Const(1) + w.I32Const(0), w.Call(0), 1},
		// Vectors of nothing, where memory is zero.
		"vectors": {"fd_write", w.I32 + w.I32 + w.I32 + w.I32, w.I32Const(1) + w.I32Const(1<<20) + w.I32Const(1024) + w.I32Const(0), w.Call(0), 10_050_000 / (1024 * fuelHostVector)},
		"yield":   {"sched_yield", w.None, "", indirect, 10_050_000 / fuelHostCall},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			counter := w.GlobalGet(0) + w.I32Const(1) + w.I32Add + w.GlobalSet(0)
			code := w.Transform{
				MinPages: 256,
				Row: only(w.I32Const(8)+w.I32Const(0)+w.At(w.I32Store, 0)+w.I32Const(8)+w.I32Const(big)+w.At(w.I32Store, 4)+
					loop(counter+test.args+test.make)) + w.Out(0, w.In(0)),
				First: func(b *w.Builder) {
					b.Import(abi.WASI, test.call, test.params, w.I32)
					b.Table(w.FuncRef, 1, 1)
					b.Elem(w.I32Const(0), 0)
					b.Export("counter", w.KindGlobal, b.Global(w.I32, true, w.I32Const(0)))
				},
			}.Bytes()
			tr := admit(t, h, code)
			g, err := tr.core.instance()
			if err != nil {
				t.Fatal(err)
			}
			defer g.close()
			o := tr.core.judge.callRow(g, []float64{-11, 0}, []float64{0})
			if !o.failed || o.cause != OutOfFuel {
				t.Errorf("got %+v, want out of fuel", o)
			}
			if n := int64(g.module.ExportedGlobal("counter").Get()); n < 1 || n > test.most {
				t.Errorf("%d calls were made, want at most %d", n, test.most)
			}
		})
	}
}

func TestConsole(t *testing.T) {
	t.Parallel()
	var c console
	for range 100 {
		c.write([]byte(strings.Repeat("a", 50) + "\xff\n"))
	}
	c.write([]byte(strings.Repeat("b", 100_000) + "end"))
	s := c.String()
	if len(s) > 2*consoleEnd+500 || !strings.HasPrefix(s, "aaaa") || !strings.HasSuffix(s, "bbbend") || !strings.Contains(s, "\n...\n") || strings.Contains(s, "\xff") {
		t.Errorf("kept %d bytes: %.20q ... %.20q", len(s), s, s[len(s)-20:])
	}
	c.reset()
	c.write([]byte("short"))
	if c.String() != "short" {
		t.Errorf("after a reset it has %q", c.String())
	}
}

// What a module prints is in the report, and in the error of the call.
func TestPrinted(t *testing.T) {
	t.Parallel()
	h := newHost(t, nil)
	vector := w.I32Const(8) + w.I32Const(512) + w.At(w.I32Store, 0) + w.I32Const(8) + w.I32Const(16) + w.At(w.I32Store, 4)
	say := vector + w.I32Const(2) + w.I32Const(8) + w.I32Const(1) + w.I32Const(0) + w.Call(0) + w.Drop
	code := func(init w.Code) []byte {
		return w.Transform{
			Init: init,
			First: func(b *w.Builder) {
				b.Import(abi.WASI, "fd_write", w.I32+w.I32+w.I32+w.I32, w.I32)
			},
			Last: func(b *w.Builder) { b.Data(w.I32Const(512), "panic: no\x1b way\nx") },
		}.Bytes()
	}
	if err := h.Check(context.Background(), code(say+w.Unreachable)).Err(); err == nil || !strings.Contains(err.Error(), `it printed "panic: no  way"`) {
		t.Errorf("got %v", err)
	}
	if r := h.Check(context.Background(), code(say)); !r.Accepted || r.Console != "panic: no\x1b way\nx" {
		t.Errorf("got %q, %v", r.Console, r.Err())
	}
}
