package features

import (
	"math"
	"runtime"
	"sync"

	"livelab/pipeline/observation"
)

// walk makes the rows of stations, forward in time. Training walks from the
// start of a history to its end, and serving goes one step at each snapshot.
type walk struct {
	task     Task
	timeline *timeline
	shown    []*shown
	near     [][]int32
	walkers  []walker // of each station
	network  ofNetwork
	sums     []sum // of each outcome of the timeline
	entered  int   // outcomes that the tallies have taken in,
	left     int   // and those that they have given up
	workers  int

	enter, leave []pair // scratch, station by station
}

// walker is where the walk is in one station's past.
type walker struct {
	look                [looks]place
	label               place
	enterNow, enterThen place
	leaveNow, leaveThen place
	spells              spells
	settled             bool // the tally is of the place that it is at
	tally               ofStation
}

// pair is a station's bikes at the start and the end of an outcome.
type pair struct{ now, then int32 }

func newWalk(task Task, list []observation.Station, tl *timeline) *walk {
	w := &walk{task: task, timeline: tl, walkers: make([]walker, len(list)), near: nearby(list), workers: runtime.GOMAXPROCS(0)}
	for i, s := range list {
		w.shown = append(w.shown, newShown(&task, s))
		w.walkers[i].spells = spells{short: never, not: never}
	}
	return w
}

// catchUp takes in what came before the first row, piece by piece.
func (w *walk) catchUp(m moment) {
	const piece = 256
	w.entered, w.left = m.left, m.left
	w.sums = make([]sum, m.left)
	for w.entered < m.entered {
		step := m
		step.entered = min(w.entered+piece, m.entered)
		w.advance([]moment{step}, nil)
	}
}

// advance moves on to each of the moments and fills the rows of out: one for
// each station at each moment, in this order. A nil out takes none.
func (w *walk) advance(ms []moment, out *stationColumns) {
	last := &ms[len(ms)-1]
	entering, leaving := last.entered-w.entered, last.left-w.left
	w.enter = grow(w.enter, entering*len(w.shown))
	w.leave = grow(w.leave, leaving*len(w.shown))
	w.sums = append(w.sums, make([]sum, entering)...)
	sums := w.sums[w.entered:]
	var mu sync.Mutex
	w.parallel(func(lo, hi int) {
		part := make([]sum, entering)
		for s := lo; s < hi; s++ {
			w.outcomes(s, entering, leaving, part)
			if out != nil {
				w.present(s, ms, out)
			}
		}
		mu.Lock()
		defer mu.Unlock()
		for k := range part {
			sums[k].merge(&part[k], 1)
		}
	})
	w.priors(ms, out)
	w.parallel(func(lo, hi int) {
		for s := lo; s < hi; s++ {
			w.past(s, ms, entering, leaving, out)
			if out != nil {
				w.around(s, ms, out)
			}
		}
	})
	w.entered, w.left = last.entered, last.left
}

func grow(s []pair, n int) []pair {
	if n > cap(s) {
		return make([]pair, n)
	}
	return s[:n]
}

// parallel has workers do ranges of the stations.
func (w *walk) parallel(do func(lo, hi int)) {
	n, workers := len(w.shown), w.workers
	var wg sync.WaitGroup
	for k := range workers {
		if lo, hi := n*k/workers, n*(k+1)/workers; lo < hi {
			wg.Go(func() { do(lo, hi) })
		}
	}
	wg.Wait()
}

// outcomes looks up what became of a station within the outcomes that come
// into the window and leave it, and adds the former to sums.
func (w *walk) outcomes(s, entering, leaving int, sums []sum) {
	x, wk, all := w.shown[s], &w.walkers[s], w.timeline.outcomes
	enter, leave := w.enter[s*entering:(s+1)*entering], w.leave[s*leaving:(s+1)*leaving]
	for k, o := range all[w.entered : w.entered+entering] {
		enter[k] = pair{x.bikes(&wk.enterNow, o.at, o.labelAt), x.bikes(&wk.enterThen, o.labelAt, o.labelAt)}
		if enter[k].known() {
			sums[k].add(w.outcome(enter[k]))
		}
	}
	for k, o := range all[w.left : w.left+leaving] {
		leave[k] = pair{x.bikes(&wk.leaveNow, o.at, o.labelAt), x.bikes(&wk.leaveThen, o.labelAt, o.labelAt)}
	}
}

func (p pair) known() bool { return p.now >= 0 && p.then >= 0 }

func (w *walk) outcome(p pair) bikesOutcome {
	k := int32(w.task.Target.Bikes)
	return bikesOutcome{now: p.now, then: p.then, group: bikeGroup(p.now - k), short: p.then <= k, calm: p.now > k}
}

// priors moves the network's outcomes along, and counts the stations that are
// short.
func (w *walk) priors(ms []moment, out *stationColumns) {
	entered, left, all := w.entered, w.left, w.timeline.outcomes
	for i := range ms {
		m := &ms[i]
		for ; entered < m.entered; entered++ {
			w.network.merge(1, all[entered].hours, &w.sums[entered])
		}
		for ; left < m.left; left++ {
			w.network.merge(-1, all[left].hours, &w.sums[left])
		}
		if out != nil {
			m.prior = w.network.prior(m.hours)
			n := len(w.shown)
			m.short = w.share(out.free[i*n : (i+1)*n])
			m.short1 = w.share(out.lag60[i*n : (i+1)*n])
		}
	}
}

// share is the share of stations that are short, of those that are known.
func (w *walk) share(bikes []float64) float64 {
	var c count
	for _, b := range bikes {
		if !math.IsNaN(b) {
			c.add(1, b <= float64(w.task.Target.Bikes))
		}
	}
	return float64(c.short) / float64(c.rows)
}

// past moves a station's own outcomes along, and fills what they tell.
func (w *walk) past(s int, ms []moment, entering, leaving int, out *stationColumns) {
	x, wk, all := w.shown[s], &w.walkers[s], w.timeline.outcomes
	enter, leave := w.enter[s*entering:(s+1)*entering], w.leave[s*leaving:(s+1)*leaving]
	entered, left := w.entered, w.left
	for i := range ms {
		m := &ms[i]
		if !wk.settled && m.unix >= x.since {
			wk.tally, wk.settled = ofStation{}, true
		}
		for ; entered < m.entered; entered++ {
			o, p := &all[entered], enter[entered-w.entered]
			if p.known() && !x.apart(o.at, m.unix) {
				wk.tally.add(1, o.hours, w.outcome(p))
			}
		}
		for ; left < m.left; left++ {
			o, p := &all[left], leave[left-w.left]
			if p.known() && !x.apart(o.at, m.unix) {
				wk.tally.add(-1, o.hours, w.outcome(p))
			}
		}
		if out != nil {
			out.past(i*len(w.shown)+s, &wk.tally, m, int32(w.task.Target.Bikes))
		}
	}
}
