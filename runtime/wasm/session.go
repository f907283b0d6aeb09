package wasm

import (
	"errors"
	"fmt"
	"sync"

	"livelab/pipeline/features"
	"livelab/plugins/abi"
)

// A session is one Apply: columns, what may go wrong in it, and what did.
// Several workers share it.
type session struct {
	judge   *judge
	pool    *pool
	stats   *counters
	in, out [][]float64
	rows    int

	policy    Policy
	maxWasted int64       // fuel of what came to nothing, besides wasteShare; 0 for as much as it may
	maxFuel   int64       // of all calls and instances, 0 for as much as they may
	bad       map[int]int // where not nil, collects the rows that failed by cause + 1

	mu     sync.Mutex
	next   int // the first row that nobody has taken
	chunk  int // rows of the next call
	streak int // calls of so many that succeeded one after another
	widest int // rows of any call
	wasted int64
	useful int64              // fuel of calls that succeeded
	judged int                // rows in them
	making int64              // fuel of instances made anew
	first  *features.RowError // of those that failed, the lowest
	err    error
}

// What may come to nothing in one Apply: fuel whatever its rows, fuel for each
// row, and so many times what succeeded. So a caller waits for a module whose
// rows fail not much longer than for one of the same price whose rows succeed,
// and all rows may fail where failing is cheap: an instance takes 100,000 to make
// anew.
const (
	freeWaste   = 300_000_000
	wastePerRow = 150_000
	wasteShare  = 4
)

// errFuel is the error of a session that spent more than its maxFuel.
var errFuel = errors.New("it spent more than its fuel")

// claim the next rows to judge; none where all are taken or the session failed.
func (s *session) claim() (lo, hi int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		return 0, 0
	}
	lo = s.next
	s.next = min(lo+s.chunk, s.rows)
	return lo, s.next
}

// work off chunks until there are none.
func (s *session) work() {
	for {
		lo, hi := s.claim()
		if lo == hi {
			return
		}
		g, err := s.pool.take()
		if err == nil {
			g, err = s.run(g, lo, hi)
			s.pool.put(g)
		}
		if err != nil {
			s.stop(err)
		}
	}
}

// stop the session. Rows below the one that failed have been taken before it,
// and are judged to the end: which row an error names does not hang on chance.
func (s *session) stop(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r := (*features.RowError)(nil); s.policy == Fail && errors.As(err, &r) {
		err = s.first
	}
	s.err = err
}

// run judges rows in one call where that goes well, else in halves. The
// instance that comes back is nil after a trap.
//
// A row is judged by what a call of it alone may spend. A batch that spent
// more may hold a row that is too dear, and is judged again in halves: what
// comes out never depends on how rows were put together.
func (s *session) run(g *instance, lo, hi int) (_ *instance, err error) {
	n := hi - lo
	if n > s.most() {
		return s.halves(g, lo, hi)
	}
	if g == nil {
		if g, err = s.remake(); err != nil {
			return g, err
		}
	}
	room, err := n, error(nil)
	if n > 1 {
		room, err = g.room()
	}
	if err == nil && n > room {
		s.narrow(room)
		return s.halves(g, lo, hi)
	}
	o := outcome{failed: true, trapped: true, cause: Trapped}
	if err == nil {
		o = s.judge.callBatch(g, s.in, s.out, lo, hi)
	}
	if g, err = s.settle(g, o); err != nil {
		return g, err
	}
	if !o.failed && (n == 1 || o.spent <= s.judge.alone()) {
		s.fitted(n, o.spent)
		if o.misfit {
			err = s.sift(lo, hi)
		}
		return g, err
	}
	if err := s.waste(o.spent); err != nil {
		return g, err
	}
	if n == 1 {
		return g, s.fail(lo, o)
	}
	s.unfit(n)
	return s.halves(g, lo, hi)
}

func (s *session) halves(g *instance, lo, hi int) (_ *instance, err error) {
	middle := lo + (hi-lo)/2
	if g, err = s.run(g, lo, middle); err != nil {
		return g, err
	}
	return s.run(g, middle, hi)
}

// sift fails the rows that have a wrong value, each once and in order.
func (s *session) sift(lo, hi int) error {
	for row := lo; row < hi; row++ {
		for c, column := range s.out {
			if s.judge.fits(c, column[row]) {
				continue
			}
			if err := s.fail(row, s.judge.wrong(c, column[row])); err != nil {
				return err
			}
			break
		}
	}
	return nil
}

// fail a row: its outputs are missing.
func (s *session) fail(row int, o outcome) error {
	for _, column := range s.out {
		column[row] = missing
	}
	s.stats.failed[o.cause].Add(1)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.bad != nil {
		s.bad[row] = int(o.cause) + 1
	}
	if s.first == nil || row < s.first.Row {
		s.first = &features.RowError{Transform: s.judge.description.Name, Row: row, Reason: o.reason}
	}
	if s.policy == Fail {
		return s.first
	}
	return nil
}

// shape checks that columns are as many as named, all of one length.
func shape(d abi.Description, in, out [][]float64) (rows int, err error) {
	if len(in) != len(d.Inputs) || len(out) != len(d.Outputs) {
		return 0, fmt.Errorf("%d and %d columns for %d inputs and %d outputs of transform %s", len(in), len(out), len(d.Inputs), len(d.Outputs), d.Name)
	}
	rows = len(in[0])
	for _, columns := range [][][]float64{in, out} {
		for _, c := range columns {
			if len(c) != rows {
				return 0, fmt.Errorf("columns of %d and %d rows for transform %s", rows, len(c), d.Name)
			}
		}
	}
	return rows, nil
}
