package wasm

import (
	"sync/atomic"
	"time"
)

// Cause is why a row failed.
type Cause int

// The causes.
const (
	OutOfFuel  Cause = iota // it spent more than its budget
	TooDeep                 // its calls nested too deep
	Trapped                 // the code trapped or ended itself
	Returned                // it returned other than 0
	Infinite                // an output is infinite
	OutOfRange              // an output is outside of what its description says
	causes
)

func (c Cause) String() string {
	return [...]string{"fuel", "stack", "trap", "returned", "infinite", "range"}[c]
}

// Causes are all of them, in order.
func Causes() []Cause {
	cs := make([]Cause, causes)
	for i := range cs {
		cs[i] = Cause(i)
	}
	return cs
}

// Stats of a transform since it was admitted. All count up.
type Stats struct {
	Rows     int64           // that were asked for
	Failed   map[Cause]int64 // rows, with an entry for each cause
	Calls    int64           // into the module
	Discards int64           // instances lost to traps
	Time     time.Duration   // in Apply and ApplyRow, waiting included
}

type counters struct {
	rows, calls, discards, nanoseconds atomic.Int64
	failed                             [causes]atomic.Int64
}

func (c *counters) stats() Stats {
	s := Stats{
		Rows: c.rows.Load(), Calls: c.calls.Load(), Discards: c.discards.Load(),
		Time: time.Duration(c.nanoseconds.Load()), Failed: make(map[Cause]int64, causes),
	}
	for i := range c.failed {
		s.Failed[Cause(i)] = c.failed[i].Load()
	}
	return s
}
