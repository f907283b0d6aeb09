package hostile

import (
	"strings"

	"livelab/runtime/wasm"
	. "livelab/runtime/wasm/wasmtest"
)

// times repeats code.
func times(n int, code Code) Code { return Code(strings.Repeat(string(code), n)) }

// bomb is a friendly transform with functions beside it that are never called.
func bomb(fill func(*Builder)) func() []byte { return made(Transform{Last: fill}) }

func compileBombs() []specimen {
	const tooHard = "too hard to compile"
	many := func(n int, t Types) Types { return Types(strings.Repeat(string(t), n)) }
	return []specimen{
		{name: "16 KB with 1000 locals and 2000 branches", step: wasm.StepParse, reason: tooHard, code: bomb(func(b *Builder) {
			b.Func(None, None, many(1000, I32), times(2000, LocalGet(0)+If(Empty, LocalGet(1), LocalSet(2))))
		})},
		{name: "8192 locals that meet in 60 loops", step: wasm.StepParse, reason: tooHard, code: bomb(func(b *Builder) {
			b.Func(None, None, many(8192, F64), times(70, Loop(Empty, LocalGet(0), LocalSet(1), I32Const(0), BrIf(0))))
		})},
		{name: "10,000 locals", step: wasm.StepParse, reason: "10000 locals in a function, at most 8192", code: bomb(func(b *Builder) {
			b.Func(None, None, many(10_000, F64), Nop)
		})},
		{name: "2^32 locals in one group", step: wasm.StepParse, reason: "4294967295 locals", code: bomb(func(b *Builder) {
			b.Replace(SectionCode, "\x04"+times(3, Name("\x00\x00\x0b"))+Name("\x01\xff\xff\xff\xff\x0f\x7f\x0b"))
			b.Func(None, None, None, Nop)
		})},
		{name: "blocks 5000 deep", step: wasm.StepParse, reason: "blocks more than 4096 deep", code: bomb(func(b *Builder) {
			b.Func(None, None, None, times(5000, "\x02\x40")+times(5000, End))
		})},
		{name: "loops 4000 deep", step: wasm.StepCompile, reason: "compiling takes more than", machine: true, code: bomb(func(b *Builder) {
			b.Func(None, None, None, times(4000, "\x03\x40")+times(4000, End))
		})},
		{name: "br_table with 5000 labels", step: wasm.StepParse, reason: "a br_table of 5001 labels", code: bomb(func(b *Builder) {
			b.Func(None, None, None, Block(Empty, I32Const(0), "\x0e"+U(5000)+times(5001, "\x00")))
		})},
		{name: "800 br_tables with 4000 labels", step: wasm.StepParse, reason: tooHard, code: bomb(func(b *Builder) {
			for range 40 {
				b.Func(None, None, None, times(20, Block(Empty, I32Const(0), "\x0e"+U(4000)+times(4001, "\x00"))))
			}
		})},
		{name: "br_tables that carry 32 values to 4000 labels", step: wasm.StepParse, reason: tooHard, code: bomb(func(b *Builder) {
			typ := b.Type(None, many(32, I64))
			one := Block(BlockIndex(typ), times(32, I64Const(1)), I32Const(0), "\x0e"+U(4000)+times(4001, "\x00")) + times(32, Drop)
			b.Func(None, None, None, times(20, one))
		})},
		{name: "function of 200 KB", step: wasm.StepParse, reason: "at most 131072 are allowed", code: bomb(func(b *Builder) {
			b.Func(None, F64, F64, LocalGet(0)+times(70_000, LocalGet(0)+F64Add))
		})},
		{name: "straight function of 120 KB", step: wasm.StepCompile, reason: "compiling takes more than", machine: true, code: bomb(func(b *Builder) {
			b.Func(None, F64, F64, LocalGet(0)+times(40_000, LocalGet(0)+F64Add))
		})},
		{name: "eight straight functions of 120 KB", step: wasm.StepCompile, reason: "compiling takes more than", machine: true, heavy: true, code: bomb(func(b *Builder) {
			body := I32Const(8) + times(20_000, At(I32Load, 0)+I32Const(7)+I32And)
			for range 8 {
				b.Func(None, I32, None, body)
			}
		})},
		{name: "operands 1100 deep", step: wasm.StepParse, reason: "values on the stack of operands", code: bomb(func(b *Builder) {
			b.Func(None, None, None, times(1100, I32Const(1))+times(1100, Drop))
		})},
		{name: "2500 calls with 128 parameters", step: wasm.StepParse, reason: tooHard, machine: true, code: bomb(func(b *Builder) {
			f := b.Func(many(128, F64), None, None, Nop)
			b.Func(None, None, F64, times(400, times(128, LocalGet(0))+Call(f)))
		})},
		{name: "129 parameters", step: wasm.StepParse, reason: "129 parameters, at most 128", code: bomb(func(b *Builder) { b.Func(many(129, I32), None, None, Nop) })},
		{name: "20,000 functions", step: wasm.StepParse, reason: "20003 functions, at most 16384", code: bomb(func(b *Builder) {
			for range 20_000 {
				b.Func(None, None, None, Nop)
			}
		})},
		{name: "16,000 functions of a few vectors", step: wasm.StepCompile, reason: "compiling takes more than", machine: true, code: bomb(func(b *Builder) {
			for range 16_000 {
				b.Func(V128+V128, V128, None, LocalGet(0)+LocalGet(1)+"\xfd\xd5\x01"+LocalGet(1)+"\xfd\xd5\x01"+"\xfd\x62")
			}
		})},
		{name: "2000 types more than there may be", step: wasm.StepParse, reason: "types, at most 1024", code: bare(func(b *Builder) {
			b.Replace(SectionType, U(2000)+times(2000, "\x60\x00\x00"))
		})},
		{name: "2000 globals", step: wasm.StepParse, reason: "2000 globals, at most 1024", code: bare(func(b *Builder) {
			for range 2000 {
				b.Global(I32, true, I32Const(0))
			}
		})},
		{name: "a count of 2^32 types", step: wasm.StepParse, reason: "4294967295 types", code: raw(Header + Section(SectionType, "\xff\xff\xff\xff\x0f"))},
		{name: "1.5 million calls", step: wasm.StepMeter, reason: "places to meter", code: bomb(func(b *Builder) {
			f := b.Func(None, None, None, Nop)
			body := times(110, Call(f)) + Loop(Empty) // which keeps the fuel in a local
			for range 14_000 {
				b.Func(None, None, None, body)
			}
		})},
		{name: "1.5 million loops", step: wasm.StepMeter, reason: "more than 65536 loops", code: bomb(func(b *Builder) {
			body := times(110, Loop(Empty))
			for range 14_000 {
				b.Func(None, None, None, body)
			}
		})},
		{name: "8 MB of calls", step: wasm.StepParse, reason: tooHard, machine: true, code: bomb(func(b *Builder) {
			f := b.Func(None, None, None, Nop)
			body := times(500, Call(f))
			for range 8000 {
				b.Func(None, None, None, body)
			}
		})},
	}
}
