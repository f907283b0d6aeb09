package module

import "slices"

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

// singles are the lists of one type, for block types that name one.
var singles = func() (s [256][]ValType) {
	for i := range s {
		s[i] = []ValType{ValType(i)}
	}
	return s
}()

func (v *validator) blockType() (params, ends []ValType, err *Error) {
	x := v.in.Block()
	switch {
	case x == BlockEmpty:
		return nil, nil, nil
	case x < 0:
		return nil, singles[x+0x80], nil
	case x >= int64(len(v.p.m.Types)):
		return nil, nil, v.fail("type %d does not exist, there are %d", x, len(v.p.m.Types))
	}
	t := &v.p.m.Types[x]
	return t.Params, t.Results, nil
}

func (v *validator) block() *Error {
	params, ends, err := v.blockType()
	if err != nil {
		return err
	}
	if v.in.Op == OpIf {
		if err := v.pop(I32); err != nil {
			return err
		}
	}
	if err := v.popAll(params); err != nil {
		return err
	}
	if err := v.ways(1, ends); err != nil {
		return err
	}
	return v.enter(v.in.Op, params, ends)
}

func (v *validator) otherwise() *Error {
	f, err := v.leave()
	if err != nil {
		return err
	}
	if f.op != OpIf {
		return v.fail("else without an if")
	}
	if err := v.ways(1, f.params); err != nil {
		return err
	}
	return v.enter(OpElse, f.params, f.ends)
}

func (v *validator) end() *Error {
	f, err := v.leave()
	if err != nil {
		return err
	}
	if f.op == OpIf && !sameTypes(f.params, f.ends) {
		return v.fail("an if without an else changes the types on the stack")
	}
	if len(v.frames) == 0 {
		return nil
	}
	return v.pushAll(f.ends)
}

func sameTypes(a, b []ValType) bool {
	return slices.Equal(a, b)
}

func (v *validator) labelTypes(depth uint32) ([]ValType, *Error) {
	if int64(depth) >= int64(len(v.frames)) {
		return nil, v.fail("a branch out of %d blocks, there are %d", int64(depth)+1, len(v.frames))
	}
	return v.frames[len(v.frames)-1-int(depth)].label(), nil
}

func (v *validator) branch() *Error {
	switch v.in.Op {
	case OpReturn:
		if err := v.popAll(v.frames[0].ends); err != nil {
			return err
		}
		if err := v.ways(1, nil); err != nil {
			return err
		}
	case OpBr, OpBrIf:
		if v.in.Op == OpBrIf {
			if err := v.pop(I32); err != nil {
				return err
			}
		}
		types, err := v.labelTypes(v.in.X)
		if err != nil {
			return err
		}
		if err := v.popAll(types); err != nil {
			return err
		}
		if err := v.ways(1, types); err != nil {
			return err
		}
		if v.in.Op == OpBrIf {
			return v.pushAll(types)
		}
	case OpBrTable:
		if err := v.branchTable(); err != nil {
			return err
		}
	}
	v.dead()
	return nil
}

// branchTable leaves the values on the stack: the code behind it is dead.
func (v *validator) branchTable() *Error {
	if err := v.pop(I32); err != nil {
		return err
	}
	t := v.in.Targets
	if t.Len() > v.p.limits.Targets {
		return v.fail("a br_table of %d labels, at most %d are allowed", t.Len(), v.p.limits.Targets)
	}
	first := t
	carried, err := v.labelTypes(first.Next())
	if err != nil {
		return err
	}
	if err := v.ways(t.Len(), carried); err != nil {
		return err
	}
	for t.Len() > 0 {
		types, err := v.labelTypes(t.Next())
		if err != nil {
			return err
		}
		if len(types) != len(carried) {
			return v.fail("a br_table to labels of %d and of %d values", len(carried), len(types))
		}
		if err := v.peekAll(types); err != nil {
			return err
		}
	}
	return nil
}

// peekAll is popAll without taking the values.
func (v *validator) peekAll(types []ValType) *Error {
	stack := v.stack
	err := v.popAll(types)
	v.stack = stack
	return err
}

func (v *validator) call() *Error {
	m := v.p.m
	var t *FuncType
	if v.in.Op == OpCall {
		if int64(v.in.X) >= int64(m.numFuncs()) {
			return v.fail("function %d does not exist, there are %d", v.in.X, m.numFuncs())
		}
		t = &m.Types[m.typeOf(v.in.X)]
	} else {
		if int64(v.in.X) >= int64(len(m.Types)) {
			return v.fail("type %d does not exist, there are %d", v.in.X, len(m.Types))
		}
		elem, err := v.tableType(v.in.Y)
		if err != nil {
			return err
		}
		if elem != FuncRef {
			return v.fail("a call through table %d, which holds %s", v.in.Y, elem)
		}
		if err := v.pop(I32); err != nil {
			return err
		}
		t = &m.Types[v.in.X]
	}
	if err := v.popAll(t.Params); err != nil {
		return err
	}
	if err := v.ways(1, t.Params); err != nil {
		return err
	}
	return v.pushAll(t.Results)
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
