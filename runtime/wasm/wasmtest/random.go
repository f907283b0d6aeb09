package wasmtest

import (
	"fmt"
	"math/rand/v2"
)

// Steps is the exported global, a mutable i32, by which every function of a
// random module ends: each entry and each pass of a loop takes one, and below
// zero the function returns.
const Steps = "steps"

// RandomFunc is a function that a random module exports.
type RandomFunc struct {
	Name            string
	Params, Results Types
}

// Random is a valid module out of a seed, and what it exports beside its
// memory, its globals g0, g1 and so on, and Steps. It has most of what code
// can consist of: nested blocks with parameters and results, loops, br_table,
// direct, indirect and recursive calls, dead code, bulk memory and tables,
// vectors. It may trap. NaNs are made canonical where they come up, so that
// two engines agree to the bit.
func Random(seed uint64) ([]byte, []RandomFunc) {
	g := &generator{Rand: rand.New(rand.NewPCG(seed, 1)), b: New()}
	g.b.Export("memory", KindMemory, g.b.Memory(1, 2+g.IntN(3)))
	g.b.Table(FuncRef, tableSize, tableSize)
	g.steps = g.b.Global(I32, true, I32Const(0))
	g.b.Export(Steps, KindGlobal, g.steps)
	for i, t := range []byte(scalars) {
		g.globals = append(g.globals, g.b.Global(Types([]byte{t}), true, constant(t, int64(i))))
		g.b.Export(fmt.Sprintf("g%d", i), KindGlobal, g.globals[i])
	}
	for i := range 2 + g.IntN(6) {
		f := RandomFunc{Name: fmt.Sprintf("f%d", i), Params: g.types(3), Results: g.types(2)}
		g.funcs = append(g.funcs, f)
		g.b.ExportFunc(f.Name, g.b.Declare(f.Params, f.Results))
	}
	g.data = g.b.DataPassive("some bytes that are in a segment of data")
	elems := make([]uint32, tableSize/2)
	for i := range elems {
		elems[i] = uint32(g.IntN(len(g.funcs)))
	}
	g.b.Elem(I32Const(0), elems...)
	g.elems = g.b.ElemPassive(elems...)
	for i := range g.funcs {
		g.define(uint32(i))
	}
	return g.b.Bytes(), g.funcs
}

const (
	tableSize = 8
	scalars   = I32 + I64 + F32 + F64
	// each function has this many locals of each scalar type beside its
	// parameters, and one more float of each type for canonical NaNs
	perType = 3
)

type generator struct {
	*rand.Rand
	b           *Builder
	funcs       []RandomFunc
	globals     []uint32 // in the order of scalars
	steps       uint32
	data, elems uint32

	// of the current function
	fn     RandomFunc
	vars   map[byte][]uint32 // locals by type
	canon  map[byte]uint32
	labels []Types // what a branch to each open block takes with it
	size   int     // pieces still to be made
}

func (g *generator) types(n int) Types {
	var out Types
	for range g.IntN(n + 1) {
		out += Types([]byte{g.scalar()})
	}
	return out
}

func (g *generator) scalar() byte { return scalars[g.IntN(len(scalars))] }

func (g *generator) define(fn uint32) {
	g.fn, g.size = g.funcs[fn], 20+g.IntN(120)
	g.vars, g.canon = map[byte][]uint32{}, map[byte]uint32{}
	next := uint32(0)
	for _, t := range []byte(g.fn.Params) {
		g.vars[t] = append(g.vars[t], next)
		next++
	}
	var locals Types
	for _, t := range []byte(scalars) {
		for range perType {
			g.vars[t] = append(g.vars[t], next)
			locals += Types([]byte{t})
			next++
		}
	}
	locals += F32 + F64
	g.canon[F32[0]], g.canon[F64[0]] = next, next+1
	g.labels = []Types{g.fn.Results}
	body := g.step() + g.statements(5)
	if g.IntN(4) == 0 {
		body += g.leave() + g.dead()
	} else {
		body += g.values(g.fn.Results, 3)
	}
	g.b.Define(fn, locals, body)
}

// step takes one of the steps, and returns where there are none left.
func (g *generator) step() Code {
	var zero Code
	for _, t := range []byte(g.fn.Results) {
		zero += constant(t, 0)
	}
	return GlobalGet(g.steps) + I32Const(1) + I32Sub + GlobalSet(g.steps) +
		GlobalGet(g.steps) + I32Const(0) + I32LtS + If(Empty, zero, Return)
}

func (g *generator) statements(depth int) Code {
	var out Code
	for range 1 + g.IntN(5) {
		out += g.statement(depth)
	}
	return out
}

