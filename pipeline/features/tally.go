package features

import (
	"math"
	"time"
)

// Outcomes are counted in integers over a trailing window, so that what is
// made of them depends neither on where the window began nor on the order.

// The imagined outcomes that rates start from, in rows.
const (
	likeNetwork    = 50  // a station's overall rate, at the network's
	likeOverall    = 200 // the network's rates by hour, at its overall rate
	likeNetworkDay = 10  // a station's hour of the day, at the network's
	likeDay        = 6   // a station's hour of the week, at its hour of the day
	likeChange     = 6   // a station's changes by the hour, at none
	likeOnset      = 15  // a station's onsets by the hour, at the network's
	likeHour       = 30  // the network's bikes by hour, at its bikes
	likeBikes      = 10  // a station's bikes, at the network's
	likeOdds       = 8   // a station's bikes by hour, at both
)

// bikeGroups are the groups that numbers of bikes fall into, by how many more
// there are than are short: 0 and less, 1, 2, 3-4, 5-7, 8-11, more.
const bikeGroups = 7

func bikeGroup(more int32) int {
	switch {
	case more <= 0:
		return 0
	case more <= 2:
		return int(more)
	case more <= 4:
		return 3
	case more <= 7:
		return 4
	case more <= 11:
		return 5
	}
	return 6
}

// hours are the slots that a time falls into, UTC.
type hours struct {
	week   int // hour of the week, 0 is Thursday 00:00
	day    int // hour of the day
	kind   int // hour of the day, and 24 more at the weekend
	thirds int // three hours of the day, and 8 more at the weekend
}

func hoursOf(unix int64) hours {
	h := int(floorDiv(unix, 3600) % hoursOfWeek)
	if h < 0 {
		h += hoursOfWeek
	}
	weekend := 0
	switch time.Weekday((h/24 + int(time.Thursday)) % 7) {
	case time.Saturday, time.Sunday:
		weekend = 1
	}
	return hours{week: h, day: h % 24, kind: h%24 + 24*weekend, thirds: h%24/3 + 8*weekend}
}

// count is how often of all it was short.
type count struct{ rows, short int32 }

func (c *count) add(sign int32, short bool) {
	c.rows += sign
	if short {
		c.short += sign
	}
}

// towards is the rate, with imagined rows at another rate.
func (c count) towards(rate, imagined float64) float64 {
	return (float64(c.short) + float64(imagined*rate)) / (float64(c.rows) + imagined)
}

// careful is the rate with one imagined row that was half short, which is
// never 0 or 1.
func (c count) careful() float64 { return (float64(c.short) + 0.5) / (float64(c.rows) + 1) }

// cell sums outcomes up.
type cell struct {
	all, calm    count // of all, and of those that were not short h before
	change, then int64 // of bikes: sums of the change, and of what there was
}

func (c *cell) add(sign int32, o bikesOutcome) {
	c.all.add(sign, o.short)
	if o.calm {
		c.calm.add(sign, o.short)
	}
	c.change += int64(sign) * int64(o.then-o.now)
	c.then += int64(sign) * int64(o.then)
}

// bikesOutcome is what became of a station's bikes within the horizon.
type bikesOutcome struct {
	now, then   int32
	group       int
	short, calm bool
}

// ofStation are a station's outcomes.
type ofStation struct {
	all    count
	day    [24]cell
	week   [hoursOfWeek]cell
	bikes  [bikeGroups]count
	thirds [16][bikeGroups]count
}

func (t *ofStation) add(sign int32, h hours, o bikesOutcome) {
	t.all.add(sign, o.short)
	t.day[h.day].add(sign, o)
	t.week[h.week].add(sign, o)
	t.bikes[o.group].add(sign, o.short)
	t.thirds[h.thirds][o.group].add(sign, o.short)
}

// sum adds up the outcomes of all stations at one time.
type sum struct {
	calm  count
	bikes [bikeGroups]count
}

