package llm

import (
	"sync"
	"time"
)

// circuit keeps clients from waiting for a model that is away: after several
// failures in a row it lets nothing through for a while, then one call to see
// whether the model is back. Each further failure doubles the while.
type circuit struct {
	mu       sync.Mutex
	failures int // in a row
	pause    time.Duration
	until    time.Time // while it is open
	probing  bool      // whether the one call is under way
}

const (
	failuresToOpen = 3
	firstPause     = 30 * time.Second
	longestPause   = 5 * time.Minute
)

// enter reports whether a call may be made, and whether it is the one that
// tries. Every call that may must end with leave.
func (c *circuit) enter(now time.Time) (may, probe bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.failures < failuresToOpen {
		return true, false
	}
	if c.probing || now.Before(c.until) {
		return false, false
	}
	c.probing = true
	return true, true
}

// leave takes note of how a call went. One that the client gave up says
// nothing of the model. It gives how long nothing is let through from now on,
// where this call has opened the circuit.
func (c *circuit) leave(now time.Time, out outcome, probe bool) (opened time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if probe {
		c.probing = false
	}
	switch {
	case out == canceled:
		return 0
	case out == ok:
		c.failures, c.pause = 0, 0
		return 0
	}
	c.failures++
	if c.failures != failuresToOpen && !probe {
		return 0 // closed still, or open already
	}
	c.pause = min(max(2*c.pause, firstPause), longestPause)
	c.until = now.Add(c.pause)
	return c.pause
}
