package features

import (
	"math"
	"slices"
	"sort"
	"time"

	"livelab/pipeline/observation"
)

// trailing is the quantile of free_ratio over a trailing window that moves
// forward in time: (t - window, t].
type trailing struct {
	quantile   float64
	window     time.Duration
	points     []observation.Totals
	first, end int       // points[first:end] is in the window
	sorted     []float64 // their ratios
}

func newTrailing(task Task, points []observation.Totals) *trailing {
	return &trailing{
		quantile: task.Target.Quantile,
		window:   time.Duration(task.Target.WindowDays) * day,
		points:   points,
	}
}

// at moves the window to t, which must not go back, and gives the quantile:
// NaN for a task without one, and where the window holds too few points.
func (w *trailing) at(t time.Time) float64 {
	if w.window == 0 {
		return math.NaN()
	}
	for ; w.end < len(w.points) && !w.points[w.end].At.After(t); w.end++ {
		enters := w.points[w.end].FreeRatio()
		if w.leaves(t) {
			w.replace(w.points[w.first].FreeRatio(), enters)
			w.first++
			continue
		}
		w.sorted = slices.Insert(w.sorted, w.search(enters), enters)
	}
	for ; w.leaves(t); w.first++ {
		i := w.search(w.points[w.first].FreeRatio())
		w.sorted = slices.Delete(w.sorted, i, i+1)
	}
	if len(w.sorted) < leastWindow {
		return math.NaN()
	}
	return quantile(w.sorted, w.quantile)
}

// leaves reports whether the oldest point is no longer in the window of t.
func (w *trailing) leaves(t time.Time) bool {
	return w.first < w.end && t.Sub(w.points[w.first].At) >= w.window
}

// replace takes one value out and puts another one in. Mostly they come in
// pairs, and only what lies between the two has to move.
func (w *trailing) replace(old, value float64) {
	i, j := w.search(old), w.search(value)
	if i < j {
		copy(w.sorted[i:], w.sorted[i+1:j])
		w.sorted[j-1] = value
		return
	}
	copy(w.sorted[j+1:], w.sorted[j:i])
	w.sorted[j] = value
}

// search gives the number of values that are less than v.
func (w *trailing) search(v float64) int {
	return sort.Search(len(w.sorted), func(i int) bool { return w.sorted[i] >= v })
}

// quantile interpolates linearly between the sorted values (Hyndman and Fan,
// 1996, type 7).
func quantile(sorted []float64, p float64) float64 {
	position := float64(p * float64(len(sorted)-1))
	i := int(math.Floor(position))
	if i+1 >= len(sorted) {
		return sorted[len(sorted)-1]
	}
	fraction := position - float64(i)
	return sorted[i] + float64(fraction*(sorted[i+1]-sorted[i]))
}
