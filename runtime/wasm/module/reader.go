package module

import "io"

// BlockEmpty is the block type of a block that takes and gives nothing.
const BlockEmpty = -0x40

// Instr is one instruction. Which fields hold its immediates is told by
// Op.Imm.
type Instr struct {
	Op          Op
	Type        ValType // of ref.null and of a typed select
	Lane        byte
	Align       uint32 // exponent of two
	MemOffset   uint32
	X, Y        uint32
	Value       int64
	Offset, End int     // of its first byte, and after its last one
	Targets     Targets // of br_table
}

// Block is the type of a block, a loop or an if: BlockEmpty, a value type's
// byte - 0x80, or the index of a signature.
func (in *Instr) Block() int64 { return in.Value }

// Targets are the labels of a br_table where they lie in the file.
type Targets struct {
	code []byte
	n    uint32
}

// Len is the number of labels, the default label included.
func (t Targets) Len() int { return int(t.n) }

// Next cuts off the first label. The last one is the default. It panics where
// there is none left.
func (t *Targets) Next() uint32 {
	if t.n == 0 {
		panic("module: no label left")
	}
	v, n := U32(t.code)
	t.code = t.code[n:]
	t.n--
	return v
}

// Reader reads instructions one after another. It does not allocate.
type Reader struct {
	code []byte // up to the end
	at   int
}

// NewReader reads the instructions of code[from:to], and those of a body that
// Parse has accepted without an error. Offsets are those in code.
func NewReader(code []byte, from, to int) *Reader {
	return &Reader{code: code[:to], at: from}
}

// Next is the next instruction, or io.EOF behind the last one. Any other error
// is an *Error about bytes that are no instruction.
func (r *Reader) Next() (Instr, error) {
	if r.at >= len(r.code) {
		return Instr{}, io.EOF
	}
	var in Instr
	if _, err := r.read(&in); err != nil {
		return Instr{}, err
	}
	return in, nil
}

// read reads the instruction and looks it up.
func (r *Reader) read(in *Instr) (*info, *Error) {
	in.Offset = r.at
	c := r.code[r.at]
	r.at++
	in.Op = Op(c)
	d := &opcodes[0][c]
	if c >= prefixMisc {
		if err := r.prefixed(in); err != nil {
			return nil, err
		}
		d = lookup(in.Op)
	}
	if d == nil || d.name == "" {
		return nil, fail(in.Offset, "%s is not in WebAssembly 2.0%s", in.Op, proposal(in.Op))
	}
	if d.imm != ImmNone {
		if err := r.immediate(in, d); err != nil {
			return nil, err
		}
	}
	in.End = r.at
	return d, nil
}

// prefixed reads the number behind a prefix. Its longer forms are refused:
// nothing writes them, and engines differ in what they make of them.
func (r *Reader) prefixed(in *Instr) *Error {
	prefix := in.Op
	sub, err := r.u32()
	if err != nil {
		return err
	}
	if n := r.at - in.Offset - 1; n > 1 && sub < 1<<(7*(n-1)) {
		return fail(in.Offset, "the opcode behind prefix %#x is not in its shortest form", uint16(prefix))
	}
	if sub > 0xff {
		return fail(in.Offset, "opcode %#x %#x is not in WebAssembly 2.0%s", uint16(prefix), sub, proposal(prefix<<8))
	}
	in.Op = prefix<<8 | Op(sub)
	return nil
}

// proposal names the extension of the language that an unknown opcode is of.
func proposal(op Op) string {
	switch {
	case op>>8 == 0xfe:
		return ": compile without threads"
	case op>>8 == prefixSIMD:
		return ": compile without relaxed SIMD"
	case op == 0x12 || op == 0x13:
		return ": compile without tail calls"
	case op >= 0x06 && op <= 0x0a || op == 0x18 || op == 0x19 || op == 0x1f:
		return ": compile without exceptions"
	}
	return ""
}