// statement leaves the stack as it is.
func (g *generator) statement(depth int) Code {
	if g.size--; g.size < 0 || depth == 0 {
		return Nop
	}
	switch g.IntN(14) {
	case 0, 1:
		return g.assign(g.scalar(), depth)
	case 2:
		i := g.IntN(len(scalars))
		return g.value(scalars[i], depth) + GlobalSet(g.globals[i])
	case 3:
		return g.store(depth)
	case 4, 5:
		return g.block(depth)
	case 6, 7:
		return g.loop(depth)
	case 8:
		return g.branch(depth)
	case 9:
		return g.value(I32[0], depth) + g.inside(None, func() Code {
			return If(Empty, g.statements(depth-1)+g.leave()+g.dead())
		})
	case 10:
		return g.call(depth)
	case 11:
		return g.bulk()
	case 12:
		return g.table()
	}
	return g.value(I32[0], depth) + g.inside(None, func() Code {
		return IfElse(Empty, g.statements(depth-1), g.statements(depth-1))
	})
}

// inside runs make with one more open block, to which a branch takes values.
func (g *generator) inside(carried Types, make func() Code) Code {
	g.labels = append(g.labels, carried)
	defer func() { g.labels = g.labels[:len(g.labels)-1] }()
	return make()
}

// block with parameters and results.
func (g *generator) block(depth int) Code {
	params, results := g.types(2), g.types(2)
	typ := BlockIndex(g.b.Type(params, results))
	body := g.inside(results, func() Code {
		inner := g.drop(params) + g.statements(depth-1)
		if g.IntN(3) == 0 {
			return inner + g.leave() + g.dead()
		}
		return inner + g.values(results, depth-1)
	})
	return g.values(params, depth-1) + Block(typ, body) + g.drop(results)
}

// loop that is left after some passes.
func (g *generator) loop(depth int) Code {
	params := g.types(1)
	typ := BlockIndex(g.b.Type(params, None))
	count := g.vars[I32[0]][g.IntN(len(g.vars[I32[0]]))]
	body := g.inside(params, func() Code {
		return g.drop(params) + g.step() + g.statements(depth-1) +
			g.values(params, 1) + LocalGet(count) + I32Const(1) + I32Sub + LocalTee(count) +
			I32Const(3) + I32And + BrIf(0) + g.drop(params)
	})
	return g.values(params, 1) + Loop(typ, body)
}

// branch on a condition, or by a table among blocks that take nothing.
func (g *generator) branch(depth int) Code {
	if g.IntN(2) == 0 {
		n := g.IntN(len(g.labels))
		carried := g.labels[len(g.labels)-1-n]
		return g.values(carried, 1) + g.value(I32[0], 2) + BrIf(uint32(n)) + g.drop(carried)
	}
	outer := g.inside(None, func() Code {
		inner := g.inside(None, func() Code {
			return g.value(I32[0], 2) + BrTable(uint32(g.IntN(2)), 0, 1, 0) + g.dead()
		})
		return Block(Empty, inner) + g.statements(depth-1)
	})
	return Block(Empty, outer)
}

// leave the current place for good.
func (g *generator) leave() Code {
	switch g.IntN(4) {
	case 0:
		return g.values(g.fn.Results, 1) + Return
	case 1:
		n := g.IntN(len(g.labels))
		return g.values(g.labels[len(g.labels)-1-n], 1) + Br(uint32(n))
	case 2:
		return g.step() + Unreachable
	}
	return g.values(g.labels[len(g.labels)-1], 1) + Br(0)
}

// dead code, where the stack can be anything.
func (g *generator) dead() Code {
	f := uint32(g.IntN(len(g.funcs)))
	all := []Code{
		"", I32Add + Drop, F64Add + Drop, MemoryGrow + Drop, MemoryFill, Select + Drop,
		Call(f) + g.drop(g.funcs[f].Results), Loop(Empty, Br(0)), Loop(Empty, Unreachable, MemoryCopy), Return,
		Block(Empty, Unreachable, BrIf(0)), Block(I64, Unreachable, I64Add) + Drop, Unreachable, LocalGet(g.canon[F64[0]]) + Drop,
	}
	return all[g.IntN(len(all))] + all[g.IntN(len(all))] + Unreachable
}

func (g *generator) drop(types Types) Code {
	var out Code
	for i := len(types) - 1; i >= 0; i-- {
		if g.IntN(2) == 0 {
			out += Drop
		} else {
			out += LocalSet(g.local(types[i]))
		}
	}
	return out
}

func (g *generator) local(t byte) uint32 { return g.vars[t][g.IntN(len(g.vars[t]))] }
