package wasmtest

import "math"

// values of several types, one after another.
func (g *generator) values(types Types, depth int) Code {
	var out Code
	for _, t := range []byte(types) {
		out += g.value(t, depth)
	}
	return out
}

// value of a type on the stack.
func (g *generator) value(t byte, depth int) Code {
	g.size--
	if depth <= 0 || g.size < 0 {
		return g.leaf(t)
	}
	switch g.IntN(10) {
	case 0, 1:
		return g.leaf(t)
	case 2:
		return g.address(depth) + At(loads[t][g.IntN(len(loads[t]))], uint32(g.IntN(64)))
	case 3:
		return g.value(t, depth-1) + g.value(t, depth-1) + g.value(I32[0], depth-1) + Select
	case 4:
		return g.value(I32[0], depth-1) + g.inside(Types([]byte{t}), func() Code {
			return IfElse(Types([]byte{t}), g.statements(depth-1)+g.value(t, depth-1), g.value(t, depth-1))
		})
	case 5:
		return g.convert(t, depth)
	case 6:
		return g.value(t, depth-1) + LocalTee(g.local(t))
	}
	ops := operators[t]
	return g.value(t, depth-1) + g.value(t, depth-1) + ops[g.IntN(len(ops))] + g.canonical(t)
}

func (g *generator) leaf(t byte) Code {
	switch g.IntN(3) {
	case 0:
		return constant(t, int64(g.IntN(300)-20))
	case 1:
		for i := range len(scalars) {
			if scalars[i] == t {
				return GlobalGet(g.globals[i])
			}
		}
	}
	return LocalGet(g.local(t))
}

func constant(t byte, n int64) Code {
	switch Types([]byte{t}) {
	case I32:
		return I32Const(int32(n))
	case I64:
		return I64Const(n)
	case F32:
		return F32Const(float32(n) / 4)
	}
	return F64Const(float64(n) / 4)
}

var loads = map[byte][]Code{
	I32[0]: {I32Load, I32Load8S, I32Load16U},
	I64[0]: {I64Load, I64Load8U, I64Load32S},
	F32[0]: {F32Load},
	F64[0]: {F64Load},
}

var stores = map[byte][]Code{
	I32[0]: {I32Store, I32Store8, I32Store16},
	I64[0]: {I64Store, I64Store8, I64Store32},
	F32[0]: {F32Store},
	F64[0]: {F64Store},
}

// Divisions of integers trap now and then.
var operators = map[byte][]Code{
	I32[0]: {I32Add, I32Sub, I32Mul, I32And, I32Or, I32Xor, I32Shl, I32ShrU, I32Rotl, I32LtS, I32GeU, I32Eq, I32DivS, I32RemU},
	I64[0]: {I64Add, I64Sub, I64Mul, I64And, I64Or, I64Xor, I64ShrS, I64Rotr, I64DivU, I64RemS},
	F32[0]: {F32Add, F32Sub, F32Mul, F32Div, F32Min, F32Copysign},
	F64[0]: {F64Add, F64Sub, F64Mul, F64Div, F64Max, F64Copysign},
}

// canonical replaces any NaN by one.
func (g *generator) canonical(t byte) Code {
	local, float := g.canon[t]
	if !float {
		return ""
	}
	nan, equal := F32Const(math.Float32frombits(0x7fc00000)), F32Eq
	if t == F64[0] {
		nan, equal = F64Bits(0x7ff8000000000000), F64Eq
	}
	return LocalTee(local) + nan + LocalGet(local) + LocalGet(local) + equal + Select
}

// vector multiplies an i32 in each lane by another constant and takes one lane.
var vector = SIMD(0x11) + SIMD(0x0c) + "\x01\x00\x00\x00\x02\x00\x00\x00\x03\x00\x00\x00\x04\x00\x00\x00" +
	SIMD(0xb5) + SIMD(0x1b) + "\x02"

// convert from a value of another type.
func (g *generator) convert(t byte, depth int) Code {
	type from struct {
		types Types
		op    Code
	}
	all := map[byte][]from{
		I32[0]: {
			{I64, I32WrapI64}, {F64, I32TruncSatF64S}, {F32, I32ReinterpretF32}, {I64, I64Eqz}, {F64 + F64, F64Lt},
			{I32, vector}, {None, MemorySize}, {F64, I32TruncF64U},
		},
		I64[0]: {{I32, I64ExtendI32U}, {F64, I64ReinterpretF64}, {F32, I64TruncSatF32U}, {I64, I64Popcnt}},
		F32[0]: {{F64, F32DemoteF64}, {I32, F32ConvertI32S}, {I64, F32ConvertI64U}, {F32, F32Sqrt}},
		F64[0]: {{F32, F64PromoteF32}, {I64, F64ConvertI64S}, {F64, F64Sqrt}, {F64, F64Nearest}},
	}
	c := all[t][g.IntN(len(all[t]))]
	return g.values(c.types, depth-1) + c.op + g.canonical(t)
}

// address is mostly within the first page.
func (g *generator) address(depth int) Code {
	if g.IntN(40) == 0 {
		return g.value(I32[0], depth-1)
	}
	return g.value(I32[0], depth-1) + I32Const(0x7fff) + I32And
}

func (g *generator) store(depth int) Code {
	t := g.scalar()
	return g.address(depth) + g.value(t, depth-1) + At(stores[t][g.IntN(len(stores[t]))], uint32(g.IntN(64)))
}

func (g *generator) assign(t byte, depth int) Code {
	return g.value(t, depth) + LocalSet(g.local(t))
}

func (g *generator) call(depth int) Code {
	i := g.IntN(len(g.funcs))
	f := g.funcs[i]
	args := g.values(f.Params, depth-1)
	if g.IntN(4) > 0 { // an indirect one mostly traps
		return args + Call(uint32(i)) + g.drop(f.Results)
	}
	return args + g.value(I32[0], 1) + I32Const(tableSize-1) + I32And +
		CallIndirect(g.b.Type(f.Params, f.Results), 0) + g.drop(f.Results)
}

// bulk memory instruction, mostly within the first page.
func (g *generator) bulk() Code {
	length := g.value(I32[0], 1) + I32Const(0xfff) + I32And
	switch g.IntN(4) {
	case 0:
		return g.address(1) + g.value(I32[0], 1) + length + MemoryFill
	case 1:
		return g.address(1) + g.address(1) + length + MemoryCopy
	case 2:
		return g.address(1) + I32Const(int32(g.IntN(8))) + I32Const(int32(g.IntN(32))) + MemoryInit(g.data)
	}
	return g.value(I32[0], 1) + I32Const(1) + I32And + MemoryGrow + LocalSet(g.local(I32[0]))
}

// table instruction, mostly within the table.
func (g *generator) table() Code {
	within := func() Code { return g.value(I32[0], 1) + I32Const(tableSize/2-1) + I32And }
	switch g.IntN(5) {
	case 0:
		return within() + within() + within() + TableCopy(0, 0)
	case 1:
		return within() + I32Const(0) + within() + TableInit(g.elems, 0)
	case 2:
		return within() + RefFunc(uint32(g.IntN(len(g.funcs)))) + within() + TableFill(0)
	case 3:
		return within() + within() + TableGet(0) + TableSet(0)
	}
	return within() + TableGet(0) + RefIsNull + LocalSet(g.local(I32[0]))
}
