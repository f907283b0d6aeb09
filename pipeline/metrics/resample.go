package metrics

import (
	"cmp"
	"math"
	"slices"
)

// cell counts the rows of one day within a step of the curve.
type cell struct {
	day          int32
	hits, misses int32
	first        bool // of its step
}

// cells are in descending order of the score. Neighbouring scores without a
// positive are one step: that leaves the areas under the curves as they are,
// and most scores are such.
func (r *Resampler) cells(proba []float64, outcome []bool) []cell {
	type scored struct {
		p   float64
		row int32
	}
	order := make([]scored, len(proba))
	for i, p := range proba {
		order[i] = scored{p, int32(i)}
	}
	slices.SortFunc(order, func(a, b scored) int { return cmp.Compare(b.p, a.p) })

	cells := make([]cell, 0, len(order))
	of := make([]int, r.days) // the newest cell of each day
	begin, negative := 0, false
	for i := 0; i < len(order); {
		end, hit := i, false
		for ; end < len(order) && order[end].p == order[i].p; end++ {
			hit = hit || outcome[order[end].row]
		}
		if hit || !negative {
			begin = len(cells)
		}
		negative = !hit
		for _, o := range order[i:end] {
			day := r.day[o.row]
			if k := of[day]; k < begin || k >= len(cells) || cells[k].day != day {
				of[day] = len(cells)
				cells = append(cells, cell{day: day, first: len(cells) == begin})
			}
			if c := &cells[of[day]]; outcome[o.row] {
				c.hits++
			} else {
				c.misses++
			}
		}
		i = end
	}
	return cells
}

// area adds up the curves of a resample, step by step.
type area struct {
	hits, misses           int64 // among the rows called so far
	hitsBefore, missBefore int64 // before the step
	precision              float64
	pairs                  int64 // of a positive and a negative in the right order, twice
}

func (a *area) step() {
	if gained := a.hits - a.hitsBefore; gained > 0 {
		a.precision += float64(float64(gained) * (float64(a.hits) / float64(a.hits+a.misses)))
	}
	a.pairs += (a.misses - a.missBefore) * (a.hits + a.hitsBefore)
	a.hitsBefore, a.missBefore = a.hits, a.misses
}

// areas are the areas under the precision-recall and the ROC curve of a
// resample, as curve has them. times says how often it has each day.
func areas(cells []cell, times []uint16) (prAUC, rocAUC float64) {
	var a area
	for i := range cells {
		c := &cells[i]
		if c.first {
			a.step()
		}
		w := int64(times[c.day])
		a.hits += w * int64(c.hits)
		a.misses += w * int64(c.misses)
	}
	a.step()
	if a.hits == 0 {
		return math.NaN(), math.NaN()
	}
	prAUC = a.precision / float64(a.hits)
	if a.misses == 0 {
		return prAUC, math.NaN()
	}
	return prAUC, float64(a.pairs) / (2 * float64(a.hits) * float64(a.misses))
}

// daySums are what one day adds to the scores that are sums.
type daySums struct {
	rows, positives, called, hits int
	squares                       float64
	bins                          [eceBins]float64 // of probability minus outcome
}

func (r *Resampler) sums(proba []float64, outcome []bool, threshold float64) []daySums {
	sums := make([]daySums, r.days)
	for i, p := range proba {
		s, y := &sums[r.day[i]], indicator(outcome[i])
		s.rows++
		if outcome[i] {
			s.positives++
		}
		if p >= threshold {
			s.called++
			if outcome[i] {
				s.hits++
			}
		}
		s.squares += float64((p - y) * (p - y))
		s.bins[bin(p)] += p - y
	}
	return sums
}

func losses(sums []daySums, times []uint16) (f1, brier, ece float64) {
	var all daySums
	for d := range sums {
		s, w := &sums[d], int(times[d])
		all.rows += w * s.rows
		all.positives += w * s.positives
		all.called += w * s.called
		all.hits += w * s.hits
		all.squares += float64(float64(w) * s.squares)
		for b := range s.bins {
			all.bins[b] += float64(float64(w) * s.bins[b])
		}
	}
	f1 = math.NaN()
	if all.positives > 0 {
		f1 = float64(2*all.hits) / float64(all.called+all.positives)
	}
	for _, b := range all.bins {
		ece += math.Abs(b)
	}
	return f1, all.squares / float64(all.rows), ece / float64(all.rows)
}
