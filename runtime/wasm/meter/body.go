package meter

import "livelab/runtime/wasm/module"

// body rewrites one function. The code goes into a block of its own where
// something is left to do on the way out: a branch to the function's end then
// ends at that block without a change, and a return is made such a branch.
func (w *writer) body(out []byte, i int) []byte {
	f, old := &w.funcs[i], w.m.Funcs[i]
	sig := w.m.Types[old.Type]
	b := bodyWriter{
		emitter: emitter{out: out}, w: w, f: f,
		local: uint32(len(sig.Params) + old.Locals),
	}
	b.locals(w.m.Code[old.Offset:old.Instrs])
	b.enter(sig.Results)
	at := old.Instrs
	for _, e := range f.edits {
		b.out = append(b.out, w.m.Code[at:e.at]...)
		b.edit(e, w.m.Code[e.at:e.end])
		at = e.end
	}
	b.out = append(b.out, w.m.Code[at:old.Offset+old.Size]...)
	b.leave()
	return b.out
}

// bodyWriter writes one function.
type bodyWriter struct {
	emitter
	w     *writer
	f     *function
	local uint32 // an i64 more: the fuel where it is cached, else nothing that lasts
}

// locals gains a group of one i64.
func (b *bodyWriter) locals(groups []byte) {
	n, size := module.U32(groups)
	b.out = module.AppendU32(b.out, n+1)
	b.out = append(b.out, groups[size:]...)
	b.out = append(b.out, 1, byte(module.I64))
}

func (b *bodyWriter) wrapped() bool { return b.f.counted || b.f.cached }

func (b *bodyWriter) enter(results []module.ValType) {
	if b.f.counted {
		b.take(b.w.stack, b.local, b.f.take)
		b.trapBelowZero(b.local)
	}
	b.load()
	b.pay(b.f.weight)
	if !b.wrapped() {
		return
	}
	switch len(results) {
	case 0:
		b.empty(module.OpBlock)
	case 1:
		b.op(module.OpBlock, module.Op(results[0]))
	default:
		b.op(module.OpBlock)
		b.out = module.AppendS64(b.out, int64(b.w.typeOf(nil, results)))
	}
}

// leave follows the end of the original code, with the results on the stack.
func (b *bodyWriter) leave() {
	if !b.wrapped() {
		return
	}
	b.save()
	if b.f.counted {
		b.take(b.w.stack, b.local, -b.f.take)
	}
	b.op(module.OpEnd)
}

func (b *bodyWriter) edit(e edit, original []byte) {
	switch e.kind {
	case atLoop, atPoint:
		b.out = append(b.out, original...)
		b.pay(e.weight)
		return
	case atReturn:
		if b.wrapped() {
			b.index(module.OpBr, e.depth)
		} else {
			b.out = append(b.out, original...)
		}
		return
	}
	b.save()
	switch e.kind {
	case atBytes:
		b.index(module.OpCall, b.w.helperAt[chargeBytes])
	case atTable:
		b.index(module.OpCall, b.w.helperAt[chargeEntries])
	case atGrow:
		b.index(module.OpCall, b.w.helperAt[growMemory])
	}
	if e.kind != atGrow {
		b.out = append(b.out, original...)
	}
	b.load()
}

// pay for a piece of code, and end where there is not enough.
func (b *bodyWriter) pay(amount int64) {
	if amount == 0 {
		return
	}
	if b.f.cached {
		b.index(module.OpLocalGet, b.local)
		b.i64(amount)
		b.op(module.OpI64Sub)
		b.index(module.OpLocalSet, b.local)
	} else {
		b.take(b.w.fuel, b.local, amount)
	}
	b.ifBelowZero(b.local)
	b.save()
	b.op(module.OpUnreachable, module.OpEnd)
}

// save and load move the fuel between its local and the global.
func (b *bodyWriter) save() {
	if b.f.cached {
		b.index(module.OpLocalGet, b.local)
		b.index(module.OpGlobalSet, b.w.fuel)
	}
}

func (b *bodyWriter) load() {
	if b.f.cached {
		b.index(module.OpGlobalGet, b.w.fuel)
		b.index(module.OpLocalSet, b.local)
	}
}
