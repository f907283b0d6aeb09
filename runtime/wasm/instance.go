package wasm

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"unicode"

	"github.com/tetratelabs/wazero/api"

	"livelab/plugins/abi"
)

// An instance of a module with buffers for its columns. One goroutine uses it
// at a time. After a trap it must be closed.
type instance struct {
	module    api.Module
	memory    api.Memory
	fuel      api.MutableGlobal
	stack     api.MutableGlobal
	alloc     api.Function
	transform api.Function
	failure   api.Function // nil where the module has no messages

	ctx     context.Context // of calls; leads the stubs back here
	start   int64           // fuel left for what is no row: initialising, describing, buffers
	started int64           // fuel that it spent to start
	making  int64           // fuel that making another is worth besides
	depth   int64           // of each call
	args    [3]uint64
	console console // all that was printed
	said    console // printed in the last call
	drawn   uint64  // random bytes handed out so far

	inputs, outputs int
	row             buffers
	batch           buffers // none until the first batch; those of a row where there is no room
}

// buffers lie in the guest's memory, for calls of at most rows rows.
type buffers struct {
	in, out uint32
	rows    int
}

// batchBytes bounds both buffers of a batch together.
const batchBytes = 1 << 20

// batchRows is how many rows of a width one call takes at most.
func batchRows(columns int) int {
	return max(1, min(abi.MaxRows, batchBytes/(8*columns)))
}

// spend calls a function with a budget of fuel. A *trap is a call that did not
// return.
func (g *instance) spend(fn api.Function, budget int64, args ...uint64) (spent int64, err error) {
	copy(g.args[:], args)
	return g.run(fn, budget)
}

// run is spend with the arguments in place already.
func (g *instance) run(fn api.Function, budget int64) (spent int64, err error) {
	g.said.reset()
	g.fuel.Set(uint64(budget))
	g.stack.Set(uint64(g.depth))
	err = fn.CallWithStack(g.ctx, g.args[:])
	left := int64(g.fuel.Get())
	if err != nil || left < 0 {
		return budget - left, g.why(err, left, budget)
	}
	return budget - left, nil
}

// why a call did not return.
func (g *instance) why(err error, left, budget int64) error {
	var t *trap
	switch {
	case errors.As(err, &t):
		return t
	case left < 0:
		return &trap{OutOfFuel, fmt.Sprintf("it spent more than %d of fuel: do less work, or raise the budget", budget)}
	case int64(g.stack.Get()) < 0:
		return &trap{TooDeep, fmt.Sprintf("its calls nest deeper than %d of stack: recurse less", g.depth)}
	}
	first, _, _ := strings.Cut(err.Error(), "\n")
	return &trap{Trapped, clean(first, 200) + g.lastWords()}
}

// prepare calls a function that is not about rows. All such calls of an
// instance share one budget.
func (g *instance) prepare(fn api.Function, args ...uint64) error {
	spent, err := g.spend(fn, g.start, args...)
	g.start -= spent
	return err
}

// charge takes fuel for work of the host, and ends the call where there is
// none left.
func (g *instance) charge(fuel int64) {
	left := int64(g.fuel.Get()) - fuel
	g.fuel.Set(uint64(left))
	if left < 0 {
		panic(errOutOfFuel)
	}
}

var errOutOfFuel = errors.New("out of fuel")

// lastWords are the first line that the call printed, for the end of an error.
func (g *instance) lastWords() string {
	printed := strings.TrimSpace(g.said.String())
	if printed == "" {
		return ""
	}
	first, _, _ := strings.Cut(printed, "\n")
	return fmt.Sprintf(" (it printed %q)", clean(first, 200))
}

// allocate a buffer, of which the contract says that it is aligned and lies in
// memory.
func (g *instance) allocate(bytes int) (uint32, error) {
	if err := g.prepare(g.alloc, uint64(bytes)); err != nil {
		return 0, fmt.Errorf("%s of %d bytes: %w", abi.Alloc, bytes, err)
	}
	at := uint32(g.args[0])
	switch _, ok := g.memory.Read(at, uint32(bytes)); {
	case at == 0:
		return 0, &noRoom{bytes}
	case at%abi.Alignment != 0:
		return 0, refuse("%s gave address %d for %d bytes: align it to %d", abi.Alloc, at, bytes, abi.Alignment)
	case !ok:
		return 0, refuse("%s gave address %d for %d bytes, outside of the memory of %d: grow memory first", abi.Alloc, at, bytes, g.memory.Size())
	}
	return at, nil
}

// noRoom is the error where the allocator has no memory left.
type noRoom struct{ bytes int }

func (e *noRoom) Error() string {
	return fmt.Sprintf("%s has no %d bytes to give: let memory grow", abi.Alloc, e.bytes)
}

// reserve buffers for calls of some rows.
func (g *instance) reserve(rows int) (buffers, error) {
	in, err := g.allocate(8 * rows * g.inputs)
	if err != nil {
		return buffers{}, err
	}
	out, err := g.allocate(8 * rows * g.outputs)
	if none := (*noRoom)(nil); errors.As(err, &none) {
		// What was given is not taken back, and may do for fewer rows.
		if rows = rows * g.inputs / (g.inputs + g.outputs); rows > 1 {
			out, err = in+uint32(8*rows*g.inputs), nil
		}
	}
	if err != nil {
		return buffers{}, err
	}
	b := buffers{in: in, out: out, rows: rows}
	if g.overlap(b, b) || g.row.rows > 0 && (g.overlap(b, g.row) || g.overlap(g.row, b)) {
		return buffers{}, refuse("%s gives buffers that overlap: keep those that were given", abi.Alloc)
	}
	return b, nil
}

// overlap reports whether a buffer of a shares bytes with the other one of b.
func (g *instance) overlap(a, b buffers) bool {
	type span struct{ from, to uint64 }
	spans := func(b buffers) [2]span {
		in, out := uint64(b.in), uint64(b.out)
		return [2]span{
			{in, in + 8*uint64(b.rows*g.inputs)},
			{out, out + 8*uint64(b.rows*g.outputs)},
		}
	}
	as, bs := spans(a), spans(b)
	for i, x := range as {
		for j, y := range bs {
			if (a != b || i != j) && x.from < y.to && y.from < x.to {
				return true
			}
		}
	}
	return false
}

// message is why the guest returned other than 0. Asking spends fuel, and may
// end in a trap.
func (g *instance) message(status uint32, budget int64) (text string, spent int64, err error) {
	text = fmt.Sprintf("it returned %d", int32(status))
	if g.failure == nil {
		return text, 0, nil
	}
	if spent, err = g.spend(g.failure, budget); err != nil {
		return text, spent, err
	}
	at, n := uint32(g.args[0]>>32), uint32(g.args[0])
	p, ok := g.memory.Read(at, min(n, abi.MaxMessage))
	if !ok || len(p) == 0 {
		return text, spent, nil
	}
	return text + ": " + clean(string(p), abi.MaxMessage), spent, nil
}

// clean makes one printable line of what a guest says.
func clean(s string, most int) string {
	if len(s) > most {
		s = s[:most]
	}
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
}

// close gives the memory back.
func (g *instance) close() { _ = g.module.Close(context.Background()) }
