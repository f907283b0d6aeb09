package hostile

import (
	"livelab/plugins/abi"
	"livelab/runtime/wasm"
	. "livelab/runtime/wasm/wasmtest"
)

const (
	spent   = "it spent more than"
	trapped = "every row of the probe fails, such as row 0: "
)

// instead of the usual function, one that a test made.
func instead(name string, params, results Types, body Code) Transform {
	return Transform{
		Omit: []string{name},
		Last: func(b *Builder) { b.ExportFunc(name, b.Func(params, results, I32+I64, body)) },
	}
}

// calls gives a transform whose rows run a body on the trigger, in which
// function 0 is one that make defines.
func calls(then Code, make func(*Builder)) Transform {
	return Transform{Row: on(then), First: make}
}

// failing has a function of its own for messages, and returns 1 on the trigger.
func failing(message Code) Transform {
	t := instead(abi.Error, None, I64, message)
	t.Row = on(I32Const(1) + Return)
	return t
}

func work() []specimen {
	busy := func(fuel int64) Code { // some 6 of fuel a pass
		return I64Const(fuel/6) + LocalSet(0) + Loop(Empty,
			LocalGet(0), I64Const(1), I64Sub, LocalTee(0), I64Const(0), I64GtS, BrIf(0))
	}
	return []specimen{
		{name: "endless loop in transform", code: made(Transform{Body: spin + fallthroughs}),
			step: wasm.StepProbe, reason: trapped + spent},
		{name: "endless loop on one row", code: made(Transform{Row: on(spin)}), turns: true, reason: spent},
		{name: "endless loop in describe", code: made(instead(abi.Describe, None, I64, spin+fallthroughs)),
			step: wasm.StepDescribe, reason: spent},
		{name: "endless loop in alloc", code: made(Transform{Alloc: spin + fallthroughs}),
			step: wasm.StepAlloc, reason: "ll_alloc_v1 of 16 bytes: " + spent},
		{name: "endless loop in _initialize", code: made(Transform{Init: spin}),
			step: wasm.StepInitialise, reason: "_initialize: " + spent},
		{name: "endless loop in error", code: made(failing(spin + fallthroughs)),
			turns: true, reason: "it returned 1"},
		{name: "loop whose back edges are all in a br_table", turns: true, reason: spent,
			code: made(Transform{Row: on(Loop(Empty, I32Const(7), BrTable(0, 0, 0)))})},
		{name: "loop with an empty body and a condition that stays true", turns: true, reason: spent,
			code: made(Transform{Row: on(Loop(Empty, I32Const(1), BrIf(0)))})},
		{name: "tree of 2^40 calls without loops", turns: true, reason: spent, code: made(calls(Call(0), callTree))},
		{name: "tree of calls in describe", step: wasm.StepDescribe, reason: spent, code: made(Transform{
			First: callTree, Omit: []string{abi.Describe},
			Last: func(b *Builder) { b.ExportFunc(abi.Describe, b.Func(None, I64, None, Call(0), I64Const(0))) },
		})},
		{name: "_initialize that takes most of its fuel, and rows that trap", step: wasm.StepProbe, reason: "the probe spent more than 300000000 of fuel",
			code: made(Transform{
				Row: In(0) + F64Const(1) + F64Eq + If(Empty, Unreachable) + friendly,
				Last: func(b *Builder) {
					b.ExportFunc(abi.Initialize, b.Func(None, None, I64, busy(22_000_000)))
				}})},
		{name: "rows that each take most of the fuel of a call", step: wasm.StepProbe, reason: "the probe spent more than 300000000 of fuel",
			code: made(Transform{Locals: I64, Row: I64Const(1_000_000) + LocalSet(FirstLocal) + Loop(Empty,
				LocalGet(FirstLocal), I64Const(1), I64Sub, LocalTee(FirstLocal), I64Const(0), I64GtS, BrIf(0)) + friendly})},
		{name: "rows that fail with messages that take long", step: wasm.StepProbe, reason: "the probe spent more than 300000000 of fuel",
			code: made(func() Transform {
				t := instead(abi.Error, None, I64, I64Const(800_000)+LocalSet(1)+Loop(Empty,
					LocalGet(1), I64Const(1), I64Sub, LocalTee(1), I64Const(0), I64GtS, BrIf(0))+I64Const(0))
				t.Row = In(0) + F64Const(1) + F64Lt + If(Empty, I32Const(1)+Return) + friendly
				return t
			}())},
	}
}

// callTree makes function 0 the root of a tree of 2^40 calls.
func callTree(b *Builder) {
	const levels = 40
	first := b.Declare(None, None)
	for i := range uint32(levels) {
		b.Declare(None, None)
		b.Define(first+i, None, Call(first+i+1), Call(first+i+1))
	}
}

func recursion() []specimen {
	const deep = "its calls nest deeper than"
	fat := Types("")
	for range 500 {
		fat += F64
	}
	var set, sum Code
	for i := range uint32(500) {
		set += LocalGet(i) + F64Const(float64(i)) + F64Add + LocalSet(i)
		sum += LocalGet(i) + Drop
	}
	return []specimen{
		{name: "recursion", turns: true, reason: deep, code: made(calls(Call(0), func(b *Builder) {
			f := b.Declare(None, None)
			b.Define(f, None, Call(f))
		}))},
		{name: "recursion of two", turns: true, reason: deep, code: made(calls(Call(0), func(b *Builder) {
			f, g := b.Declare(None, None), b.Declare(None, None)
			b.Define(f, None, Call(g))
			b.Define(g, None, Call(f))
		}))},
		{name: "recursion through a table", turns: true, reason: deep, code: made(calls(Call(0), func(b *Builder) {
			f := b.Declare(None, None)
			b.Table(FuncRef, 1, 1)
			b.Elem(I32Const(0), f)
			b.Define(f, None, I32Const(0), CallIndirect(b.Type(None, None), 0))
		}))},
		{name: "recursion with fat frames", turns: true, reason: deep, code: made(calls(Call(0), func(b *Builder) {
			f := b.Declare(None, None)
			b.Define(f, fat, set, Call(f), sum)
		}))},
		{name: "recursion with 128 parameters", turns: true, reason: deep, code: made(func() Transform {
			var params Types
			var push Code
			for i := range uint32(128) {
				params += F64
				push += LocalGet(i)
			}
			var zeros Code
			for range 128 {
				zeros += F64Const(0)
			}
			return calls(zeros+Call(0), func(b *Builder) {
				f := b.Declare(params, None)
				b.Define(f, None, push, Call(f))
			})
		}())},
		{name: "recursion in _initialize", step: wasm.StepInitialise, reason: deep, code: made(Transform{
			Init: Call(0), First: func(b *Builder) {
				f := b.Declare(None, None)
				b.Define(f, None, Call(f))
			}})},
		{name: "recursion of ll_transform_v1 into itself", turns: true, reason: deep, code: made(Transform{
			First: func(b *Builder) {
				b.Type(I32+I32+I32, I32) // type 0
				b.Table(FuncRef, 1, 1)
			},
			Row:  on(LocalGet(ParamIn) + LocalGet(ParamOut) + LocalGet(ParamRows) + I32Const(0) + CallIndirect(0, 0) + Drop),
			Last: func(b *Builder) { b.Elem(I32Const(0), 2) }, // after describe and alloc
		})},
	}
}
