package features

import (
	"math/rand/v2"
	"testing"
	"time"
)

// TestCursorFindsWhatASearchFinds walks cursors along random times, in small
// steps and in leaps, beside a look at every time.
func TestCursorFindsWhatASearchFinds(t *testing.T) {
	t.Parallel()
	const within = 40 * time.Nanosecond
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 2))
		times := make([]nanos, r.IntN(60))
		at := nanos(0)
		for i := range times {
			at += 1 + r.Int64N(30)
			times[i] = at
		}
		asOf, nearest := newCursor(times), newCursor(times)
		for sought := nanos(-50); sought < at+100; sought += r.Int64N(2 + 200>>(seed%8)) {
			wantAsOf, wantNearest, least := -1, -1, int64(within)+1
			from := sought - r.Int64N(60)
			for i, u := range times {
				if u <= sought && sought-u <= int64(within) {
					wantAsOf = i
				}
				if d := max(u-sought, sought-u); d < least && u >= from {
					wantNearest, least = i, d
				}
			}
			if got := asOf.asOf(sought, within); got != wantAsOf {
				t.Fatalf("as of %d in %v: %d, want %d", sought, times, got, wantAsOf)
			}
			if got := nearest.nearest(sought, from, within); got != wantNearest {
				t.Fatalf("nearest to %d from %d in %v: %d, want %d", sought, from, times, got, wantNearest)
			}
		}
	}
}
