package sim

import "time"

// Clock is the simulator's time: it starts where it is told and runs at a
// speed of its own. It is safe for concurrent use.
type Clock struct {
	start, wallStart time.Time
	speed            float64
	wall             func() time.Time
}

// NewClock starts a clock now, by the given wall clock. It begins at start,
// or at the wall clock's time where start is zero, and runs speed times as
// fast; a speed of 0 stands for 1.
func NewClock(start time.Time, speed float64, wall func() time.Time) *Clock {
	c := &Clock{start: start, wallStart: wall(), speed: speed, wall: wall}
	if c.start.IsZero() {
		c.start = c.wallStart
	}
	if c.speed == 0 {
		c.speed = 1
	}
	return c
}

// Now is start + (wall - wallStart)·speed, in UTC.
func (c *Clock) Now() time.Time {
	elapsed := c.wall().Sub(c.wallStart)
	if c.speed != 1 {
		elapsed = time.Duration(float64(elapsed) * c.speed)
	}
	return c.start.Add(elapsed).UTC()
}
