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

// charge a global an amount, by way of a local of no other use.
func (e *emitter) charge(global, scratch uint32, amount int64) {
	e.index(module.OpGlobalGet, global)
	e.i64(amount)
	e.op(module.OpI64Sub)
	e.spend(global, scratch)
}

// spend sets a global to what is on the stack, and traps below zero.
func (e *emitter) spend(global, scratch uint32) {
	e.index(module.OpLocalTee, scratch)
	e.index(module.OpGlobalSet, global)
	e.index(module.OpLocalGet, scratch)
	e.i64(0)
	e.op(module.OpI64LtS)
	e.empty(module.OpIf)
	e.op(module.OpUnreachable, module.OpEnd)
}
