package meter

import "livelab/runtime/wasm/module"

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
		i, e := s.segment, &s.edits[s.segment]
		s.segment = int(e.parent)
		parent := s.weight(s.segment)
		if e.weight >= lightSegment && *parent+e.weight > fullSegment {
			continue
		}
		*parent += e.weight
		e.weight = 0
		if i == len(s.edits)-1 { // most go at once, which saves half of the memory
			s.edits = s.edits[:i]
		}
	}
}

func (s *scanner) open(in *module.Instr) {
	s.now++
	l := label{outer: s.segment, inner: s.segment, born: s.now}
	switch in.Op {
	case module.OpLoop:
		s.edit(in, atLoop).weight = loopWeight
		s.loops++
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
