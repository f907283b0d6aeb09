package features

import (
	"math"
	"time"

	"livelab/pipeline/detmath"
)

// calendar is what the clock knows about a time, UTC.
type calendar struct {
	hourSin, hourCos       float64
	halfDaySin, halfDayCos float64
	weekend                float64
	hour, weekday          float64 // with its fraction; 0 is Monday
	unixAhead              float64
}

func calendarOf(ahead time.Time) calendar {
	ahead = ahead.UTC()
	hour, minute, second := ahead.Clock()
	seconds := float64(hour*3600 + minute*60 + second)
	turn := seconds / 86400
	c := calendar{hour: seconds / 3600, unixAhead: float64(ahead.Unix())}
	c.hourSin, c.hourCos = cycle(turn)
	c.halfDaySin, c.halfDayCos = cycle(2 * turn)
	day := ahead.Weekday()
	c.weekday = float64((day + 6) % 7)
	if day == time.Saturday || day == time.Sunday {
		c.weekend = 1
	}
	return c
}

// cycle gives the sine and cosine of a number of full turns.
func cycle(turns float64) (sin, cos float64) {
	angle := float64(2 * math.Pi * turns)
	return detmath.Sin(angle), detmath.Cos(angle)
}
