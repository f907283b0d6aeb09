package hostile

import (
	"strings"

	"livelab/runtime/wasm"
	. "livelab/runtime/wasm/wasmtest"
)

// bare is a module with a type, a function and whatever a test puts in.
func bare(fill func(*Builder)) func() []byte {
	return func() []byte {
		b := New()
		b.Func(None, None, None, Nop)
		fill(b)
		return b.Bytes()
	}
}

// growAll takes all memory that there is, and writes to each page of it. It
// needs a local.
func growAll(at uint32) Code {
	return I32Const(256) + MemorySize + I32Sub + MemoryGrow + Drop +
		I32Const(page) + LocalSet(at) +
		Loop(Empty,
			LocalGet(at), I32Const(1), At(I32Store, 4000),
			LocalGet(at), I32Const(4096), I32Add, LocalTee(at),
			MemorySize, I32Const(16), I32Shl, I32Const(4096), I32Sub, I32LtU, BrIf(0))
}

func memories() []specimen {
	return []specimen{
		{name: "memory of 4 GiB by declaration", step: wasm.StepParse, reason: "at most 256 are allowed", code: made(Transform{MinPages: 65536, MaxPages: 65536})},
		{name: "memory of more than 4 GiB", step: wasm.StepParse, reason: "does not exist", code: made(Transform{MinPages: 65537, MaxPages: 65537})},
		{name: "memory of one page too many", step: wasm.StepParse, reason: "at most 256 are allowed", code: made(Transform{MinPages: 257, MaxPages: 300})},
		{name: "memory whose most is below its least", step: wasm.StepParse, reason: "a size of 9 to at most 3", code: made(Transform{MinPages: 9, MaxPages: 3})},
		{name: "memory that grows until it cannot, in _initialize", step: wasm.StepAlloc, reason: "has no 16 bytes to give", code: made(Transform{
			MaxPages: 65536,
			Alloc:    I32Const(0),
			Last: func(b *Builder) {
				b.ExportFunc("_initialize", b.Func(None, None, I32, growAll(0)))
			}})},
		{name: "memory that grows at each ll_alloc_v1", outcome: "admitted: rows are computed as many at a time as there is memory for", code: made(Transform{
			MaxPages: NoMax,
			Alloc: I32Const(100) + MemoryGrow + LocalTee(1) + I32Const(-1) + I32Eq + If(Empty, I32Const(0), Return) +
				LocalGet(1) + I32Const(16) + I32Shl,
		})},
		{name: "memory of 16 MiB, all of it written, on one row", outcome: "admitted: 16 MiB for an instance", code: made(Transform{
			MaxPages: NoMax, Locals: I32, Row: In(0) + F64Const(trigger) + F64Eq +
				If(Empty, growAll(FirstLocal)) + friendly,
		})},
		{name: "memory in 64 bits", step: wasm.StepParse, reason: "64-bit memories", code: bare(func(b *Builder) { b.Replace(SectionMemory, "\x01\x04\x01") })},
		{name: "shared memory", step: wasm.StepParse, reason: "shared", code: bare(func(b *Builder) { b.Replace(SectionMemory, "\x01\x03\x01\x02") })},
		{name: "two memories", step: wasm.StepParse, reason: "2 memories, at most 1", code: bare(func(b *Builder) { b.Memory(1, 1); b.Memory(1, 1) })},
		{name: "data outside of memory", step: wasm.StepParse, reason: "data up to byte", code: bare(func(b *Builder) {
			b.Memory(1, 1)
			b.Data(I32Const(page-3), "four")
		})},
		{name: "200,000 data segments", step: wasm.StepParse, reason: "200000 data segments, at most 131072", code: bare(func(b *Builder) {
			b.Memory(1, 1)
			b.Replace(SectionData, U(200_000)+Code(strings.Repeat("\x00\x41\x00\x0b\x00", 200_000)))
		})},
	}
}

func tables() []specimen {
	return []specimen{
		{name: "table of 10 million by declaration", step: wasm.StepParse, reason: "at most 65536 are allowed", code: bare(func(b *Builder) { b.Table(FuncRef, 10_000_000, NoMax) })},
		{name: "tables that are too large together", step: wasm.StepParse, reason: "tables of 80000 elements", code: bare(func(b *Builder) {
			b.Table(FuncRef, 40_000, 40_000)
			b.Table(ExternRef, 40_000, 40_000)
		})},
		{name: "40 tables", step: wasm.StepParse, reason: "40 tables, at most 16", code: bare(func(b *Builder) {
			b.Replace(SectionTable, U(40)+times(40, "\x70\x00\x01"))
		})},
		{name: "table that grows", step: wasm.StepParse, reason: "table.grow", code: made(Transform{
			First: func(b *Builder) { b.Table(FuncRef, 1, NoMax) },
			Row:   on(RefNull(FuncRef) + I32Const(1<<20) + TableGrow(0) + Drop),
		})},
		{name: "elements outside of the table", step: wasm.StepParse, reason: "elements up to 2 of table 0, which has 1", code: bare(func(b *Builder) {
			b.Table(FuncRef, 1, 1)
			b.Elem(I32Const(1), 0)
		})},
		{name: "100,000 elements", step: wasm.StepParse, reason: "100000 elements, at most 65536", code: bare(func(b *Builder) {
			b.Replace(SectionElement, "\x01\x01\x00"+U(100_000)+Code(strings.Repeat("\x00", 100_000)))
		})},
		{name: "storm of table.fill", turns: true, reason: spent, code: made(Transform{
			First: func(b *Builder) { b.Table(FuncRef, 60_000, 60_000) },
			Row:   on(Loop(Empty, I32Const(0), RefNull(FuncRef), I32Const(60_000), "\xfc\x11\x00", Br(0))),
		})},
		{name: "call through a null entry of the table", turns: true, reason: "wasm error", code: made(Transform{
			First: func(b *Builder) { b.Table(FuncRef, 4, 4); b.Type(None, None) },
			Row:   on(I32Const(2) + CallIndirect(0, 0)),
		})},
		{name: "call through the table with another type", turns: true, reason: "wasm error", code: made(Transform{
			First: func(b *Builder) { b.Table(FuncRef, 4, 4); b.Type(None, None); b.Type(None, I32) },
			Row:   on(I32Const(0) + CallIndirect(1, 0) + Drop),
			Last:  func(b *Builder) { b.Elem(I32Const(0), 1) },
		})},
	}
}
