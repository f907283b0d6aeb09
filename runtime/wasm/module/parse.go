package module

import (
	"bytes"
	"unicode/utf8"
)

// The sections, by their byte in the binary format.
const (
	SectionCustom    = 0
	SectionType      = 1
	SectionImport    = 2
	SectionFunction  = 3
	SectionTable     = 4
	SectionMemory    = 5
	SectionGlobal    = 6
	SectionExport    = 7
	SectionStart     = 8
	SectionElement   = 9
	SectionCode      = 10
	SectionData      = 11
	SectionDataCount = 12
)

// sectionOrder is where in a file a section stands, by its byte. The count of
// data segments came late to the format and lies before the code.
var sectionOrder = [...]int{1: 1, 2: 2, 3: 3, 4: 4, 5: 5, 6: 6, 7: 7, 8: 8, 9: 9, 12: 10, 10: 11, 11: 12}

var sectionNames = [...]string{"custom", "type", "import", "function", "table", "memory", "global", "export",
	"start", "element", "code", "data", "data count"}

// parser is the state of one Parse.
type parser struct {
	Reader // over the section at hand
	limits Limits
	m      *Module

	tables    []ValType // type of each table's elements
	segments  []ValType // type of each element segment's elements
	elements  int       // in all segments
	declared  bitset    // functions that ref.func may name
	dataCount int       // -1 without a data count section
	data      int       // data segments
	bodies    int       // function bodies
	customs   int
	work      int // of the bodies so far
	body      *validator
}

// Parse reads and checks a whole file. Every refusal is an *Error. The module
// keeps code, which must not change afterwards. The time it takes is linear in
// the file's size and the memory a small multiple of it, whatever it holds.
func Parse(code []byte, l Limits) (*Module, error) {
	if len(code) > l.FileSize {
		return nil, fail(0, "the file has %d bytes, at most %d are allowed", len(code), l.FileSize)
	}
	p := &parser{Reader: Reader{code: code}, limits: l, m: &Module{Code: code}, dataCount: -1}
	p.body = &validator{p: p}
	if err := p.file(); err != nil {
		return nil, err
	}
	return p.m, nil
}

func (p *parser) file() *Error {
	if !bytes.HasPrefix(p.code, []byte("\x00asm\x01\x00\x00\x00")) {
		return fail(0, "this is no WebAssembly file of version 1: build a core module, not a component")
	}
	code, last := p.code, 0
	for at := 8; at < len(code); {
		p.Reader = Reader{code: code, at: at + 1}
		id := int(code[at])
		if id >= len(sectionNames) {
			return fail(at, "section %d is not in WebAssembly 2.0", id)
		}
		size, err := p.u32()
		if err != nil {
			return err
		}
		if int64(size) > int64(len(code)-p.at) {
			return fail(at, "the %s section has %d bytes, only %d are left", sectionNames[id], size, len(code)-p.at)
		}
		if id != SectionCustom {
			if sectionOrder[id] <= last {
				return fail(at, "the %s section is repeated or out of order", sectionNames[id])
			}
			last = sectionOrder[id]
		}
		p.code = code[:p.at+int(size)]
		p.m.Sections = append(p.m.Sections, Section{ID: byte(id), Offset: p.at, Size: int(size)})
		if err := p.section(id); err != nil {
			return err
		}
		if p.at != len(p.code) {
			return fail(p.at, "the %s section has %d bytes too many", sectionNames[id], len(p.code)-p.at)
		}
		at = p.at
	}
	return p.finish(len(code))
}

// finish checks what only the end of the file tells.
func (p *parser) finish(end int) *Error {
	if p.bodies != len(p.m.Funcs) {
		return fail(end, "%d functions are declared and %d have code", len(p.m.Funcs), p.bodies)
	}
	if p.dataCount >= 0 && p.dataCount != p.data {
		return fail(end, "%d data segments are announced and %d are there", p.dataCount, p.data)
	}
	return nil
}

func (p *parser) section(id int) *Error {
	switch id {
	case SectionCustom:
		return p.custom()
	case SectionType:
		return p.each("types", p.limits.Types, 3, p.functionType)
	case SectionImport:
		return p.each("imports", p.limits.Imports, 4, p.importEntry)
	case SectionFunction:
		return p.each("functions", p.limits.Functions, 1, p.function)
	case SectionTable:
		return p.each("tables", p.limits.Tables, 3, p.table)
	case SectionMemory:
		return p.each("memories", 1, 2, p.memory)
	case SectionGlobal:
		return p.each("globals", p.limits.Globals, 4, p.global)
	case SectionExport:
		return p.exports()
	case SectionElement:
		return p.each("element segments", p.limits.ElementSegments, 3, p.elementSegment)
	case SectionDataCount:
		n, err := p.u32()
		if err == nil && int64(n) > int64(p.limits.DataSegments) {
			err = fail(p.at, "%d data segments, at most %d are allowed", n, p.limits.DataSegments)
		}
		p.dataCount = int(n)
		return err
	case SectionCode:
		return p.each("function bodies", p.limits.Functions, 3, p.functionBody)
	case SectionData:
		return p.each("data segments", p.limits.DataSegments, 2, p.dataSegment)
	}
	return fail(p.at, "a start section: export _initialize instead (asc: --exportStart _initialize)")
}

// each reads a vector. least is the number of bytes of its smallest entry, so
// that a count that cannot be true is refused before it costs anything.
func (p *parser) each(what string, limit, least int, read func() *Error) *Error {
	n, err := p.count(what, limit, least)
	for ; n > 0 && err == nil; n-- {
		err = read()
	}
	return err
}

func (p *parser) count(what string, limit, least int) (int, *Error) {
	at := p.at
	n, err := p.u32()
	if err != nil {
		return 0, err
	}
	if int64(n) > int64(limit) {
		return 0, fail(at, "%d %s, at most %d are allowed", n, what, limit)
	}
	if int64(n)*int64(least) > int64(len(p.code)-p.at) {
		return 0, fail(at, "%d %s do not fit into the %d bytes that are left", n, what, len(p.code)-p.at)
	}
	return int(n), nil
}

func (p *parser) u8() (byte, *Error) {
	if err := p.need(1); err != nil {
		return 0, err
	}
	p.at++
	return p.code[p.at-1], nil
}

func (p *parser) bytes() ([]byte, *Error) {
	n, err := p.u32()
	if err != nil {
		return nil, err
	}
	if int64(n) > int64(len(p.code)-p.at) {
		return nil, fail(p.at, "%d bytes are announced, only %d are left", n, len(p.code)-p.at)
	}
	p.at += int(n)
	return p.code[p.at-int(n) : p.at], nil
}

func (p *parser) name() (string, *Error) {
	at := p.at
	b, err := p.bytes()
	if err != nil {
		return "", err
	}
	if len(b) > p.limits.NameSize {
		return "", fail(at, "a name of %d bytes, at most %d are allowed", len(b), p.limits.NameSize)
	}
	if !utf8.Valid(b) {
		return "", fail(at, "the name %q is not UTF-8", b)
	}
	return string(b), nil
}

// valType reads the type of a value.
func (p *parser) valType() (ValType, *Error) {
	c, err := p.u8()
	if err == nil && !isValType(ValType(c)) {
		err = fail(p.at-1, "byte %#x is no value type of WebAssembly 2.0", c)
	}
	return ValType(c), err
}

// bitset is a set of small numbers; it has as many bits as its maker gave it.
type bitset []uint64

func (b bitset) add(i uint32)      { b[i/64] |= 1 << (i % 64) }
func (b bitset) has(i uint32) bool { return b[i/64]&(1<<(i%64)) != 0 }
