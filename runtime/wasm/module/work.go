package module

import "strings"

// The estimate of what compiling a function costs. An optimising compiler
// gives each local a new value wherever two ways through the code meet, keeps
// track of which values are alive on each way, and goes over all blocks for
// each loop and each allocation of registers. So the cost is not in the bytes:
// a file of 16 KB with 1,000 locals and 2,000 branches keeps wazero busy for 10
// seconds and fills 570 MB. The estimate is the sum of
//
//   - the weight of each instruction,
//   - for each way through the code (a block, a branch, a label of a br_table,
//     a call) the values that it carries: locals, operands, and wayWork,
//   - the square of the number of blocks, divided by 2*blockShare.
//
// A call counts as a branch, since metering puts one beside it.
const (
	wayWork    = 4
	blockShare = 32
)

// weight of an instruction by how much machine code it becomes: a bounds check
// for a load, a call into the host for the bulk operations.
func (in *info) weight() int {
	switch in.imm {
	case ImmMem, ImmMemLane:
		return 4
	case ImmIndices, ImmData, ImmMemories:
		return 16
	}
	for _, part := range []string{".div", ".rem", ".trunc", ".fill"} {
		if strings.Contains(in.name, part) {
			return 4
		}
	}
	return 1
}

// ways counts n ways through the code that carry values of the given types
// beside the locals and operands.
func (v *validator) ways(n int, types []ValType) *Error {
	v.work += n*(wayWork+len(v.locals)+len(v.stack)+len(types)) + v.blocks/blockShare
	v.blocks++
	return v.affordable()
}

func (v *validator) affordable() *Error {
	p := v.p
	if v.work > p.limits.FunctionWork {
		return v.fail("function %d is too hard to compile: at most %d units of work are allowed; split it, it has %d locals and many branches",
			p.m.ImportedFuncs+p.bodies-1, p.limits.FunctionWork, len(v.locals))
	}
	if p.work+v.work > p.limits.Work {
		return v.fail("the module is too hard to compile: at most %d units of work are allowed; leave code out or let the compiler optimise it", p.limits.Work)
	}
	return nil
}
