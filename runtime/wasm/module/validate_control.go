package module

import "slices"

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
