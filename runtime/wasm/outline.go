package wasm

import (
	"cmp"
	"errors"
	"slices"

	"livelab/runtime/wasm/module"
)

// Sections that an outline has otherwise than its module.
const (
	codeSection      = 10
	dataSection      = 11
	dataCountSection = 12
)

// trapBody is a function without locals that traps, with its size before it.
const trapBody = "\x03\x00\x00\x0b"

// nearSegments are joined with the zeros between them. A segment takes the
// engine more memory than so many bytes.
const nearSegments = 64

var errOutline = errors.New("the metered module cannot be read")

// outlineOf a metered module: the same module, of which every function only
// traps, and whose data is in as few segments as can be. What an engine knows
// of a module, but for machine code, is the same of both, and of an outline
// that is decoded and checked in a fraction of the time.
func outlineOf(metered []byte) ([]byte, error) {
	const header = 8
	if len(metered) < header {
		return nil, errOutline
	}
	out := slices.Clone(metered[:header])
	counted := false
	for rest := metered[header:]; len(rest) > 0; {
		id := rest[0]
		content, after, err := cut(rest[1:])
		if err != nil {
			return nil, err
		}
		rest = after
		switch {
		case id == dataCountSection:
			counted = true // code may name segments
		case id == codeSection:
			content, err = trapBodies(content)
		case id == dataSection && !counted:
			content, err = joinData(content)
		}
		if err != nil {
			return nil, err
		}
		out = module.AppendU32(append(out, id), uint32(len(content)))
		out = append(out, content...)
	}
	return out, nil
}

func trapBodies(code []byte) ([]byte, error) {
	n, size := module.U32(code)
	if size <= 0 {
		return nil, errOutline
	}
	return append(code[:size:size], slices.Repeat([]byte(trapBody), int(n))...), nil
}

// segment of data, at an address.
type segment struct {
	at      uint64
	content []byte
}

func (s segment) end() uint64 { return s.at + uint64(len(s.content)) }

// joinData joins segments that lie near each other. Memory is zero before, so
// that this is the same where none lies in a gap of others; else the section
// is left as it is.
func joinData(data []byte) ([]byte, error) {
	n, size := module.U32(data)
	if size <= 0 {
		return nil, errOutline
	}
	var joined []segment
	for rest := data[size:]; n > 0; n-- {
		var s segment
		var plain bool
		var err error
		if s, rest, plain, err = cutSegment(rest); err != nil || !plain {
			return data, err
		}
		if last := len(joined) - 1; last >= 0 && s.at >= joined[last].end() && s.at-joined[last].end() <= nearSegments {
			p := &joined[last]
			p.content = append(p.content, make([]byte, s.at-p.end())...)
			p.content = append(p.content, s.content...)
			continue
		}
		joined = append(joined, segment{s.at, slices.Clone(s.content)})
	}
	if overlapping(joined) {
		return data, nil
	}
	out := module.AppendU32(nil, uint32(len(joined)))
	for _, s := range joined {
		out = append(out, 0, byte(module.OpI32Const))
		out = append(module.AppendS64(out, int64(int32(uint32(s.at)))), byte(module.OpEnd))
		out = module.AppendU32(out, uint32(len(s.content)))
		out = append(out, s.content...)
	}
	return out, nil
}

func overlapping(segments []segment) bool {
	sorted := slices.SortedFunc(slices.Values(segments), func(a, b segment) int { return cmp.Compare(a.at, b.at) })
	for i := 1; i < len(sorted); i++ {
		if sorted[i].at < sorted[i-1].end() {
			return true
		}
	}
	return false
}

// cutSegment takes the first segment. A plain one goes to a constant address.
func cutSegment(data []byte) (s segment, rest []byte, plain bool, err error) {
	if len(data) < 2 || data[0] != 0 || data[1] != byte(module.OpI32Const) {
		return s, nil, false, nil
	}
	at, n := module.S32(data[2:])
	if n <= 0 || len(data) < 2+n+1 || data[2+n] != byte(module.OpEnd) {
		return s, nil, false, errOutline
	}
	s.at = uint64(uint32(at))
	s.content, rest, err = cut(data[2+n+1:])
	return s, rest, err == nil, err
}

// cut takes bytes that have their number before them.
func cut(b []byte) (content, rest []byte, err error) {
	n, size := module.U32(b)
	if size <= 0 || int64(n) > int64(len(b)-size) {
		return nil, nil, errOutline
	}
	return b[size : size+int(n)], b[size+int(n):], nil
}
