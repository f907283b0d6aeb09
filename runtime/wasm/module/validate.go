package module

// anyType is the type of a value in code that is never reached.
const anyType ValType = 0

// frame is a block that the instruction at hand lies in.
type frame struct {
	op     Op
	params []ValType
	ends   []ValType // results
	height int       // of the operand stack below it
	dead   bool      // what follows in it is never reached
}

// label is what a branch to the frame carries.
func (f *frame) label() []ValType {
	if f.op == OpLoop {
		return f.params
	}
	return f.ends
}

// validator checks function bodies by the algorithm of the specification's
// appendix. It is used for one body after another and keeps its stacks.
type validator struct {
	p      *parser
	in     Instr
	locals []ValType // parameters first
	stack  []ValType
	frames []frame
	most   int // greatest height of stack
	work   int // what compiling the body costs
	blocks int
}

// functionBody reads one entry of the code section.
func (p *parser) functionBody() *Error {
	at := p.at
	if p.bodies == len(p.m.Funcs) {
		return fail(at, "more functions have code than the %d that are declared", p.bodies)
	}
	size, err := p.u32()
	if err != nil {
		return err
	}
	if int64(size) > int64(p.limits.BodySize) {
		return fail(at, "function %d has %d bytes, at most %d are allowed: split it", p.m.ImportedFuncs+p.bodies, size, p.limits.BodySize)
	}
	if int64(size) > int64(len(p.code)-p.at) {
		return fail(at, "function %d has %d bytes, only %d are left", p.m.ImportedFuncs+p.bodies, size, len(p.code)-p.at)
	}
	b := &p.m.Funcs[p.bodies]
	p.bodies++
	b.Offset, b.Size = p.at, int(size)
	section := p.code
	p.code = p.code[:p.at+b.Size]
	if err := p.body.run(b); err != nil {
		return err
	}
	p.code = section
	return nil
}

func (v *validator) run(b *Body) *Error {
	t := &v.p.m.Types[b.Type]
	v.locals, v.work, v.blocks = append(v.locals[:0], t.Params...), 0, 0
	if err := v.readLocals(); err != nil {
		return err
	}
	v.work = len(v.locals)
	b.Locals = len(v.locals) - len(t.Params)
	b.Instrs = v.p.at
	v.stack, v.frames, v.most = v.stack[:0], v.frames[:0], 0
	v.frames = append(v.frames, frame{op: OpBlock, ends: t.Results})
	for len(v.frames) > 0 {
		if v.p.at >= len(v.p.code) {
			return fail(v.p.at, "the code of a function ends before its last end")
		}
		d, err := v.p.read(&v.in)
		if err != nil {
			return err
		}
		if err := v.instr(d); err != nil {
			return err
		}
	}
	if v.p.at != len(v.p.code) {
		return fail(v.p.at, "%d bytes follow a function's last end", len(v.p.code)-v.p.at)
	}
	b.Stack, b.Work = v.most, v.work
	err := v.affordable()
	v.p.work += v.work
	return err
}

func (v *validator) readLocals() *Error {
	p := v.p
	groups, err := p.count("groups of locals", p.limits.Locals, 2)
	if err != nil {
		return err
	}
	for range groups {
		n, err := p.u32()
		if err != nil {
			return err
		}
		t, err := p.valType()
		if err != nil {
			return err
		}
		if int64(len(v.locals))+int64(n) > int64(p.limits.Locals) {
			return fail(p.at, "%d locals in a function, at most %d are allowed: split it", int64(len(v.locals))+int64(n), p.limits.Locals)
		}
		for range n {
			v.locals = append(v.locals, t)
		}
	}
	return nil
}

// instr checks the instruction v.in.
func (v *validator) instr(d *info) *Error {
	v.work += int(d.work)
	if !d.simple {
		return v.special()
	}
	if d.imm != ImmNone {
		if err := v.refers(d); err != nil {
			return err
		}
	}
	for i := int(d.nparam) - 1; i >= 0; i-- {
		if err := v.pop(d.params[i]); err != nil {
			return err
		}
	}
	if d.result != 0 {
		return v.push(d.result)
	}
	return nil
}

func (v *validator) push(t ValType) *Error {
	v.stack = append(v.stack, t)
	if len(v.stack) > v.most {
		v.most = len(v.stack)
		if v.most > v.p.limits.Stack {
			return v.fail("more than %d values on the stack of operands: split the function", v.p.limits.Stack)
		}
	}
	return nil
}

func (v *validator) pushAll(types []ValType) *Error {
	for _, t := range types {
		if err := v.push(t); err != nil {
			return err
		}
	}
	return nil
}

// pop takes a value of a type.
func (v *validator) pop(want ValType) *Error {
	f := &v.frames[len(v.frames)-1]
	n := len(v.stack)
	if n == f.height {
		if f.dead {
			return nil
		}
		return v.fail("%s needs a value of type %s, the stack is empty", v.in.Op, want)
	}
	if have := v.stack[n-1]; have != want && have != anyType {
		return v.fail("%s needs a value of type %s, there is one of %s", v.in.Op, want, have)
	}
	v.stack = v.stack[:n-1]
	return nil
}

// popAny takes a value of whatever type, which is anyType in dead code.
func (v *validator) popAny() (ValType, *Error) {
	f := &v.frames[len(v.frames)-1]
	n := len(v.stack)
	if n == f.height {
		if f.dead {
			return anyType, nil
		}
		return 0, v.fail("%s needs a value, the stack is empty", v.in.Op)
	}
	t := v.stack[n-1]
	v.stack = v.stack[:n-1]
	return t, nil
}

func (v *validator) popAll(types []ValType) *Error {
	for i := len(types) - 1; i >= 0; i-- {
		if err := v.pop(types[i]); err != nil {
			return err
		}
	}
	return nil
}

// dead says that what follows in the innermost block is never reached.
func (v *validator) dead() {
	f := &v.frames[len(v.frames)-1]
	v.stack = v.stack[:f.height]
	f.dead = true
}

func (v *validator) enter(op Op, params, ends []ValType) *Error {
	if len(v.frames) >= v.p.limits.Depth {
		return v.fail("blocks more than %d deep: split the function", v.p.limits.Depth)
	}
	v.frames = append(v.frames, frame{op: op, params: params, ends: ends, height: len(v.stack)})
	return v.pushAll(params)
}

// leave closes the innermost block, whose results must lie on the stack.
func (v *validator) leave() (frame, *Error) {
	f := v.frames[len(v.frames)-1]
	if err := v.popAll(f.ends); err != nil {
		return f, err
	}
	if len(v.stack) != f.height {
		return f, v.fail("%d values are left over at the end of a block", len(v.stack)-f.height)
	}
	v.frames = v.frames[:len(v.frames)-1]
	return f, nil
}

func (v *validator) fail(format string, args ...any) *Error {
	return fail(v.in.Offset, format, args...)
}
