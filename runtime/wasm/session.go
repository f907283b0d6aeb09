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

// most rows that a call takes now.
func (s *session) most() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.chunk
}

// narrow calls to what buffers have room for.
func (s *session) narrow(rows int) {
	s.mu.Lock()
	s.widest, s.chunk = min(s.widest, rows), min(s.chunk, rows)
	s.mu.Unlock()
}

// waste counts fuel of a call that must be judged again, or failed. A module
// that fails slowly would hold up its caller by the number of its rows, times
// the fuel that each may spend.
func (s *session) waste(fuel int64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.wasted += fuel
	if most := s.maxWasted + wasteShare*s.useful; s.maxWasted > 0 && s.wasted > most {
		return refuse("its calls that failed spent more than %d of fuel, %d of it for instances made anew after traps: return an error instead of a trap, and fail early", most, s.making)
	}
	return nil
}

// spent is all fuel, of calls and instances.
func (s *session) spent() int64 { return s.useful + s.wasted }

// remake an instance in place of one that was discarded. There may be one
// beside an error.
func (s *session) remake() (*instance, error) {
	g, err := s.pool.make()
	if err != nil {
		return nil, err
	}
	fuel := g.started + g.making
	s.mu.Lock()
	s.making += fuel
	s.mu.Unlock()
	return g, s.waste(fuel)
}

// settle counts a call, and discards the instance after a trap.
func (s *session) settle(g *instance, o outcome) (*instance, error) {
	s.stats.calls.Add(1)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.maxFuel > 0 && s.spent()+o.spent > s.maxFuel {
		g.close()
		if s.first == nil && o.failed { // for the one who says why
			s.first = &features.RowError{Transform: s.judge.description.Name, Reason: o.reason}
		}
		return nil, errFuel
	}
	if !o.trapped {
		return g, nil
	}
	g.close()
	s.stats.discards.Add(1)
	return nil, nil
}

// fitted counts a call that succeeded, and lets calls grow again where fuel is
// plenty.
func (s *session) fitted(n int, spent int64) {
	s.mu.Lock()
	s.useful += spent
	s.judged += n
	if n == s.chunk && spent <= s.judge.alone()/4 {
		if s.streak++; s.streak > 1 {
			s.chunk, s.streak = min(2*n, s.widest), 0
		}
	}
	s.mu.Unlock()
}

// unfit remembers that a call of n rows costs too much, or has rows that fail:
// where many do, large calls are for nothing.
func (s *session) unfit(n int) {
	s.mu.Lock()
	s.chunk, s.streak = min(s.chunk, n/2), 0
	s.mu.Unlock()
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
