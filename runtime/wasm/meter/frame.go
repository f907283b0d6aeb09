package meter

import (
	"fmt"

	"livelab/runtime/wasm/module"
)

// maxJoins bounds the values that meet where branches do, in one function and
// a thousand times as many in all. Engines keep each of them in the frame: a
// few kilobytes of nested blocks and locals make a million.
const (
	maxJoins    = 1 << 18
	maxAllJoins = 1 << 24
)

func hasVector(types []module.ValType) bool {
	for _, t := range types {
		if t == module.V128 {
			return true
		}
	}
	return false
}

// frame bounds what an engine puts on its stack: a slot for each value that
// the function ever makes, as wazero never uses a slot twice.
func (s *scanner) frame(locals int) int64 {
	slot := int64(8)
	if s.wide {
		slot = 16
	}
	return 128 + slot*(int64(locals)+s.values+int64(s.funcJoins)+s.area)
}

// set counts the blocks at whose end, or start, this value of a local may meet
// another one. Those that were open when it was last set have been counted.
func (s *scanner) set(local uint32) error {
	last := s.lastSet[local]
	s.now++
	s.lastSet[local] = s.now
	for i := len(s.labels) - 1; i > 0 && s.labels[i].born > last; i-- {
		s.funcJoins++
		if s.funcJoins%joinsPerUnit == 0 {
			s.chargeSegment(s.labels[i].inner, 1)
		}
		if s.joins++; s.funcJoins > maxJoins || s.joins > maxAllJoins {
			return fmt.Errorf("too many locals are set inside too many nested blocks: split the function")
		}
	}
	return nil
}

// values that an engine makes of one instruction, those included that are
// gone at once.
func values(op module.Op) int64 {
	switch {
	case op <= module.OpElse || op == module.OpEnd || op == module.OpBr || op == module.OpReturn,
		op == module.OpDrop || op >= module.OpLocalGet && op <= module.OpLocalTee:
		return 0
	case op >= module.OpI32Const && op <= module.OpF64Const:
		return 1
	case op >= 0x28 && op <= 0x3e: // loads and stores: address, bounds and base
		return 4
	case op == module.OpBrTable || op == module.OpCall || op>>8 == 0xfd:
		return 4
	case op == module.OpCallIndirect:
		return 12
	case op >= module.OpMemoryInit && op <= module.OpTableFill || op == module.OpMemoryGrow:
		return 24
	}
	return 2
}

// hasVectorLocals reads the groups of locals before a body's instructions.
func hasVectorLocals(groups []byte) bool {
	_, n := module.U32(groups)
	for groups = groups[n:]; len(groups) > 0; groups = groups[n+1:] {
		_, n = module.U32(groups)
		if module.ValType(groups[n]) == module.V128 {
			return true
		}
	}
	return false
}
