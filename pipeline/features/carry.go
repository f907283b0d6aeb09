package features

import (
	"fmt"
	"math"

	"livelab/pipeline/observation"
)

// never is before every time.
const never = math.MinInt64

// shown is what one station showed, made ready to be carried forward: columns
// of equal length, a value for each change.
type shown struct {
	station     observation.Station
	at          []int64 // Unix seconds, ascending
	free, empty []int32 // unknown where no forecast can start from what it showed
	since       int64   // when it came to its place, never for one that has not moved
	ttl         int64   // in seconds, how long a change stands
}

const unknown = observation.Unknown

func newShown(task *Task, s observation.Station) *shown {
	since := int64(never)
	if !s.MovedAt.IsZero() {
		since = s.MovedAt.Unix()
	}
	return &shown{station: s, since: since, ttl: int64(task.StateTTLMinutes) * 60}
}

// extend appends changes, which must be later than those before.
func (s *shown) extend(c *Changes) error {
	if len(c.FreeBikes) != c.Len() || len(c.EmptySlots) != c.Len() || len(c.InService) != c.Len() {
		return fmt.Errorf("build features: the changes of station %s have columns of different lengths", s.station.ID)
	}
	for i, at := range c.At {
		if n := len(s.at); n > 0 && at <= s.at[n-1] {
			return fmt.Errorf("build features: the changes of station %s are not in ascending order at %d", s.station.ID, at)
		}
		free, empty := c.FreeBikes[i], c.EmptySlots[i]
		// A station that shows neither bikes nor slots is closed, as in
		// observation.State.Counted.
		if !c.InService[i] || free < 0 || free == 0 && empty == 0 {
			free, empty = unknown, unknown
		}
		s.at, s.free, s.empty = append(s.at, at), append(s.free, free), append(s.empty, max(empty, unknown))
	}
	return nil
}

// place is a place among changes: how many of them are not after the time that
// was sought last. Times sought from one place must not go back.
type place int32

// seek moves a place forward to a time, and gives the change that holds then,
// -1 where there is none.
func (s *shown) seek(p *place, at int64) int {
	i := int(*p)
	for i < len(s.at) && s.at[i] <= at {
		i++
	}
	*p = place(i)
	return i - 1
}

// bikes gives the free bikes that the station showed in the snapshot of a time,
// as a row of another time may know it: unknown where there is no snapshot,
// where the station was not in service or dead, or not yet at its place of now.
func (s *shown) bikes(p *place, at, row int64) int32 {
	if at == never {
		return unknown
	}
	i := s.seek(p, at)
	if i < 0 || s.apart(at, row) || at-s.from(i, at) > s.ttl {
		return unknown
	}
	return s.free[i]
}

// apart reports whether the station moved between two times.
func (s *shown) apart(a, b int64) bool { return (a < s.since) != (b < s.since) }

// from is when a state was first seen: where the station came to its place in
// between, not before that.
func (s *shown) from(change int, at int64) int64 {
	if at >= s.since {
		return max(s.at[change], s.since)
	}
	return s.at[change]
}

// spells remembers when a station was last short, and last not.
type spells struct {
	place          place
	short, not     int64 // when the last such state ended, never where there was none
	isShort, isNot bool  // what the state at place is
}

// follow moves on to a time.
func (sp *spells) follow(s *shown, at int64, bikes int32) {
	for i := int(sp.place); i < len(s.at) && s.at[i] <= at; i++ {
		sp.end(s.at[i])
		free := s.free[i]
		sp.isShort, sp.isNot = free >= 0 && free <= bikes, free > bikes
		sp.place++
	}
}

// end closes the state that held until a time.
func (sp *spells) end(at int64) {
	if sp.isShort {
		sp.short = at
	}
	if sp.isNot {
		sp.not = at
	}
}

// longest is the greatest number of minutes that columns count up to, so that
// they do not depend on where the history began.
const longest = 24 * 60

// minutesSince is capped at longest, and that where the time is not after floor.
func minutesSince(then, now, floor int64) float64 {
	if then <= floor || now-then >= longest*60 {
		return longest
	}
	return float64(now-then) / 60
}
