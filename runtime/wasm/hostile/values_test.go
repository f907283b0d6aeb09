package hostile

import (
	"math"
	"testing"

	"livelab/runtime/wasm"
	. "livelab/runtime/wasm/wasmtest"
)

func values() []specimen {
	bounded := `{"name":"sample","version":"1","inputs":[{"name":"a"},{"name":"b"}],"outputs":[{"name":"ratio","min":0,"max":1}]}`
	within := Block(Empty, In(0), F64Abs, In(0), F64Abs, In(1), F64Abs, F64Add, F64Div, LocalSet(FirstLocal)) +
		Out(0, LocalGet(FirstLocal))
	turned := func(name, reason string, value Code) specimen {
		return specimen{name: name, turns: true, reason: reason, code: made(Transform{
			Describe: bounded, Locals: F64,
			Row: In(0) + F64Const(trigger) + F64Eq + IfElse(Empty, Out(0, value), within),
		})}
	}
	return []specimen{
		turned("infinity", "output ratio is +Inf: give NaN", F64Const(math.Inf(1))),
		turned("minus infinity", "output ratio is -Inf: give NaN", F64Const(math.Inf(-1))),
		turned("a value above its most", "output ratio is 1.0000000000000002, above its max of 1", F64Const(math.Nextafter(1, 2))),
		turned("a value below its least", "output ratio is -5e-324, below its min of 0", F64Const(-5e-324)),
		{name: "NaNs with payloads", outcome: "admitted: one NaN comes out", use: oneNaN, code: made(Transform{
			Row: In(0) + F64Const(trigger) + F64Eq + IfElse(Empty, Out(0, F64Bits(0xfff4_0000_dead_beef)), friendly),
		})},
		{name: "a signalling NaN kept from the input", outcome: "admitted: one NaN goes in", use: oneNaN, code: made(Transform{
			Row: Out(0, In(0)),
		})},
		{name: "negative zero", outcome: "admitted: it is a value", use: negativeZero, code: made(Transform{
			Row: Out(0, F64Const(math.Copysign(0, -1))),
		})},
		{name: "infinity on rows of the probe", outcome: "admitted: those rows fail", code: made(Transform{
			Row: Out(0, F64Const(1)+In(1)+F64Div),
		}), use: func(t *testing.T, tr *wasm.Transform) {
			out := []float64{0}
			if err := tr.ApplyRow([]float64{1, 0}, out); err == nil || !math.IsNaN(out[0]) {
				t.Errorf("got %v, %v", out, err)
			}
		}},
	}
}

func oneNaN(t *testing.T, tr *wasm.Transform) {
	const only = 0x7ff8_0000_0000_0000
	in, out := columns(2, 50), columns(1, 50)
	for i := range in[0] {
		in[0][i] = trigger
		if i%2 == 0 {
			in[0][i] = math.Float64frombits(0x7ff0_0000_0000_0001 + uint64(i))
		}
	}
	one := []float64{0}
	for _, v := range in[0][:2] {
		if err := tr.ApplyRow([]float64{v, 1}, one); err != nil || one[0] != one[0] && math.Float64bits(one[0]) != only {
			t.Errorf("alone: %x, %v", math.Float64bits(one[0]), err)
		}
	}
	if err := tr.Apply(in, out); err != nil {
		t.Fatal(err)
	}
	for i, v := range out[0] {
		if v != v && math.Float64bits(v) != only {
			t.Fatalf("row %d is the NaN %x", i, math.Float64bits(v))
		}
	}
}

func negativeZero(t *testing.T, tr *wasm.Transform) {
	out := []float64{1}
	if err := tr.ApplyRow([]float64{1, 3}, out); err != nil || math.Float64bits(out[0]) != 1<<63 {
		t.Errorf("got %v, %v", out, err)
	}
}
