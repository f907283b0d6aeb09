package features

import (
	"sort"
	"time"
)

// nanos is a time as nanoseconds since 1970, which count and compare several
// times faster than a time.Time. It reaches from 1678 to 2262.
type nanos = int64

// cursor finds the neighbours of times that only go forward among ascending
// times. Rows ascend, and so does what each of them looks up: from one row to
// the next it is a step or two.
type cursor struct {
	times []nanos
	n     int // times[:n] are not after what was sought last
}

func newCursor(times []nanos) *cursor { return &cursor{times: times} }

// seek gives the number of times that are not after t, which must not go back.
// It gallops, in steps of doubled length, so that a single row far into a long
// past is found fast, too.
func (c *cursor) seek(t nanos) int {
	from, step := c.n, 1
	for from+step <= len(c.times) && c.times[from+step-1] <= t {
		from += step
		step *= 2
	}
	between := c.times[from:min(from+step-1, len(c.times))]
	if len(between) > 0 {
		from += sort.Search(len(between), func(i int) bool { return between[i] > t })
	}
	c.n = from
	return from
}

// asOf finds the newest of the times that is not after t and not older than
// ttl, or -1.
func (c *cursor) asOf(t nanos, ttl time.Duration) int {
	i := c.seek(t) - 1
	if i < 0 || t-c.times[i] > int64(ttl) {
		return -1
	}
	return i
}

// nearest finds the time nearest to t that is not before from, the earlier of
// two, or -1 where none is within tolerance.
func (c *cursor) nearest(t, from nanos, tolerance time.Duration) int {
	after := c.seek(t)
	best, distance := -1, int64(tolerance)
	if after < len(c.times) && c.times[after]-t <= distance {
		best, distance = after, c.times[after]-t
	}
	if before := after - 1; before >= 0 && c.times[before] >= from && t-c.times[before] <= distance {
		best = before
	}
	return best
}
