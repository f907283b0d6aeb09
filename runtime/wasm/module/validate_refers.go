package module

// refers checks what a simple instruction refers to outside of the stack.
func (v *validator) refers(d *info) *Error {
	switch d.imm {
	case ImmMem, ImmMemLane, ImmMemory, ImmMemories:
		return v.memory()
	case ImmData:
		if err := v.memory(); err != nil {
			return err
		}
		return v.data()
	case ImmIndex, ImmIndices:
		return v.indices()
	}
	return nil
}

func (v *validator) memory() *Error {
	if len(v.p.m.Memories) == 0 {
		return v.fail("%s, there is no memory", v.in.Op)
	}
	return nil
}

func (v *validator) data() *Error {
	if v.p.dataCount < 0 {
		return v.fail("%s without a data count section", v.in.Op)
	}
	if int64(v.in.X) >= int64(v.p.dataCount) {
		return v.fail("data segment %d does not exist, there are %d", v.in.X, v.p.dataCount)
	}
	return nil
}

func (v *validator) indices() *Error {
	switch v.in.Op {
	case OpDataDrop:
		return v.data()
	case OpElemDrop:
		_, err := v.segmentType()
		return err
	case OpTableSize:
		_, err := v.tableType(v.in.X)
		return err
	case OpTableInit:
		from, err := v.segmentType()
		if err != nil {
			return err
		}
		return v.sameElements(from, v.in.Y)
	}
	to, err := v.tableType(v.in.X)
	if err != nil {
		return err
	}
	return v.sameElements(to, v.in.Y)
}

func (v *validator) segmentType() (ValType, *Error) {
	if int64(v.in.X) >= int64(len(v.p.segments)) {
		return 0, v.fail("element segment %d does not exist, there are %d", v.in.X, len(v.p.segments))
	}
	return v.p.segments[v.in.X], nil
}

func (v *validator) sameElements(t ValType, table uint32) *Error {
	other, err := v.tableType(table)
	if err == nil && other != t {
		err = v.fail("%s between %s and %s", v.in.Op, t, other)
	}
	return err
}
