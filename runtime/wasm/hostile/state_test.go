package hostile

import (
	"livelab/runtime/wasm"
	. "livelab/runtime/wasm/wasmtest"
)

// counting has a global i32, which body gets the index of.
func counting(fill func(counter uint32) Transform) func() []byte {
	return func() []byte {
		var t Transform
		first := func(b *Builder) { b.Global(I32, true, I32Const(0)) }
		t = fill(0) // the first global there is
		t.First = first
		return t.Bytes()
	}
}

func tick(global uint32) Code { return GlobalGet(global) + I32Const(1) + I32Add + GlobalSet(global) }

func impure() []specimen {
	probe := func(name, reason string, fill func(uint32) Transform) specimen {
		return specimen{name: name, step: wasm.StepProbe, reason: reason, code: counting(fill)}
	}
	cell := I32Const(low)
	rows := LocalGet(ParamRows) + F64ConvertI32U
	return []specimen{
		probe("answers with a counter of rows", "it keeps state between", func(n uint32) Transform {
			return Transform{Row: tick(n) + Out(0, GlobalGet(n)+F64ConvertI32U)}
		}),
		probe("answers with a counter of calls", "it keeps state between calls", func(n uint32) Transform {
			return Transform{Body: tick(n) + EachRow(Out(0, GlobalGet(n)+F64ConvertI32U))}
		}),
		probe("answers with the row before", "it keeps state between calls", func(uint32) Transform {
			return Transform{Row: Out(0, cell+At(F64Load, 0)) + cell + In(0) + At(F64Store, 0)}
		}),
		probe("a sum that goes on", "it keeps state between calls", func(uint32) Transform {
			return Transform{Row: cell + cell + At(F64Load, 0) + F64Const(1) + F64Add + At(F64Store, 0) + Out(0, cell+At(F64Load, 0))}
		}),
		probe("answers with the number of rows", "depend on how rows are put together", func(uint32) Transform {
			return Transform{Row: Out(0, rows)}
		}),
		probe("answers with the place of the row", "depend on how rows are put together", func(uint32) Transform {
			return Transform{Row: Out(0, LocalGet(CurrentRow)+F64ConvertI32U)}
		}),
		probe("other answers in calls of one row", "depend on how rows are put together", func(uint32) Transform {
			return Transform{Row: Out(0, LocalGet(ParamRows)+I32Const(1)+I32Eq+F64ConvertI32U)}
		}),
		probe("other answers in calls of more than 300 rows", "depend on how rows are put together", func(uint32) Transform {
			return Transform{Row: Out(0, LocalGet(ParamRows)+I32Const(300)+I32GtU+F64ConvertI32U)}
		}),
		probe("other answers in calls of more than 4000 rows", "depend on how rows are put together", func(uint32) Transform {
			return Transform{Row: Out(0, LocalGet(ParamRows)+I32Const(4000)+I32GtU+F64ConvertI32U)}
		}),
		probe("other answers behind row 2000 of a call", "depend on how rows are put together", func(uint32) Transform {
			return Transform{Row: Out(0, LocalGet(CurrentRow)+I32Const(2000)+I32GtU+F64ConvertI32U)}
		}),
		probe("another answer to the first call of all", "it keeps state between calls", func(n uint32) Transform {
			return Transform{Body: tick(n) + EachRow(Out(0, GlobalGet(n)+I32Const(1)+I32Eq+F64ConvertI32U))}
		}),
		probe("another answer from the 200th call on", "it keeps state between", func(n uint32) Transform {
			return Transform{Body: tick(n) + EachRow(Out(0, GlobalGet(n)+I32Const(200)+I32GtU+F64ConvertI32U))}
		}),
		probe("fails every seventh call", "failed once, and once it did not", func(n uint32) Transform {
			return Transform{Body: tick(n) + GlobalGet(n) + I32Const(7) + I32RemU + I32Eqz + If(Empty, I32Const(1), Return) + EachRow(friendly)}
		}),
		probe("answers with the size of its memory, which grows at each call", "do less work for a row", func(n uint32) Transform {
			return Transform{Body: I32Const(1) + MemoryGrow + Drop + EachRow(Out(0, MemorySize+F64ConvertI32U))}
		}),
		probe("answers with the size of its memory, which grows once", "it keeps state between", func(n uint32) Transform {
			return Transform{Body: tick(n) + GlobalGet(n) + I32Const(50) + I32Eq + MemoryGrow + Drop + EachRow(Out(0, MemorySize+F64ConvertI32U))}
		}),
		probe("gives every row the sign of the first zero", "it keeps state between rows", func(n uint32) Transform {
			return Transform{Row: Out(0, F64Const(1)) + In(0) + F64Const(0) + F64Eq + If(Empty,
				GlobalGet(n)+I32Eqz+If(Empty, In(0)+I64ReinterpretF64+I64Const(0)+I64Eq+I32Const(1)+I32Add+GlobalSet(n))+
					Out(0, GlobalGet(n)+F64ConvertI32U))}
		}),
		probe("answers with what the input's buffer held before", "its answers depend on", func(n uint32) Transform {
			return Transform{Row: Out(0, LocalGet(ParamIn)+LocalGet(ParamRows)+I32Const(4)+I32Shl+I32Add+At(F64Load, 0))}
		}),
		probe("keeps the mean of the batch", "depend on how rows are put together", func(n uint32) Transform {
			return Transform{Locals: F64, Body: EachRow(LocalGet(FirstLocal) + In(0) + In(0) + F64Eq + "\x04" + Code(F64) + In(0) + Else + F64Const(0) + End + F64Add + LocalSet(FirstLocal) + Out(0, LocalGet(FirstLocal)))}
		}),
	}
}
