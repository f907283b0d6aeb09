package module

// constant reads a constant expression of a type and returns its instruction.
// It is one instruction, since there are no imported globals to start from.
func (p *parser) constant(want ValType) (Instr, *Error) {
	var in, end Instr
	if err := p.step(&in); err != nil {
		return in, err
	}
	var have ValType
	switch in.Op {
	case OpI32Const, OpI64Const, OpF32Const, OpF64Const, OpV128Const:
		have = lookup(in.Op).result
	case OpRefNull:
		have = in.Type
	case OpRefFunc:
		if int64(in.X) >= int64(p.m.numFuncs()) {
			return in, fail(in.Offset, "function %d does not exist, there are %d", in.X, p.m.numFuncs())
		}
		p.declare(in.X)
		have = FuncRef
	case OpGlobalGet:
		return in, fail(in.Offset, "a constant from global %d, which is not imported", in.X)
	default:
		return in, fail(in.Offset, "%s is no constant", in.Op)
	}
	if have != want {
		return in, fail(in.Offset, "a constant of type %s, %s is needed", have, want)
	}
	if err := p.step(&end); err != nil {
		return in, err
	}
	if end.Op != OpEnd {
		return in, fail(end.Offset, "%s in a constant, which is one instruction and an end", end.Op)
	}
	return in, nil
}

// step reads one instruction where one must follow.
func (p *parser) step(in *Instr) *Error {
	if err := p.need(1); err != nil {
		return err
	}
	_, err := p.read(in)
	return err
}

// The bits of an element segment's flags.
const (
	notActive    = 1
	explicit     = 2 // the table of an active segment; else the segment is only declared
	expressions  = 4
	elementFlags = 7
)

func (p *parser) elementSegment() *Error {
	flags, err := p.u32()
	if err != nil {
		return err
	}
	if flags > elementFlags {
		return fail(p.at, "flags %#x of an element segment", flags)
	}
	var table, offset uint32
	if flags&notActive == 0 {
		if table, offset, err = p.activeElements(flags); err != nil {
			return err
		}
	}
	t, err := p.elementType(flags)
	if err != nil {
		return err
	}
	at := p.at
	n, err := p.elementValues(t, flags&expressions != 0)
	if err != nil {
		return err
	}
	p.segments = append(p.segments, t)
	if flags&notActive != 0 {
		return nil
	}
	if p.tables[table] != t {
		return fail(at, "elements of type %s for a table of %s", t, p.tables[table])
	}
	if int64(offset)+int64(n) > int64(p.m.Tables[table].Min) {
		return fail(at, "elements up to %d of table %d, which has %d", int64(offset)+int64(n), table, p.m.Tables[table].Min)
	}
	return nil
}

func (p *parser) activeElements(flags uint32) (table, offset uint32, err *Error) {
	if flags&explicit != 0 {
		if table, err = p.u32(); err != nil {
			return 0, 0, err
		}
	}
	if int64(table) >= int64(len(p.tables)) {
		return 0, 0, fail(p.at, "elements for table %d, there are %d", table, len(p.tables))
	}
	in, err := p.constant(I32)
	return table, uint32(in.Value), err
}

func (p *parser) elementType(flags uint32) (ValType, *Error) {
	if flags&(notActive|explicit) == 0 {
		return FuncRef, nil
	}
	c, err := p.u8()
	if err != nil {
		return 0, err
	}
	if flags&expressions != 0 {
		if !isRefType(ValType(c)) {
			return 0, fail(p.at-1, "byte %#x is no reference type", c)
		}
		return ValType(c), nil
	}
	if c != 0 {
		return 0, fail(p.at-1, "byte %#x is no kind of element", c)
	}
	return FuncRef, nil
}

func (p *parser) elementValues(t ValType, exprs bool) (int, *Error) {
	n, err := p.count("elements", p.limits.Elements-p.elements, 1)
	if err != nil {
		return 0, err
	}
	p.elements += n
	for range n {
		if exprs {
			if _, err := p.constant(t); err != nil {
				return 0, err
			}
			continue
		}
		x, err := p.u32()
		if err != nil {
			return 0, err
		}
		if int64(x) >= int64(p.m.numFuncs()) {
			return 0, fail(p.at, "function %d does not exist, there are %d", x, p.m.numFuncs())
		}
		p.declare(x)
	}
	return n, nil
}

func (p *parser) dataSegment() *Error {
	flags, err := p.u32()
	if err != nil {
		return err
	}
	if flags > 2 {
		return fail(p.at, "flags %#x of a data segment", flags)
	}
	if flags == 2 {
		memory, err := p.u32()
		if err != nil {
			return err
		}
		if memory != 0 {
			return fail(p.at, "data for memory %d: only memory 0 can exist", memory)
		}
	}
	var offset Instr
	if flags != 1 {
		if len(p.m.Memories) == 0 {
			return fail(p.at, "data for a memory, there is none")
		}
		if offset, err = p.constant(I32); err != nil {
			return err
		}
	}
	at := p.at
	b, err := p.bytes()
	if err != nil {
		return err
	}
	p.data++
	if flags == 1 {
		return nil
	}
	end, size := int64(uint32(offset.Value))+int64(len(b)), int64(p.m.Memories[0].Min)<<16
	if end > size {
		return fail(at, "data up to byte %d of a memory that has %d to begin with", end, size)
	}
	return nil
}
