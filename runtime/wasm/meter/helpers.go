package meter

import "livelab/runtime/wasm/module"

// The functions that a rewritten module may have more, each (i32) -> i32. The
// first two charge for a length and give it back, the last grows the memory.
const (
	chargeBytes = iota
	chargeEntries
	growMemory
	helperKinds
)

type helper struct {
	typ  uint32
	body []byte
}

// The opcodes that package module has no name for.
const (
	i32LtU module.Op = 0x49
	i32Add module.Op = 0x6a
	i64GeS module.Op = 0x59
	i64Mul module.Op = 0x7e
	i64Shr module.Op = 0x88
)

// addHelpers adds those that some function needs.
func (w *writer) addHelpers() {
	var needed [helperKinds]bool
	for i := range w.funcs {
		for _, e := range w.funcs[i].edits {
			switch e.kind {
			case atBytes:
				needed[chargeBytes] = true
			case atTable:
				needed[chargeEntries] = true
			case atGrow:
				needed[growMemory] = true
			}
		}
	}
	one := []module.ValType{module.I32}
	for kind, body := range [helperKinds]func(*emitter){w.chargeLength(bytesPerUnitLog), w.chargeLength(entriesPerUnitLog), w.growMemory} {
		if !needed[kind] {
			continue
		}
		w.helperAt[kind] = uint32(w.m.ImportedFuncs + len(w.m.Funcs) + len(w.helpers))
		e := emitter{out: []byte{1, 1, byte(module.I64)}}
		body(&e)
		e.op(module.OpEnd)
		w.helpers = append(w.helpers, helper{w.typeOf(one, one), e.out})
	}
}

// The locals of a helper.
const (
	argument = iota
	scratch
)

// chargeLength charges a unit for each 2^log of what is counted.
func (w *writer) chargeLength(log int64) func(*emitter) {
	return func(e *emitter) {
		e.index(module.OpGlobalGet, w.fuel)
		e.index(module.OpLocalGet, argument)
		e.op(module.OpI64ExtendU)
		e.i64(log)
		e.op(i64Shr, module.OpI64Sub)
		e.set(w.fuel, scratch)
		e.trapBelowZero(scratch)
		e.index(module.OpLocalGet, argument)
	}
}

// growMemory charges for the pages that there are and those to come. More than
// the maximum cannot come, however many are asked for.
func (w *writer) growMemory(e *emitter) {
	e.index(module.OpGlobalGet, w.fuel)
	e.index(module.OpLocalGet, argument)
	e.i32(int32(w.maxPages))
	e.index(module.OpLocalGet, argument)
	e.i32(int32(w.maxPages))
	e.op(i32LtU, module.OpSelect)
	e.index(module.OpMemorySize, 0)
	e.op(i32Add, module.OpI64ExtendU)
	e.i64(unitsPerPage)
	e.op(i64Mul, module.OpI64Sub)
	e.set(w.fuel, scratch)
	e.trapBelowZero(scratch)
	e.index(module.OpLocalGet, argument)
	e.index(module.OpMemoryGrow, 0)
}
