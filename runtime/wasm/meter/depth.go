package meter

import "livelab/runtime/wasm/module"

// staticDepth is the most stack, in bytes, that a function and all that it
// calls may need without being counted at run time.
const staticDepth = 4 << 10

// hostFrame is what calling out of the module puts on its stack.
const hostFrame = 512

// The states of a function in the walk over the call graph.
const (
	unseen byte = iota
	open
	closed
)

// depths decides which functions count their stack at run time, and what each
// of them takes: its frame and the deepest of the callees that do not count.
type depths struct {
	m     *module.Module
	funcs []function
	state []byte
	below []int64 // deepest callee that does not count, for the walk's state
	next  []int   // callee to look at next
}

func countStack(m *module.Module, funcs []function) {
	d := &depths{
		m: m, funcs: funcs, state: make([]byte, len(funcs)),
		below: make([]int64, len(funcs)), next: make([]int, len(funcs)),
	}
	var path []int
	for i := range funcs {
		if d.state[i] == unseen {
			path = d.walk(append(path[:0], i))
		}
	}
}

// walk goes depth first with a path of its own: a chain of calls may be longer
// than a stack is deep.
func (d *depths) walk(path []int) []int {
	d.state[path[0]] = open
	for len(path) > 0 {
		i := path[len(path)-1]
		f := &d.funcs[i]
		if d.next[i] == len(f.callees) {
			path = path[:len(path)-1]
			d.close(i)
			continue
		}
		callee := int(f.callees[d.next[i]]) - d.m.ImportedFuncs
		if callee >= 0 && d.state[callee] == unseen {
			d.state[callee] = open
			path = append(path, callee)
			continue
		}
		d.next[i]++
		d.callee(i, callee)
	}
	return path
}

// callee that is open calls its caller in the end.
func (d *depths) callee(i, callee int) {
	switch {
	case callee < 0:
		d.below[i] = max(d.below[i], hostFrame)
	case d.state[callee] == open || d.funcs[callee].counted:
		d.funcs[i].counted = true
	default:
		d.below[i] = max(d.below[i], d.funcs[callee].take)
	}
}

func (d *depths) close(i int) {
	f := &d.funcs[i]
	d.state[i] = closed
	f.take = f.frame + d.below[i]
	f.counted = f.counted || f.indirect || f.take > staticDepth
}
