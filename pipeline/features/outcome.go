package features

import (
	"math"
	"sort"
	"time"

	"livelab/pipeline/observation"
)

const (
	// leastWindow is the number of points that a trailing quantile is taken
	// from at least.
	leastWindow = 20

	// shrinkage is the number of imagined rows at the overall rate that a
	// climatology starts from: an hour of rows at the default step.
	shrinkage = 6

	hoursOfWeek = 7 * 24

	// changeUnit makes sums of changes exact: they are added up as integers,
	// so that a sum does not depend on where its window began.
	changeUnit = 1 << 40
)

// outcome is what is known afterwards about one time of the past.
type outcome struct {
	at      time.Time
	labelAt time.Time // when the label was observed
	slot    int       // hour of the week of at+h, 0 is Thursday 00:00 UTC
	short   bool
	change  int64 // free_ratio at labelAt less that at at, in 1/changeUnit
}

// outcomes fills the threshold, the labels and the climatology. The threshold
// of a row is made from the points up to its time; its climatology from
// outcomes that were observed strictly before it.
func (b *builder) outcomes() {
	thinned := thin(b.task, b.s.Points)
	history := b.history(thinned)
	thresholds := newTrailing(b.task, thinned)
	climate := newClimatology(b.task, history)
	c := b.columns
	for i, t := range b.at {
		q := thresholds.at(t)
		ratio, free := c["free_ratio"][i], c["free_bikes"][i]
		b.shortNow[i] = b.label(ratio, free, q)
		b.short[i] = Unlabelled
		if j := nearest(b.s.Points, t.Add(b.task.Horizon()), b.task.Tolerance()); j >= 0 {
			b.short[i] = b.label(b.ratioAt(j), float64(b.s.Points[j].FreeBikes), q)
		}
		c[Threshold][i] = q
		c["climatology"][i], c["typical_change"][i] = climate.at(t)
	}
}

// history labels the thinned points. A point without a label is left out.
func (b *builder) history(thinned []observation.Totals) []outcome {
	thresholds := newTrailing(b.task, thinned)
	var out []outcome
	for _, p := range thinned {
		q := thresholds.at(p.At)
		j := nearest(b.s.Points, p.At.Add(b.task.Horizon()), b.task.Tolerance())
		if j < 0 {
			continue
		}
		later := b.s.Points[j]
		label := b.label(later.FreeRatio(), float64(later.FreeBikes), q)
		if label == Unlabelled {
			continue
		}
		out = append(out, outcome{
			at: p.At, labelAt: later.At, slot: hourOfWeek(p.At.Add(b.task.Horizon())), short: label == Short,
			change: int64(math.Round(float64((later.FreeRatio() - p.FreeRatio()) * changeUnit))),
		})
	}
	return out
}

// label applies the target's rule.
func (b *builder) label(ratio, free, threshold float64) Label {
	value, limit := ratio, threshold
	short := value < limit
	if b.task.Target.Kind == AtMost {
		value, limit = free, float64(b.task.Target.Bikes)
		short = value <= limit
	}
	switch {
	case math.IsNaN(value) || math.IsNaN(limit):
		return Unlabelled
	case short:
		return Short
	}
	return NotShort
}

// nearest finds the point nearest to t, the earlier of two, or -1 where none is
// within tolerance.
func nearest(points []observation.Totals, t time.Time, tolerance time.Duration) int {
	i := sort.Search(len(points), func(i int) bool { return !points[i].At.Before(t) })
	best, distance := -1, tolerance
	for _, j := range [...]int{i, i - 1} {
		if j < 0 || j >= len(points) {
			continue
		}
		if d := points[j].At.Sub(t).Abs(); d <= distance {
			best, distance = j, d
		}
	}
	return best
}

func hourOfWeek(t time.Time) int {
	return int(floorDiv(t.Unix(), 3600) % hoursOfWeek)
}

// climatology keeps, over a trailing window, how often each hour of the week
// was short and how free_ratio changed on the way there.
type climatology struct {
	window     time.Duration
	horizon    time.Duration
	history    []outcome
	first, end int // history[first:end] is in the window

	slots [hoursOfWeek]tally
	all   tally
}

type tally struct {
	rows, short, change int64
}

func newClimatology(task Task, history []outcome) *climatology {
	return &climatology{
		window:  time.Duration(task.ClimatologyDays) * day,
		horizon: task.Horizon(),
		history: history,
	}
}

// at moves the window to t, which must not go back.
func (c *climatology) at(t time.Time) (rate, change float64) {
	for c.end < len(c.history) && c.history[c.end].labelAt.Before(t) {
		c.count(c.history[c.end], 1)
		c.end++
	}
	for c.first < c.end && t.Sub(c.history[c.first].at) > c.window {
		c.count(c.history[c.first], -1)
		c.first++
	}
	if c.all.rows == 0 {
		return math.NaN(), math.NaN()
	}
	slot := c.slots[hourOfWeek(t.Add(c.horizon))]
	overallRate := float64(c.all.short) / float64(c.all.rows)
	overallChange := float64(float64(c.all.change)/changeUnit) / float64(c.all.rows)
	n := float64(slot.rows) + shrinkage
	rate = (float64(slot.short) + float64(shrinkage*overallRate)) / n
	change = (float64(float64(slot.change)/changeUnit) + float64(shrinkage*overallChange)) / n
	return rate, change
}

func (c *climatology) count(o outcome, sign int64) {
	for _, t := range [...]*tally{&c.slots[o.slot], &c.all} {
		t.rows += sign
		t.change += sign * o.change
		if o.short {
			t.short += sign
		}
	}
}
