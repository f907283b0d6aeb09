package predlog

import (
	"runtime"
	"sync"
	"time"
)

// commit gathers predictions of concurrent requests into groups, so that they
// share one write to the disk: while a group is written the next one gathers.
// Who waits for a disk that does not answer is let go.
type commit struct {
	write  func(g *group) // to the disk, or where it goes instead
	idle   func()         // called when all that gathered is written
	enough int            // bytes of a group; who comes then waits for the next one
	most   int            // bytes that may gather while the disk does not answer
	wait   time.Duration  // for a write, until who waits is let go

	mu      sync.Mutex
	groups  [2]group
	current *group        // the one that gathers
	wake    chan struct{} // the current group has its first record
	closed  bool
	began   time.Time   // when the write under way began; zero while there is none
	stalled bool        // and it has taken too long, or nothing is written yet
	watch   *time.Timer // calls letGo, now and then while groups are written
	watched bool        // it is set
	quiet   bool        // nothing was written since it was set
}

// group is what one write takes. Its buffer is used again.
type group struct {
	frames  []byte
	records int
	first   time.Time // time of the first prediction

	turn    int        // counts the times it was written; commit.mu guards it
	written *sync.Cond // turn has changed, or the writing has stalled
}

// enoughBytes is what a group has at most while the disk answers: a larger one
// is no faster to write, and its memory stays. manyBytes, to which one grows
// otherwise, is from where on that is given back.
const (
	enoughBytes = 256 << 10
	manyBytes   = 1 << 20
)

// fate is how many predictions came to what.
type fate struct{ late, overflown, tooLong, stopped int }

func (c *commit) init() {
	for i := range c.groups {
		c.groups[i].written = sync.NewCond(&c.mu)
	}
	c.current = &c.groups[0]
	c.wake = make(chan struct{}, 1)
	c.stalled = true
	c.watch = time.AfterFunc(time.Hour, c.letGo)
	c.watch.Stop()
}

// add has predictions written, and returns when they are, or when that takes
// too long. More of them than a group has room for go into several.
func (c *commit) add(ps []Prediction) (f fate) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for len(ps) > 0 {
		if c.closed {
			f.stopped += len(ps)
			return f
		}
		g := c.current
		turn := g.turn
		taken, added := c.gather(g, ps, &f)
		ps = ps[taken:]
		if added == 0 && len(ps) == 0 {
			return f
		}
		for g.turn == turn && !c.stalled {
			g.written.Wait()
		}
		if g.turn != turn {
			continue
		}
		f.late += added
		if len(ps) > 0 && len(g.frames) >= c.most {
			f.overflown += len(ps)
			return f
		}
	}
	return f
}

// gather puts predictions into a group while it has room, and says how many
// it dealt with and how many of those are in the group now.
func (c *commit) gather(g *group, ps []Prediction, f *fate) (taken, added int) {
	room := c.enough
	if c.stalled {
		room = c.most
	}
	before := g.records
	for ; taken < len(ps) && len(g.frames) < room; taken++ {
		var ok bool
		if g.frames, ok = appendRecord(g.frames, &ps[taken]); !ok {
			f.tooLong++
			continue
		}
		if g.records++; g.records == 1 {
			g.first = ps[taken].At
		}
	}
	if before == 0 && g.records > 0 && c.began.IsZero() {
		c.signal()
	}
	return taken, g.records - before
}

func (c *commit) signal() {
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// begin has who adds wait from now on, since run is about to be called.
func (c *commit) begin() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stalled = false
	c.signal()
}

// run writes groups until the last one after close.
func (c *commit) run() {
	for range c.wake {
		// Whoever is about to add goes first, and shares the write.
		runtime.Gosched()
		for c.writeOne() {
		}
		c.idle()
		c.mu.Lock()
		ended := c.closed && c.current.records == 0
		c.mu.Unlock()
		if ended {
			return
		}
	}
}

// writeOne writes the group that gathered, and answers whether there was one.
func (c *commit) writeOne() bool {
	c.mu.Lock()
	g := c.current
	if g.records == 0 {
		c.mu.Unlock()
		return false
	}
	c.current = &c.groups[0]
	if g == c.current {
		c.current = &c.groups[1]
	}
	c.began = time.Now()
	c.quiet = false
	if !c.watched {
		c.watched = true
		c.watch.Reset(c.wait)
	}
	c.mu.Unlock()

	c.write(g)

	c.mu.Lock()
	c.began, c.stalled = time.Time{}, false
	g.frames, g.records = g.frames[:0], 0
	if cap(g.frames) > manyBytes {
		g.frames = nil
	}
	g.turn++
	c.mu.Unlock()
	g.written.Broadcast() // whoever wakes up needs the lock
	return true
}

// letGo ends the waiting for a write that takes too long. Setting a timer for
// each write would cost more than the write: one that is set goes on until
// nothing is written any more.
func (c *commit) letGo() {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch took := time.Since(c.began); {
	case c.began.IsZero() && c.quiet:
		c.watched = false
		return
	case c.began.IsZero():
		c.quiet = true
		c.watch.Reset(c.wait)
		return
	case took < c.wait:
		c.watch.Reset(c.wait - took)
		return
	}
	c.watched, c.stalled = false, true
	for i := range c.groups {
		c.groups[i].written.Broadcast()
	}
}

// close takes no more predictions. What gathered is written all the same.
func (c *commit) close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
	c.signal()
}

// gathered is how many predictions wait to be written.
func (c *commit) gathered() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.groups[0].records + c.groups[1].records
}
