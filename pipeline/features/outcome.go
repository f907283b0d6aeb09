package features

import (
	"math"
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
	thresholds := newTrailing(b.task, thinned)
	climate := newClimatology(b.task, make([]outcome, 0, len(thinned)))
	later, ahead := newCursor(b.pointAt), newCursor(b.pointAt)
	ratio, free, threshold := b.columns["free_ratio"], b.columns["free_bikes"], b.columns[Threshold]
	rate, change := b.columns["climatology"], b.columns["typical_change"]
	for i, t := range b.at {
		// No outcome is observed before its point: those of the points up to t
		// are all that the climatology of t can be made from.
		for len(thinned) > 0 && !thinned[0].At.After(t) {
			if o, ok := b.outcome(thinned[0], thresholds.at(thinned[0].At), later); ok {
				climate.history = append(climate.history, o)
			}
			thinned = thinned[1:]
		}
		q := thresholds.at(t)
		b.shortNow[i] = b.label(ratio[i], free[i], q)
		if j := b.later(ahead, b.rowAt[i]); j >= 0 {
			b.short[i] = b.label(b.ratio[j], float64(b.s.Points[j].FreeBikes), q)
		}
		threshold[i] = q
		rate[i], change[i] = climate.at(t)
	}
}

// outcome looks up what became of a point, whose threshold is q. It is not ok
// where there is no label, or no dock to see a change at.
func (b *builder) outcome(p observation.Totals, q float64, later *cursor) (o outcome, ok bool) {
	j := b.later(later, p.At.UnixNano())
	if j < 0 {
		return outcome{}, false
	}
	label := b.label(b.ratio[j], float64(b.s.Points[j].FreeBikes), q)
	change := b.ratio[j] - p.FreeRatio()
	if label == Unlabelled || math.IsNaN(change) {
		return outcome{}, false
	}
	return outcome{
		at: p.At, labelAt: b.s.Points[j].At, slot: hourOfWeek(p.At.Add(b.task.Horizon())), short: label == Short,
		change: int64(math.Round(float64(change * changeUnit))),
	}, true
}

// later finds the point that makes the label of a time: the nearest to the
// horizon, within the tolerance. A forecast is about what comes: where points
// are further apart than the horizon, what is known already is no label.
func (b *builder) later(points *cursor, at nanos) int {
	h := int64(b.task.Horizon())
	return points.nearest(at+h, at+min(h, 1), b.task.Tolerance())
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
