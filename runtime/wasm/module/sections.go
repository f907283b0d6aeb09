package module

func (p *parser) custom() *Error {
	p.customs++
	if p.customs > p.limits.CustomSections {
		return fail(p.at, "%d custom sections, at most %d are allowed", p.customs, p.limits.CustomSections)
	}
	name, err := p.name()
	p.m.Sections[len(p.m.Sections)-1].Name = name
	p.at = len(p.code)
	return err
}

func (p *parser) functionType() *Error {
	c, err := p.u8()
	if err != nil {
		return err
	}
	if c != 0x60 {
		return fail(p.at-1, "byte %#x starts no function type", c)
	}
	var t FuncType
	if t.Params, err = p.valTypes("parameters", p.limits.Params); err != nil {
		return err
	}
	if t.Results, err = p.valTypes("results", p.limits.Results); err != nil {
		return err
	}
	p.m.Types = append(p.m.Types, t)
	return nil
}

func (p *parser) valTypes(what string, limit int) ([]ValType, *Error) {
	n, err := p.count(what, limit, 1)
	if err != nil || n == 0 {
		return nil, err
	}
	types := make([]ValType, n)
	for i := range types {
		if types[i], err = p.valType(); err != nil {
			return nil, err
		}
	}
	return types, nil
}

// typeIndex reads the index of a signature.
func (p *parser) typeIndex() (uint32, *Error) {
	x, err := p.u32()
	if err == nil && int64(x) >= int64(len(p.m.Types)) {
		err = fail(p.at, "type %d does not exist, there are %d", x, len(p.m.Types))
	}
	return x, err
}

func (p *parser) importEntry() *Error {
	at := p.at
	var im Import
	var err *Error
	if im.Module, err = p.name(); err != nil {
		return err
	}
	if im.Name, err = p.name(); err != nil {
		return err
	}
	kind, err := p.u8()
	if err != nil {
		return err
	}
	im.Kind = Kind(kind)
	switch {
	case im.Kind > KindGlobal:
		return fail(p.at-1, "byte %#x is no kind of import", kind)
	case im.Kind != KindFunc:
		return fail(at, "the import %q.%q is a %s, only functions may be imported", im.Module, im.Name, im.Kind)
	case im.Module == "":
		return fail(at, "the import %q is of a module without a name", im.Name)
	}
	if im.Type, err = p.typeIndex(); err != nil {
		return err
	}
	p.m.Imports = append(p.m.Imports, im)
	p.m.ImportedFuncs++
	return nil
}

func (p *parser) function() *Error {
	x, err := p.typeIndex()
	p.m.Funcs = append(p.m.Funcs, Body{Type: x})
	return err
}

// size reads a table's or a memory's size.
func (p *parser) size() (s Range, err *Error) {
	flag, err := p.u8()
	if err != nil {
		return s, err
	}
	if flag > 1 {
		return s, fail(p.at-1, "flag %#x of a size: shared and 64-bit memories are not in WebAssembly 2.0", flag)
	}
	if s.Min, err = p.u32(); err != nil || flag == 0 {
		return s, err
	}
	s.HasMax = true
	if s.Max, err = p.u32(); err == nil && s.Max < s.Min {
		err = fail(p.at, "a size of %d to at most %d", s.Min, s.Max)
	}
	return s, err
}

// table refuses only a large initial size: without table.grow the greatest one
// has no meaning.
func (p *parser) table() *Error {
	t, err := p.valType()
	if err != nil {
		return err
	}
	if !isRefType(t) {
		return fail(p.at-1, "a table of %s, only references are possible", t)
	}
	s, err := p.size()
	if err != nil {
		return err
	}
	total := int64(s.Min)
	for _, t := range p.m.Tables {
		total += int64(t.Min)
	}
	if total > int64(p.limits.TableElements) {
		return fail(p.at, "tables of %d elements, at most %d are allowed", total, p.limits.TableElements)
	}
	p.tables = append(p.tables, t)
	p.m.Tables = append(p.m.Tables, s)
	return nil
}

// memory refuses only a large initial size. The greatest one is for the host
// to clamp, since compilers write 4 GiB or nothing.
func (p *parser) memory() *Error {
	s, err := p.size()
	if err != nil {
		return err
	}
	if s.Min > 65536 || s.HasMax && s.Max > 65536 {
		return fail(p.at, "a memory of more than 65536 pages does not exist")
	}
	if int64(s.Min) > int64(p.limits.MemoryPages) {
		return fail(p.at, "a memory of %d pages of 64 KiB to begin with, at most %d are allowed", s.Min, p.limits.MemoryPages)
	}
	p.m.Memories = append(p.m.Memories, s)
	return nil
}

func (p *parser) global() *Error {
	t, err := p.valType()
	if err != nil {
		return err
	}
	mutable, err := p.u8()
	if err != nil {
		return err
	}
	if mutable > 1 {
		return fail(p.at-1, "byte %#x does not say whether a global is mutable", mutable)
	}
	if _, err := p.constant(t); err != nil {
		return err
	}
	p.m.Globals = append(p.m.Globals, Global{Type: t, Mutable: mutable == 1})
	return nil
}

func (p *parser) exports() *Error {
	n, err := p.count("exports", p.limits.Exports, 3)
	if err != nil {
		return err
	}
	seen := make(map[string]bool, n)
	for range n {
		at := p.at
		e, err := p.export()
		if err != nil {
			return err
		}
		if seen[e.Name] {
			return fail(at, "two exports are named %q", e.Name)
		}
		seen[e.Name] = true
		p.m.Exports = append(p.m.Exports, e)
	}
	return nil
}

func (p *parser) export() (e Export, err *Error) {
	if e.Name, err = p.name(); err != nil {
		return e, err
	}
	kind, err := p.u8()
	if err != nil {
		return e, err
	}
	e.Kind = Kind(kind)
	if e.Index, err = p.u32(); err != nil {
		return e, err
	}
	var have int
	switch e.Kind {
	case KindFunc:
		have = p.m.numFuncs()
	case KindTable:
		have = len(p.m.Tables)
	case KindMemory:
		have = len(p.m.Memories)
	case KindGlobal:
		have = len(p.m.Globals)
	default:
		return e, fail(p.at, "byte %#x is no kind of export", kind)
	}
	if int64(e.Index) >= int64(have) {
		return e, fail(p.at, "the export %q is of %s %d, there are %d", e.Name, e.Kind, e.Index, have)
	}
	if e.Kind == KindFunc {
		p.declare(e.Index)
	}
	return e, nil
}

// declare notes that code may refer to a function.
func (p *parser) declare(index uint32) {
	if p.declared == nil {
		p.declared = make(bitset, p.m.numFuncs()/64+1)
	}
	p.declared.add(index)
}