func (s *sum) add(o bikesOutcome) {
	s.bikes[o.group].add(1, o.short)
	if o.calm {
		s.calm.add(1, o.short)
	}
}

func (s *sum) merge(o *sum, sign int32) {
	s.calm.rows += sign * o.calm.rows
	s.calm.short += sign * o.calm.short
	for g := range s.bikes {
		s.bikes[g].rows += sign * o.bikes[g].rows
		s.bikes[g].short += sign * o.bikes[g].short
	}
}

// all is the count over the groups of bikes.
func (s *sum) all() (c count) {
	for _, g := range s.bikes {
		c.rows += g.rows
		c.short += g.short
	}
	return c
}

// ofNetwork are the outcomes of all stations.
type ofNetwork struct {
	all  sum
	day  [24]sum
	week [hoursOfWeek]sum
	kind [48][bikeGroups]count
}

func (t *ofNetwork) merge(sign int32, h hours, s *sum) {
	t.all.merge(s, sign)
	t.day[h.day].merge(s, sign)
	t.week[h.week].merge(s, sign)
	for g, c := range s.bikes {
		t.kind[h.kind][g].rows += sign * c.rows
		t.kind[h.kind][g].short += sign * c.short
	}
}

// prior is what the network tells of the outcomes at one time, which stands in
// where a station's are few. It is NaN where there are none at all.
type prior struct {
	rate, day           float64 // of shortage: overall, and at the hour of the day
	onsetDay, onsetWeek float64
	bikes, hourBikes    [bikeGroups]float64 // at so many bikes, and at the hour, too
}

func (t *ofNetwork) prior(h hours) (p prior) {
	all := t.all.all()
	p.rate = float64(all.short) / float64(all.rows) // NaN for 0/0
	p.day = t.day[h.day].all().towards(p.rate, likeOverall)
	onset := t.all.calm.careful()
	p.onsetDay = t.day[h.day].calm.towards(onset, likeOverall)
	p.onsetWeek = t.week[h.week].calm.towards(onset, likeOverall)
	for g := range p.bikes {
		p.bikes[g] = t.all.bikes[g].careful()
		p.hourBikes[g] = t.kind[h.kind][g].towards(p.bikes[g], likeHour)
	}
	if all.rows == 0 {
		p.onsetDay, p.onsetWeek = math.NaN(), math.NaN()
		for g := range p.bikes {
			p.bikes[g], p.hourBikes[g] = math.NaN(), math.NaN()
		}
	}
	return p
}

// past is what a station's own outcomes tell, for a row.
type past struct {
	rate, day, week           float64
	onsetDay, onsetWeek       float64
	changeDay, changeWeek     float64
	typical                   float64
	bikes, hourBikes, ofThree float64
}

func (t *ofStation) past(p *prior, h hours, group int) (x past) {
	day, week := &t.day[h.day], &t.week[h.week]
	x.rate = t.all.towards(p.rate, likeNetwork)
	x.day = day.all.towards(p.day, likeNetworkDay)
	x.week = week.all.towards(x.day, likeDay)
	x.onsetDay = day.calm.towards(p.onsetDay, likeOnset)
	x.onsetWeek = week.calm.towards(p.onsetWeek, likeOnset)
	x.changeDay = float64(day.change) / (float64(day.all.rows) + likeChange)
	x.changeWeek = float64(week.change) / (float64(week.all.rows) + likeChange)
	x.typical = float64(day.then) / float64(day.all.rows)
	x.hourBikes = p.hourBikes[group]
	x.bikes = t.bikes[group].towards(p.bikes[group], likeBikes)
	odds := odds(x.bikes) * odds(x.hourBikes) / odds(p.bikes[group])
	x.ofThree = t.thirds[h.thirds][group].towards(odds/(1+odds), likeOdds)
	return x
}

func odds(p float64) float64 { return p / (1 - p) }
