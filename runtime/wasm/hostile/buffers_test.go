package hostile

import (
	"math"
	"testing"

	"livelab/plugins/abi"
	"livelab/runtime/wasm"
	. "livelab/runtime/wasm/wasmtest"
)

func buffers() []specimen {
	gives := func(name, reason string, body Code) specimen {
		return specimen{name: name, step: wasm.StepAlloc, reason: reason, code: made(Transform{Alloc: body})}
	}
	message := func(name, reason string, at, length uint32) specimen {
		return specimen{name: name, turns: true, reason: reason,
			code: made(failing(I64Const(int64(uint64(at)<<32 | uint64(length)))))}
	}
	wild := func(name, reason string, then Code) specimen {
		return specimen{name: name, turns: true, reason: reason, code: made(Transform{Row: on(then)})}
	}
	const outOfBounds = "out of bounds"
	return []specimen{
		gives("a buffer at 0", "has no 16 bytes to give", I32Const(0)),
		gives("a buffer at -8", "gave address 4294967288", I32Const(-8)),
		gives("a buffer at the end of memory", "outside of the memory", I32Const(2*page-8)),
		gives("a buffer that is not aligned", "gave address 32769 for 16 bytes: align it to 8", I32Const(scratch+1)),
		gives("the same buffer each time", "buffers that overlap", I32Const(scratch)),
		gives("buffers that overlap by one value", "buffers that overlap", I32Const(scratch)+LocalGet(0)+I32Const(16)+I32Eq+I32Const(3)+I32Shl+I32Add),
		gives("a buffer that traps", "ll_alloc_v1 of 16 bytes: wasm error: unreachable", Unreachable),
		{name: "a buffer for a batch inside that for a row", step: wasm.StepAlloc, reason: "buffers that overlap", code: made(Transform{
			MinPages: 64, // those of a row at scratch, of a batch around it
			Alloc: LocalGet(0) + I32Const(64) + I32LtU + "\x04" + Code(I32) + I32Const(scratch) + LocalGet(0) + I32Add + Else +
				LocalGet(0) + I32Const(-8) + I32And + I32Const(1<<16) + I32GeU + "\x04" + Code(I32) + I32Const(descriptionAt+8) + Else + I32Const(1<<21) + End + End,
		})},
		{name: "buffers inside the description", outcome: "admitted: it harms itself alone", code: made(Transform{
			Alloc:    LocalGet(0) + I32Const(8) + I32Mul + I32Const(descriptionAt) + I32Add,
			MinPages: 64,
		})},
		{name: "buffers given to none but the first row", outcome: "admitted: rows are computed one at a time", code: made(Transform{
			Alloc: LocalGet(0) + I32Const(64) + I32GtU + If(Empty, I32Const(0), Return) + I32Const(scratch) + LocalGet(0) + I32Const(4) + I32Shl + I32Add,
		})},
		wild("a read out of memory", outOfBounds, I32Const(-16)+At(F64Load, 0)+Drop),
		wild("a write out of memory", outOfBounds, I32Const(2*page)+I32Const(1)+At(I32Store, math.MaxUint32)),
		wild("a write past the output, out of memory", outOfBounds, LocalGet(ParamOut)+I32Const(0)+I32Const(32<<20)+MemoryFill),
		wild("a read that is not aligned, then a trap", "unreachable", I32Const(scratch+3)+At(F64Load, 0)+Drop+Unreachable),
		message("a message out of memory", "it returned 1", 1<<31, 100),
		message("a message of 4 GiB", "it returned 1", 0, 1<<32-1),
		message("a message of all of memory", "it returned 1: ", descriptionAt, 2*page-descriptionAt),
		{name: "a message that traps", turns: true, reason: "it returned 1", code: made(failing(Unreachable))},
		{name: "a message of terminal escapes", turns: true, reason: "it returned 1: ", code: made(Transform{
			Message: "\x1b]0;owned\x07\x1b[2J\r\n2026 ERROR fake line \u202e \u0085 \xff", Row: on(I32Const(1) + Return),
		})},
		{name: "a message of 64 KB for each row", turns: true, reason: "it returned -1: ", code: made(func() Transform {
			t := failing(I64Const(0<<32 | page))
			t.Row = on(I32Const(-1) + Return)
			t.Init = I32Const(0) + I32Const('m') + I32Const(descriptionAt) + MemoryFill
			return t
		}())},
		{name: "writes into the inputs", outcome: "admitted: they are written anew for each call", code: made(Transform{
			Row: friendly + LocalGet(ParamIn) + LocalGet(CurrentRow) + I32Const(3) + I32Shl + I32Add + F64Const(99) + At(F64Store, 0),
		}), use: inputsStay},
		{name: "writes over the next row's inputs", step: wasm.StepProbe, reason: "depend", code: made(Transform{
			Row: friendly + LocalGet(ParamIn) + LocalGet(CurrentRow) + I32Const(1) + I32Add + LocalGet(ParamRows) + I32RemU + I32Const(3) + I32Shl + I32Add + F64Const(99) + At(F64Store, 0),
		})},
		{name: "writes over its own description and allocator", outcome: "admitted: it harms itself alone", code: made(Transform{
			Row: I32Const(0) + I32Const(0xff) + I32Const(scratch) + MemoryFill + friendly, Alloc: aboveScratch(),
		})},
		{name: "fewer columns written than declared", outcome: "admitted: what is not written is missing", code: made(Transform{
			Outputs: []string{"ratio", "rest"},
		}), use: restIsMissing},
		{name: "more columns written than declared", outcome: "admitted: it harms itself alone", code: made(Transform{
			Row: friendly + Out(1, F64Const(1)) + Out(2, F64Const(2)), Alloc: aboveScratch(),
		})},
		{name: "answers where the buffer lies", step: wasm.StepProbe, reason: "depend on how rows are put together", code: made(Transform{
			Row: Out(0, LocalGet(ParamOut)+F64ConvertI32U),
		})},
		{name: "ll_transform_v1 that frees its buffers", outcome: "admitted: memory does not shrink", code: made(Transform{
			Row: friendly, Last: func(b *Builder) { b.ExportFunc("ll_free_v1", b.Func(I32, None, None, Nop)) },
		})},
		{name: "an unknown export of the contract's next version", outcome: "admitted: it is never called", code: made(Transform{
			Last: func(b *Builder) { b.ExportFunc("ll_transform_v2", b.Func(None, None, None, spin)) },
		})},
		{name: "rows counted wrongly by 2^32", step: wasm.StepProbe, reason: trapped + "wasm error: out of bounds", code: made(Transform{
			Body: eachRowUpTo(I32Const(-1)),
		})},
		{name: "no row looked at", outcome: "admitted: all of its answers are missing", code: made(Transform{Body: I32Const(0)}), use: allMissing},
		{name: "refuses every row", step: wasm.StepProbe, reason: "every row of the probe fails, such as", code: made(Transform{Body: I32Const(1)})},
		{name: "traps on every row", step: wasm.StepProbe, reason: trapped + "wasm error: unreachable", code: made(Transform{Body: Unreachable})},
		{name: "an export that is " + abi.Memory + " and a function besides", step: wasm.StepParse, reason: "two exports are named", code: made(Transform{
			Last: func(b *Builder) { b.ExportFunc(abi.Memory, 0) },
		})},
	}
}

