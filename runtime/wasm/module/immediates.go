package module

import "encoding/binary"

// immediate reads what follows the opcode.
func (r *Reader) immediate(in *Instr, d *info) *Error {
	var err *Error
	switch d.imm {
	case ImmIndex:
		in.X, err = r.u32()
	case ImmIndices:
		if in.X, err = r.u32(); err == nil {
			in.Y, err = r.u32()
		}
	case ImmS32:
		var v int32
		var n int
		v, n = S32(r.code[r.at:])
		in.Value = int64(v)
		err = r.advance(n)
	case ImmS64:
		var n int
		in.Value, n = S64(r.code[r.at:])
		err = r.advance(n)
	case ImmMem, ImmMemLane:
		err = r.memarg(in, d)
	case ImmBlock:
		err = r.blockType(in)
	case ImmTable:
		err = r.targets(in)
	default:
		err = r.fixed(in, d)
	}
	return err
}

// fixed reads the immediates whose length is known beforehand.
func (r *Reader) fixed(in *Instr, d *info) *Error {
	var err *Error
	switch d.imm {
	case ImmF32:
		if err = r.need(4); err == nil {
			in.Value = int64(binary.LittleEndian.Uint32(r.code[r.at:]))
			r.at += 4
		}
	case ImmF64:
		if err = r.need(8); err == nil {
			in.Value = int64(binary.LittleEndian.Uint64(r.code[r.at:]))
			r.at += 8
		}
	case ImmBytes16:
		err = r.bytes16(in)
	case ImmMemory:
		err = r.zeros(1)
	case ImmMemories:
		err = r.zeros(2)
	case ImmData:
		if in.X, err = r.u32(); err == nil {
			err = r.zeros(1)
		}
	case ImmLane:
		err = r.lane(in, d)
	case ImmRef:
		err = r.refType(in)
	case ImmTypes:
		err = r.selectType(in)
	}
	return err
}

// bytes16 reads a constant, or the 16 lanes that a shuffle picks out of 32.
func (r *Reader) bytes16(in *Instr) *Error {
	if err := r.need(16); err != nil {
		return err
	}
	if in.Op == OpI8x16Shuffle {
		for _, lane := range r.code[r.at : r.at+16] {
			if lane >= 32 {
				return fail(in.Offset, "i8x16.shuffle of lane %d, there are 32", lane)
			}
		}
	}
	r.at += 16
	return nil
}

func (r *Reader) need(n int) *Error {
	if len(r.code)-r.at < n {
		return fail(r.at, "the code ends inside an instruction")
	}
	return nil
}

// advance steps over a number whose reader returned n.
func (r *Reader) advance(n int) *Error {
	if n <= 0 {
		return lebError(r.at, n)
	}
	r.at += n
	return nil
}

func lebError(at, n int) *Error {
	if n == 0 {
		return fail(at, "the bytes end inside a number")
	}
	return fail(at, "a number is too long or too large for its type")
}

func (r *Reader) u32() (uint32, *Error) {
	if r.at < len(r.code) && r.code[r.at] < 0x80 {
		r.at++
		return uint32(r.code[r.at-1]), nil
	}
	v, n := U32(r.code[r.at:])
	return v, r.advance(n)
}

// zeros reads the bytes that name the one memory.
func (r *Reader) zeros(n int) *Error {
	if err := r.need(n); err != nil {
		return err
	}
	for ; n > 0; n-- {
		if r.code[r.at] != 0 {
			return fail(r.at, "memory %d: only memory 0 can exist", r.code[r.at])
		}
		r.at++
	}
	return nil
}

func (r *Reader) memarg(in *Instr, d *info) *Error {
	var err *Error
	if in.Align, err = r.u32(); err != nil {
		return err
	}
	if in.Align > uint32(d.align) {
		return fail(in.Offset, "%s with alignment 2**%d, at most 2**%d is possible", d.name, in.Align, d.align)
	}
	if in.MemOffset, err = r.u32(); err != nil || d.imm == ImmMem {
		return err
	}
	return r.lane(in, d)
}

func (r *Reader) lane(in *Instr, d *info) *Error {
	if err := r.need(1); err != nil {
		return err
	}
	in.Lane = r.code[r.at]
	r.at++
	if in.Lane >= d.lanes {
		return fail(in.Offset, "%s of lane %d, there are %d", d.name, in.Lane, d.lanes)
	}
	return nil
}

func (r *Reader) blockType(in *Instr) *Error {
	if err := r.need(1); err != nil {
		return err
	}
	if c := r.code[r.at]; c == 0x40 || isValType(ValType(c)) {
		in.Value = int64(c) - 0x80
		r.at++
		return nil
	}
	v, n := S33(r.code[r.at:])
	if n > 0 && v < 0 {
		return fail(r.at, "byte %#x is no block type", r.code[r.at])
	}
	in.Value = v
	return r.advance(n)
}

// targets steps over the labels, so that nothing is stored for them.
func (r *Reader) targets(in *Instr) *Error {
	n, err := r.u32()
	if err != nil {
		return err
	}
	if int64(n) >= int64(len(r.code)-r.at) {
		return fail(in.Offset, "a br_table of %d labels does not fit into the code", n)
	}
	in.Targets = Targets{code: r.code[r.at:], n: n + 1}
	for range n + 1 {
		if _, err := r.u32(); err != nil {
			return err
		}
	}
	return nil
}

func (r *Reader) refType(in *Instr) *Error {
	if err := r.need(1); err != nil {
		return err
	}
	in.Type = ValType(r.code[r.at])
	if !isRefType(in.Type) {
		return fail(r.at, "byte %#x is no reference type", byte(in.Type))
	}
	r.at++
	return nil
}

func (r *Reader) selectType(in *Instr) *Error {
	n, err := r.u32()
	if err != nil {
		return err
	}
	if n != 1 {
		return fail(in.Offset, "a select of %d types, only 1 is possible", n)
	}
	if err := r.need(1); err != nil {
		return err
	}
	in.Type = ValType(r.code[r.at])
	if !isValType(in.Type) {
		return fail(r.at, "byte %#x is no value type", byte(in.Type))
	}
	r.at++
	return nil
}

func isRefType(t ValType) bool { return t == FuncRef || t == ExternRef }

func isValType(t ValType) bool { return t >= V128 && t <= I32 || isRefType(t) }
