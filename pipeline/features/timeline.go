package features

import (
	"math"
	"time"

	"livelab/pipeline/observation"
)

// The times that a row of a station looks its bikes up at.
const (
	lookNow = iota
	look30
	look60
	look120
	look180
	lookYesterday
	lookYesterdayAhead
	lookLastWeek
	lookLastWeekAhead
	looks
)

// timeline is what all stations of a network have in common: when it was seen,
// the weather, and which outcomes are known when. It only goes forward.
type timeline struct {
	task   Task
	series Series

	pointAt, weatherAt []nanos
	ago                [looks]time.Duration
	look               [looks]*cursor
	label, weather     *cursor

	// Outcomes are of the snapshots that rows are taken from.
	next     int   // point that is not looked at yet
	slot     int64 // of the newest such snapshot
	origins  []nanos
	later    *cursor
	outcomes []outcomeTime
	first    int // outcomes[first:] are in the window
}

// outcomeTime is when outcomes have their start and their end, in Unix
// seconds.
type outcomeTime struct {
	at, labelAt int64
	hours       hours // of t+h
}

// moment is what all rows of a time have in common.
type moment struct {
	at            time.Time
	unix          int64
	look          [looks]int64 // Unix seconds of the snapshot that stands for it, never for none
	label         int64
	ratio, ratio1 float64 // free ratio of the network, and that 60 minutes before
	weather       observation.Weather
	hours         hours    // of t+h
	calendar      calendar // too
	entered, left int      // outcomes that are in the window, and no longer
	prior         prior

	short, short1 float64 // share of stations that are short, and that 60 minutes before
}

func newTimeline(task Task) *timeline {
	h := task.Horizon()
	tl := &timeline{task: task, slot: math.MinInt64, later: newCursor(nil), label: newCursor(nil), weather: newCursor(nil)}
	tl.ago = [looks]time.Duration{
		lookNow: 0, look30: 30 * time.Minute, look60: 60 * time.Minute, look120: 120 * time.Minute, look180: 180 * time.Minute,
		lookYesterday: day, lookYesterdayAhead: day - h, lookLastWeek: week, lookLastWeekAhead: week - h,
	}
	for k := range tl.look {
		tl.look[k] = newCursor(nil)
	}
	return tl
}

// extend appends to the series, which must go on ascending.
func (tl *timeline) extend(s Series) {
	for _, p := range s.Points {
		tl.pointAt = append(tl.pointAt, p.At.UnixNano())
	}
	for _, w := range s.Weather {
		tl.weatherAt = append(tl.weatherAt, w.At.UnixNano())
	}
	tl.series.Points = append(tl.series.Points, s.Points...)
	tl.series.Weather = append(tl.series.Weather, s.Weather...)
	for _, c := range append([]*cursor{tl.later, tl.label}, tl.look[:]...) {
		c.times = tl.pointAt
	}
	tl.weather.times = tl.weatherAt
}

// moment moves on to a point and looks up what is known then.
func (tl *timeline) moment(point int) moment {
	p := tl.series.Points[point]
	t, ttl := tl.pointAt[point], minutes(tl.task.BikesTTLMinutes)
	m := moment{at: p.At, unix: p.At.Unix(), ratio: p.FreeRatio(), ratio1: math.NaN(), label: never}
	ahead := p.At.Add(tl.task.Horizon())
	m.hours, m.calendar = hoursOf(ahead.Unix()), calendarOf(ahead)
	for k, c := range tl.look {
		m.look[k] = never
		if j := c.asOf(t-int64(tl.ago[k]), ttl); j >= 0 {
			m.look[k] = tl.series.Points[j].At.Unix()
			if k == look60 {
				m.ratio1 = tl.series.Points[j].FreeRatio()
			}
		}
	}
	if j := tl.ahead(tl.label, t); j >= 0 {
		m.label = tl.series.Points[j].At.Unix()
	}
	m.weather = observation.Weather{Temperature: math.NaN(), Precipitation: math.NaN(), WindSpeed: math.NaN()}
	if j := tl.weather.asOf(t, minutes(tl.task.WeatherTTLMinutes)); j >= 0 {
		m.weather = tl.series.Weather[j]
	}
	tl.resolve(t)
	m.entered, m.left = len(tl.outcomes), tl.leave(m.unix)
	return m
}

// ahead finds the point that makes the label of a time, as for a network.
func (tl *timeline) ahead(c *cursor, at nanos) int {
	h := int64(tl.task.Horizon())
	return c.nearest(at+h, at+min(h, 1), tl.task.Tolerance())
}

// resolve appends the outcomes that were observed strictly before t, the time
// of a point. What comes after t is no nearer to the end of any of them.
func (tl *timeline) resolve(t nanos) {
	for ; tl.next < len(tl.pointAt) && tl.pointAt[tl.next] <= t; tl.next++ {
		if slot := floorDiv(tl.series.Points[tl.next].At.Unix(), int64(tl.task.StepMinutes)*60); slot != tl.slot {
			tl.origins, tl.slot = append(tl.origins, tl.pointAt[tl.next]), slot
		}
	}
	h := int64(tl.task.Horizon())
	for len(tl.origins) > 0 {
		at := tl.origins[0]
		j := tl.ahead(tl.later, at)
		switch {
		case j >= 0 && tl.pointAt[j] < t:
			end := floorDiv(at+h, int64(time.Second))
			tl.outcomes = append(tl.outcomes, outcomeTime{floorDiv(at, int64(time.Second)), tl.series.Points[j].At.Unix(), hoursOf(end)})
		case j >= 0 || t-at-h <= int64(tl.task.Tolerance()):
			return
		}
		tl.origins = tl.origins[1:]
	}
}

// leave moves the start of the window to t and gives the number of outcomes
// before it.
func (tl *timeline) leave(t int64) int {
	window := int64(tl.task.ClimatologyDays) * int64(day/time.Second)
	for tl.first < len(tl.outcomes) && t-tl.outcomes[tl.first].at > window {
		tl.first++
	}
	return tl.first
}

// rowPoints are the points that rows of stations are taken from: the first of
// each slot, whatever the network's totals show.
func rowPoints(task Task, points []observation.Totals) []int {
	var first []int
	slot := int64(math.MinInt64)
	for i, p := range points {
		if s := floorDiv(p.At.Unix(), int64(task.StepMinutes)*60); s != slot {
			first, slot = append(first, i), s
		}
	}
	return first
}
