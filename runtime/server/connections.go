package server

import (
	"cmp"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// connections is a listener that holds a bounded number of connections. Where
// they are all in use, a new one takes the place of those that have waited
// longest without a request: whoever connects and asks is answered, whatever
// number of others connect and do not. It waits where every connection has a
// request under way, which the server's timeouts bound.
type connections struct {
	net.Listener
	max int
	log *slog.Logger

	mu   sync.Mutex
	open map[*connection]struct{}

	clock   atomic.Uint64 // counts the times that a connection began to wait
	freed   chan struct{} // has an element once a place may be free
	closed  chan struct{}
	close   func() error
	evicted prometheus.Counter
	warned  time.Time // when the log last told of accepting in vain
}

func limitConnections(l net.Listener, most int, evicted prometheus.Counter, log *slog.Logger) *connections {
	cs := &connections{
		Listener: l, max: most, log: log, evicted: evicted,
		open:  make(map[*connection]struct{}),
		freed: make(chan struct{}, 1), closed: make(chan struct{}),
	}
	cs.close = sync.OnceValue(func() error {
		close(cs.closed)
		return l.Close()
	})
	return cs
}

// connection knows whether a request is under way on it.
type connection struct {
	net.Conn
	of *connections

	// waiting is when, by the clock of its listener, it began to wait for a
	// request, of which parts may have come: what is whole alone counts. It is
	// busy while one is under way, and gone from when it is closed.
	waiting atomic.Uint64
}

const (
	busy = 0
	gone = ^uint64(0)
)

// Accept gives the next connection once there is a place for it. It survives
// what ends by itself, such as a lack of file descriptors.
func (cs *connections) Accept() (net.Conn, error) {
	for wait := firstPause; ; wait = min(2*wait, longestPause) {
		c, err := cs.Listener.Accept()
		if err == nil {
			return cs.admit(c)
		}
		if !passes(err) {
			return nil, err
		}
		if errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE) {
			cs.evict(cs.batch())
		}
		if now := time.Now(); now.Sub(cs.warned) > warnEvery {
			cs.warned = now
			cs.log.Warn("connections cannot be accepted at the moment", "error", err, "open", cs.count())
		}
		cs.pause(wait, nil)
	}
}

const (
	firstPause   = 5 * time.Millisecond
	longestPause = 250 * time.Millisecond
	warnEvery    = 10 * time.Second
)

// passes reports whether accepting may go well again.
func passes(err error) bool {
	return !errors.Is(err, net.ErrClosed) && !errors.Is(err, syscall.EBADF) &&
		!errors.Is(err, syscall.EINVAL) && !errors.Is(err, syscall.ENOTSOCK)
}

// admit makes room for a connection and takes it in.
func (cs *connections) admit(nc net.Conn) (net.Conn, error) {
	for cs.count() >= cs.max {
		if cs.evict(cs.batch()) > 0 {
			continue
		}
		// A connection that ends says so; one whose request ends does not.
		if !cs.pause(firstPause, cs.freed) {
			_ = nc.Close() // never answered on
			return nil, net.ErrClosed
		}
	}
	c := &connection{Conn: nc, of: cs}
	c.waiting.Store(cs.clock.Add(1))
	cs.mu.Lock()
	defer cs.mu.Unlock()
	cs.open[c] = struct{}{}
	return c, nil
}

// pause is false where the listener was closed meanwhile.
func (cs *connections) pause(d time.Duration, until <-chan struct{}) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-until:
	case <-cs.closed:
		return false
	}
	return true
}

func (cs *connections) count() int {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	return len(cs.open)
}

// batch is how many connections go at a time, so that looking for the oldest
// is not done for each new one.
func (cs *connections) batch() int { return max(1, cs.max/16) }

// evict closes up to n connections that have no request under way, those first
// that have waited longest, and says how many.
func (cs *connections) evict(n int) int {
	type since struct {
		c       *connection
		waiting uint64
	}
	var idle []since
	cs.mu.Lock()
	for c := range cs.open {
		if w := c.waiting.Load(); w != busy && w != gone {
			idle = append(idle, since{c, w})
		}
	}
	cs.mu.Unlock()
	slices.SortFunc(idle, func(a, b since) int { return cmp.Compare(a.waiting, b.waiting) })
	evicted := 0
	for _, i := range idle[:min(n, len(idle))] {
		if i.c.waiting.CompareAndSwap(i.waiting, gone) { // else its request has come
			i.c.release()
			evicted++
		}
	}
	cs.evicted.Add(float64(evicted))
	return evicted
}

// track is told by the HTTP server what becomes of a connection.
func (cs *connections) track(nc net.Conn, state http.ConnState) {
	if t, ok := nc.(interface{ NetConn() net.Conn }); ok {
		nc = t.NetConn() // that TLS goes over
	}
	c, ok := nc.(*connection)
	if !ok {
		return
	}
	switch now := c.waiting.Load(); {
	case now == gone:
	case state == http.StateActive:
		c.waiting.CompareAndSwap(now, busy)
	case state == http.StateIdle:
		c.waiting.CompareAndSwap(now, cs.clock.Add(1))
	}
}

func (cs *connections) Close() error { return cs.close() }

// Close gives the connection's place to another.
func (c *connection) Close() error {
	c.waiting.Store(gone)
	return c.release()
}

func (c *connection) release() error {
	err := c.Conn.Close()
	c.of.mu.Lock()
	delete(c.of.open, c)
	c.of.mu.Unlock()
	select {
	case c.of.freed <- struct{}{}:
	default:
	}
	return err
}

// CloseWrite lets the HTTP server end an answer before it ends the connection,
// so that the client reads it to its end.
func (c *connection) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return nil
}