// eachRowUpTo is a loop that goes on past the rows.
func eachRowUpTo(end Code) Code {
	return Block(Empty, Loop(Empty,
		LocalGet(CurrentRow), end, I32GeU, BrIf(1), friendly,
		LocalGet(CurrentRow), I32Const(1), I32Add, LocalSet(CurrentRow), Br(0))) + I32Const(0)
}

// aboveScratch allocates from above the scratch space, far apart: each buffer
// has the 8 MiB whose number is how many were given before.
func aboveScratch() Code {
	return LocalGet(0) + I32Const(4) + I32Shl + I32Const(scratch+4096) + I32Add + I32Const(-8) + I32And +
		LocalTee(1) + LocalGet(0) + I32Add + I32Const(16) + I32ShrU + I32Const(1) + I32Add + MemorySize + I32Sub + LocalTee(2) +
		I32Const(0) + I32GtS + If(Empty, LocalGet(2), MemoryGrow, Drop) + LocalGet(1)
}

func inputsStay(t *testing.T, tr *wasm.Transform) {
	in, out := columns(2, 10), columns(1, 10)
	for i := range in[0] {
		in[0][i], in[1][i] = 1, 3
	}
	for range 3 {
		if err := tr.Apply(in, out); err != nil {
			t.Fatal(err)
		}
		for i := range in[0] {
			if in[0][i] != 1 || out[0][i] != 0.25 {
				t.Fatalf("row %d: input %v, output %v", i, in[0][i], out[0][i])
			}
		}
	}
}

func restIsMissing(t *testing.T, tr *wasm.Transform) {
	out := []float64{7, 7}
	if err := tr.ApplyRow([]float64{1, 3}, out); err != nil || out[0] != 0.25 || !math.IsNaN(out[1]) {
		t.Errorf("got %v, %v", out, err)
	}
}

func allMissing(t *testing.T, tr *wasm.Transform) {
	out := []float64{7}
	if err := tr.ApplyRow([]float64{1, 3}, out); err != nil || !math.IsNaN(out[0]) {
		t.Errorf("got %v, %v", out, err)
	}
}
