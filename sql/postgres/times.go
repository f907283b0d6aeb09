package postgres

import (
	"math"
	"time"

	"github.com/jackc/pgx/v5/pgtype"

	"livelab/sql/internal/value"
)

// PostgreSQL's binary timestamps are microseconds since 2000-01-01 UTC, and
// the extremes of int64 are -infinity and infinity.
const (
	epoch      = 946_684_800 // 2000-01-01 as a Unix second
	maxSecond  = math.MaxInt64/1_000_000 - epoch
	microsPerS = 1_000_000
)

// pgMicros is the binary timestamp of a Unix second. What lies beyond the range
// becomes infinite, which is what an open bound of a query needs.
func pgMicros(second int64) int64 {
	switch {
	case second > maxSecond:
		return math.MaxInt64
	case second < -maxSecond:
		return math.MinInt64
	}
	return (second - epoch) * microsPerS
}

// second is the UTC time of a binary timestamp of a whole second.
func second(micros int64) time.Time { return value.Second(micros/microsPerS + epoch) }

// bounds are value.Range as parameters of a query.
func bounds(from, to time.Time) (first, last pgtype.Timestamptz) {
	a, b := value.Range(from, to)
	return timestamp(a), timestamp(b)
}

// upper is the last whole second not after t.
func upper(t time.Time) pgtype.Timestamptz { return timestamp(t.Unix()) }

func timestamp(second int64) pgtype.Timestamptz {
	switch pgMicros(second) {
	case math.MaxInt64:
		return pgtype.Timestamptz{Valid: true, InfinityModifier: pgtype.Infinity}
	case math.MinInt64:
		return pgtype.Timestamptz{Valid: true, InfinityModifier: pgtype.NegativeInfinity}
	}
	return pgtype.Timestamptz{Valid: true, Time: time.Unix(second, 0)}
}
