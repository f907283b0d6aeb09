package meter

import (
	"fmt"
	"io"

	"livelab/runtime/wasm/module"
)

// maxJoins bounds the values that meet where branches do, in one function and
// a thousand times as many in all. Engines keep each of them in the frame: a
// few kilobytes of nested blocks and locals make a million.
const (
	maxJoins    = 1 << 18
	maxAllJoins = 1 << 24
)

// The places of a body where something is inserted or replaced.
type editKind uint8

const (
	atLoop   editKind = iota // behind the header
	atPoint                  // behind the start or the end of a block
	atCall                   // around a call, where the fuel is in a local
	atReturn                 // in place of it, where something is left to do
	atBytes                  // before a bulk instruction of memory
	atTable                  // before one of tables
	atGrow                   // in place of memory.grow
)

type edit struct {
	at, end int // of the instruction
	kind    editKind
	depth   uint32 // of blocks around a return
	parent  int32  // of a point, the segment that everything in it has passed
	weight  int64  // of the segment of code that is paid for here
}

// function is what the first pass finds out about one.
type function struct {
	weight   int64 // of the code that is paid for at entry
	frame    int64 // upper bound of its bytes
	edits    []edit
	callees  []uint32
	indirect bool // calls through a table
	cached   bool // the fuel is in a local
	counted  bool // the stack is counted at run time
	take     int64
}

// entry is the segment that is paid for when the function is entered. The
// others are known by the index of their edit.
const entry = -1

// label is an open block.
type label struct {
	outer   int // segment around it
	inner   int // segment at its start, the same but for a loop
	born    int // when it was opened
	isLoop  bool
	hasCall bool
}

// scanner reads function after function; its buffers and its clock go on.
type scanner struct {
	m       *module.Module
	labels  []label
	edits   []edit
	callees []uint32
	lastSet []int // when a local was last set
	now     int
	joins   int // of all functions

	// of the current function
	f         *function
	segment   int // that the code belongs to
	nCalls    int
	values    int64
	area      int64 // values of the widest call
	funcJoins int
	wide      bool
	wideTypes bool // v128 is in some signature or global
}

func newScanner(m *module.Module) *scanner {
	s := &scanner{m: m, now: 1}
	for _, t := range m.Types {
		s.wideTypes = s.wideTypes || hasVector(t.Params) || hasVector(t.Results)
	}
	for _, g := range m.Globals {
		s.wideTypes = s.wideTypes || g.Type == module.V128
	}
	return s
}

func hasVector(types []module.ValType) bool {
	for _, t := range types {
		if t == module.V128 {
			return true
		}
	}
	return false
}

// function reads the body with an index among the defined ones.
func (s *scanner) function(i int) (function, error) {
	var f function
	body := s.m.Funcs[i]
	locals := len(s.m.Types[body.Type].Params) + body.Locals
	s.start(&f, locals)
	s.wide = s.wideTypes || hasVectorLocals(s.m.Code[body.Offset:body.Instrs])
	editsFrom, calleesFrom := len(s.edits), len(s.callees)
	r := module.NewReader(s.m.Code, body.Instrs, body.Offset+body.Size)
	for {
		in, err := r.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return f, err
		}
		if err := s.step(&in); err != nil {
			return f, fmt.Errorf("function %d: %w", s.m.ImportedFuncs+i, err)
		}
	}
	f.edits, f.callees = s.edits[editsFrom:len(s.edits):len(s.edits)], s.callees[calleesFrom:]
	f.weight += frameWeight
	f.frame = s.frame(locals)
	return f, nil
}

