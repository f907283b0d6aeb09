package value

import (
	"fmt"
	"math"
	"time"
)

// Times are stored from the years 1 to 9999: what RFC 3339 can write, and both
// databases can hold.
var (
	minTime = time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC)
	maxTime = time.Date(9999, 12, 31, 23, 59, 59, 999_999_999, time.UTC)
)

// CheckTime refuses a time that is missing or that cannot be stored.
func CheckTime(what string, t time.Time) error {
	if t.IsZero() {
		return fmt.Errorf("%s has no time", what)
	}
	if t.Before(minTime) || t.After(maxTime) {
		return fmt.Errorf("%s has the time %v, which is outside the years 1 to 9999", what, t.UTC())
	}
	return nil
}

// Range gives the bounds of a query in Unix seconds, both included. A zero
// time leaves its side open. A row lies on a whole second, so a bound between
// two seconds is moved to the one inside the range.
func Range(from, to time.Time) (first, last int64) {
	first, last = math.MinInt64, math.MaxInt64
	if !from.IsZero() {
		first = from.Unix()
		if from.Nanosecond() > 0 {
			first++
		}
	}
	if !to.IsZero() {
		last = to.Unix()
	}
	return first, last
}

// Second is the UTC time of a Unix second.
func Second(s int64) time.Time { return time.Unix(s, 0).UTC() }

// Short reports whether a range is so short, at most six hours, that most
// stations have but a few changes in it. The bounds are those of Range.
func Short(first, last int64) bool {
	return first != math.MinInt64 && last != math.MaxInt64 && last-first <= 6*3600
}
