package meter

import "livelab/runtime/wasm/module"

// emitter appends instructions.
type emitter struct{ out []byte }

func (e *emitter) op(ops ...module.Op) {
	for _, op := range ops {
		e.out = append(e.out, byte(op))
	}
}

func (e *emitter) index(op module.Op, i uint32) {
	e.out = module.AppendU32(append(e.out, byte(op)), i)
}

func (e *emitter) i32(n int32) {
	e.out = module.AppendS64(append(e.out, byte(module.OpI32Const)), int64(n))
}

func (e *emitter) i64(n int64) {
	e.out = module.AppendS64(append(e.out, byte(module.OpI64Const)), n)
}

// empty opens a block or an if that takes and gives nothing.
func (e *emitter) empty(op module.Op) { e.out = append(e.out, byte(op), 0x40) }

// take an amount from a global. What is left is in a local as well.
func (e *emitter) take(global, local uint32, amount int64) {
	e.index(module.OpGlobalGet, global)
	e.i64(amount)
	e.op(module.OpI64Sub)
	e.set(global, local)
}

// set a global and a local to what is on the stack.
func (e *emitter) set(global, local uint32) {
	e.index(module.OpLocalTee, local)
	e.index(module.OpGlobalSet, global)
}

func (e *emitter) trapBelowZero(local uint32) {
	e.ifBelowZero(local)
	e.op(module.OpUnreachable, module.OpEnd)
}

// ifBelowZero opens the else of a test for the opposite. wazero moves what is
// in an else out of the way: a processor that goes on does not jump over it in
// each pass of a loop, which is a sixth of the time of the shortest ones.
func (e *emitter) ifBelowZero(local uint32) {
	e.index(module.OpLocalGet, local)
	e.i64(0)
	e.op(i64GeS)
	e.empty(module.OpIf)
	e.op(module.OpElse)
}