func (s *scanner) start(f *function, locals int) {
	s.f, s.values, s.area, s.funcJoins = f, 0, 0, 0
	s.segment, s.nCalls = entry, 0
	s.now++
	for len(s.lastSet) < locals {
		s.lastSet = append(s.lastSet, 0)
	}
	s.labels = append(s.labels[:0], label{outer: entry, inner: entry, born: s.now})
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

func (s *scanner) step(in *module.Instr) error {
	s.charge(weight(in.Op))
	s.values += values(in.Op)
	switch in.Op {
	case module.OpBlock, module.OpIf, module.OpLoop:
		s.open(in)
	case module.OpElse:
		s.settle(s.labels[len(s.labels)-1].inner)
		s.point(in)
	case module.OpEnd:
		s.close(in)
	case module.OpLocalSet, module.OpLocalTee:
		return s.set(in.X)
	case module.OpReturn:
		s.edit(in, atReturn).depth = uint32(len(s.labels) - 1)
	case module.OpCall:
		s.call(in)
	case module.OpCallIndirect:
		s.f.indirect = true
		s.signature(s.m.Types[in.X])
		s.edit(in, atCall)
		s.markCall()
	case module.OpMemoryFill, module.OpMemoryCopy, module.OpMemoryInit:
		s.edit(in, atBytes)
		s.markCall()
	case module.OpTableFill, module.OpTableCopy, module.OpTableInit:
		s.edit(in, atTable)
		s.markCall()
	case module.OpMemoryGrow:
		s.edit(in, atGrow)
		s.markCall()
	case module.OpTableGrow:
		return fmt.Errorf("table.grow is not metered: build without it")
	}
	s.wide = s.wide || in.Op>>8 == 0xfd
	return nil
}

// charge the current segment.
func (s *scanner) charge(w int64) { s.chargeSegment(s.segment, w) }

func (s *scanner) chargeSegment(segment int, w int64) { *s.weight(segment) += w }

func (s *scanner) weight(segment int) *int64 {
	if segment == entry {
		return &s.f.weight
	}
	return &s.edits[segment].weight
}

// point starts a segment behind an instruction.
func (s *scanner) point(in *module.Instr) {
	s.edit(in, atPoint).parent = int32(s.segment)
	s.segment = len(s.edits) - 1
}

// settle the segments that end here, up to one that goes on. A light one is
// paid for with its parent.
func (s *scanner) settle(until int) {
	for s.segment != until {
		e := &s.edits[s.segment]
		s.segment = int(e.parent)
		parent := s.weight(s.segment)
		if e.weight < lightSegment || *parent+e.weight <= fullSegment {
			*parent += e.weight
			e.weight = 0
		}
	}
}

func (s *scanner) edit(in *module.Instr, kind editKind) *edit {
	s.edits = append(s.edits, edit{at: in.Offset, end: in.End, kind: kind})
	return &s.edits[len(s.edits)-1]
}

func (s *scanner) open(in *module.Instr) {
	s.now++
	l := label{outer: s.segment, inner: s.segment, born: s.now}
	switch in.Op {
	case module.OpLoop:
		s.edit(in, atLoop).weight = loopWeight
		l.inner, l.isLoop = len(s.edits)-1, true
		s.segment = l.inner
	case module.OpIf:
		s.point(in)
	}
	s.labels = append(s.labels, l)
	s.values += 4 // the metering's own
	if t := in.Block(); t >= 0 {
		s.values += int64(len(s.m.Types[t].Params) + len(s.m.Types[t].Results))
	} else if t != module.BlockEmpty {
		s.values++
	}
}

func (s *scanner) close(in *module.Instr) {
	last := s.labels[len(s.labels)-1]
	s.labels = s.labels[:len(s.labels)-1]
	s.settle(last.inner)
	s.segment = last.outer
	if last.isLoop && (!last.hasCall || s.nCalls <= fewCalls) {
		s.f.cached = true
	}
	n := len(s.labels)
	if n == 0 {
		return
	}
	if last.hasCall {
		s.labels[n-1].hasCall = true
	}
	s.point(in)
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

func (s *scanner) call(in *module.Instr) {
	if int(in.X) < s.m.ImportedFuncs {
		s.charge(importWeight)
	}
	s.callees = append(s.callees, in.X)
	s.signature(s.m.FuncType(in.X))
	s.edit(in, atCall)
	s.markCall()
}

func (s *scanner) signature(t module.FuncType) {
	n := int64(len(t.Params) + len(t.Results))
	s.charge(n)
	s.values += n
	s.area = max(s.area, n)
}

func (s *scanner) markCall() {
	s.nCalls++
	s.labels[len(s.labels)-1].hasCall = true
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
