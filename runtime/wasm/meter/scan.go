package meter

import (
	"fmt"
	"io"
	"slices"

	"livelab/runtime/wasm/module"
)

// maxPlaces bounds the edits of all functions, which are kept until the code
// is written, and maxLoops those that are longest. Without them 5 MB of empty
// loops take 800 MB. A Go module of 3.3 MB has 57,000 edits and 1,500 loops.
const (
	maxPlaces = 1 << 19
	maxLoops  = 1 << 16
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

// scanner reads function after function; its buffers and its clock go on.
type scanner struct {
	m       *module.Module
	labels  []label
	edits   []edit
	callees []uint32
	lastSet []int // when a local was last set
	now     int
	joins   int // of all functions
	places  int // of all functions
	loops   int // of all functions

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

// function reads the body with an index among the defined ones.
func (s *scanner) function(i int) (function, error) {
	var f function
	body := s.m.Funcs[i]
	locals := len(s.m.Types[body.Type].Params) + body.Locals
	s.start(&f, locals)
	s.wide = s.wideTypes || hasVectorLocals(s.m.Code[body.Offset:body.Instrs])
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
	f.edits, f.callees = slices.Clone(s.edits), slices.Clone(s.callees)
	if s.places += len(f.edits); s.places > maxPlaces || s.loops > maxLoops {
		return f, fmt.Errorf("more than %d loops, or %d places to meter in all: leave code out", maxLoops, maxPlaces)
	}
	f.weight += frameWeight
	f.frame = s.frame(locals)
	return f, nil
}

func (s *scanner) start(f *function, locals int) {
	s.f, s.values, s.area, s.funcJoins = f, 0, 0, 0
	s.edits, s.callees = s.edits[:0], s.callees[:0]
	s.segment, s.nCalls = entry, 0
	s.now++
	for len(s.lastSet) < locals {
		s.lastSet = append(s.lastSet, 0)
	}
	s.labels = append(s.labels[:0], label{outer: entry, inner: entry, born: s.now})
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

func (s *scanner) edit(in *module.Instr, kind editKind) *edit {
	s.edits = append(s.edits, edit{at: in.Offset, end: in.End, kind: kind})
	return &s.edits[len(s.edits)-1]
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
