package module

// special checks the instructions whose types hang on more than the opcode.
func (v *validator) special() *Error {
	switch v.in.Op {
	case OpBlock, OpLoop, OpIf:
		return v.block()
	case OpElse:
		return v.otherwise()
	case OpEnd:
		return v.end()
	case OpBr, OpBrIf, OpBrTable, OpReturn, OpUnreachable:
		return v.branch()
	case OpCall, OpCallIndirect:
		return v.call()
	case OpDrop:
		_, err := v.popAny()
		return err
	case OpSelect, OpSelectTyped:
		return v.choose()
	case OpLocalGet, OpLocalSet, OpLocalTee, OpGlobalGet, OpGlobalSet:
		return v.variable()
	case OpTableGet, OpTableSet, OpTableFill, OpTableGrow:
		return v.table()
	}
	return v.reference()
}

func (v *validator) choose() *Error {
	if err := v.pop(I32); err != nil {
		return err
	}
	if v.in.Op == OpSelectTyped {
		if err := v.pop(v.in.Type); err != nil {
			return err
		}
		if err := v.pop(v.in.Type); err != nil {
			return err
		}
		return v.push(v.in.Type)
	}
	a, err := v.popAny()
	if err != nil {
		return err
	}
	b, err := v.popAny()
	if err != nil {
		return err
	}
	if isRefType(a) || isRefType(b) {
		return v.fail("a select between references without their type")
	}
	if a != b && a != anyType && b != anyType {
		return v.fail("a select between %s and %s", b, a)
	}
	if a == anyType {
		a = b
	}
	return v.push(a)
}

func (v *validator) variable() *Error {
	var t ValType
	switch v.in.Op {
	case OpGlobalGet, OpGlobalSet:
		globals := v.p.m.Globals
		if int64(v.in.X) >= int64(len(globals)) {
			return v.fail("global %d does not exist, there are %d", v.in.X, len(globals))
		}
		if v.in.Op == OpGlobalSet && !globals[v.in.X].Mutable {
			return v.fail("global %d cannot be changed", v.in.X)
		}
		t = globals[v.in.X].Type
	default:
		if int64(v.in.X) >= int64(len(v.locals)) {
			return v.fail("local %d does not exist, there are %d", v.in.X, len(v.locals))
		}
		t = v.locals[v.in.X]
	}
	switch v.in.Op {
	case OpLocalGet, OpGlobalGet:
		return v.push(t)
	case OpLocalTee:
		if err := v.pop(t); err != nil {
			return err
		}
		return v.push(t)
	}
	return v.pop(t)
}

func (v *validator) tableType(index uint32) (ValType, *Error) {
	if int64(index) >= int64(len(v.p.tables)) {
		return 0, v.fail("table %d does not exist, there are %d", index, len(v.p.tables))
	}
	return v.p.tables[index], nil
}

func (v *validator) table() *Error {
	t, err := v.tableType(v.in.X)
	if err != nil {
		return err
	}
	switch v.in.Op {
	case OpTableGet:
		if err := v.pop(I32); err != nil {
			return err
		}
		return v.push(t)
	case OpTableSet:
		return v.popAll([]ValType{I32, t})
	case OpTableFill:
		return v.popAll([]ValType{I32, t, I32})
	}
	return v.fail("table.grow: a table may not grow")
}

func (v *validator) reference() *Error {
	switch v.in.Op {
	case OpRefNull:
		return v.push(v.in.Type)
	case OpRefIsNull:
		t, err := v.popAny()
		if err != nil {
			return err
		}
		if t != anyType && !isRefType(t) {
			return v.fail("ref.is_null of a value of type %s", t)
		}
		return v.push(I32)
	}
	m := v.p.m
	if int64(v.in.X) >= int64(m.numFuncs()) {
		return v.fail("function %d does not exist, there are %d", v.in.X, m.numFuncs())
	}
	if v.p.declared == nil || !v.p.declared.has(v.in.X) {
		return v.fail("ref.func of function %d, which no element, export or global names", v.in.X)
	}
	return v.push(FuncRef)
}
