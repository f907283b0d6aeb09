package server

import (
	"errors"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
)

// faulty is a listener whose errors come from a list, before its connections.
type faulty struct {
	errs   []error
	conns  chan net.Conn
	closed chan struct{}
	asked  atomic.Int64
}

func (f *faulty) Accept() (net.Conn, error) {
	f.asked.Add(1)
	if len(f.errs) > 0 {
		err := f.errs[0]
		f.errs = f.errs[1:]
		return nil, err
	}
	select {
	case c := <-f.conns:
		return c, nil
	case <-f.closed:
		return nil, net.ErrClosed
	}
}

func (f *faulty) Close() error   { close(f.closed); return nil }
func (f *faulty) Addr() net.Addr { return &net.TCPAddr{} }

func newFaulty(errs ...error) *faulty {
	return &faulty{errs: errs, conns: make(chan net.Conn, 100), closed: make(chan struct{})}
}

func limited(l net.Listener, most int, logged *strings.Builder) (*connections, prometheus.Counter) {
	evicted := prometheus.NewCounter(prometheus.CounterOpts{Name: "evicted"})
	return limitConnections(l, most, evicted, slog.New(slog.NewTextHandler(logged, nil))), evicted
}

// TestAcceptSurvives has accepting fail in the ways that pass: the server goes
// on, without spinning, and says so once in a while.
func TestAcceptSurvives(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		accept := func(e syscall.Errno) error {
			return &net.OpError{Op: "accept", Net: "tcp", Err: os.NewSyscallError("accept4", e)}
		}
		var errs []error
		for range 100 {
			errs = append(errs, accept(syscall.EMFILE), accept(syscall.ENFILE), accept(syscall.ENOBUFS), accept(syscall.ECONNABORTED))
		}
		l := newFaulty(errs...)
		here, there := net.Pipe()
		defer there.Close()
		l.conns <- here
		var logged strings.Builder
		cs, _ := limited(l, 10, &logged)
		started := time.Now()
		c, err := cs.Accept()
		if err != nil {
			t.Fatal(err)
		}
		c.Close()
		if took := time.Since(started); took < 400*longestPause*9/10 || took > 400*longestPause {
			t.Errorf("400 failures took %v", took)
		}
		if n := strings.Count(logged.String(), "too many open files"); n < 5 || n > 12 {
			t.Errorf("said %d times in 100 s", n)
		}
		for _, final := range []error{net.ErrClosed, accept(syscall.EBADF), accept(syscall.EINVAL)} {
			l.errs = []error{final}
			if _, err := cs.Accept(); !errors.Is(err, final) {
				t.Errorf("%v is survived: %v", final, err)
			}
		}
	})
}

// TestOldestMakeRoom holds the order in which connections go, and that one
// whose request has come never does.
func TestOldestMakeRoom(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := newFaulty()
		cs, evicted := limited(l, 4, new(strings.Builder))
		var open, ends []net.Conn
		connect := func() {
			here, there := net.Pipe()
			l.conns <- here
			ends = append(ends, there)
			c, err := cs.Accept()
			if err != nil {
				t.Fatal(err)
			}
			open = append(open, c)
		}
		isOpen := func(i int) bool {
			cs.mu.Lock()
			defer cs.mu.Unlock()
			_, ok := cs.open[open[i].(*connection)]
			return ok
		}
		for range 4 {
			connect()
		}
		cs.track(open[0], http.StateActive)
		cs.track(open[1], http.StateActive)
		cs.track(open[1], http.StateIdle) // now the youngest of those that wait
		connect()
		if !isOpen(0) || !isOpen(1) || isOpen(2) || !isOpen(3) || !isOpen(4) {
			t.Error("another than the oldest made room")
		}
		connect() // 3
		connect() // 1
		if !isOpen(0) || isOpen(1) || isOpen(3) || !isOpen(4) || !isOpen(5) || !isOpen(6) {
			t.Error("another than the oldest made room")
		}
		cs.track(open[1], http.StateActive) // too late
		if isOpen(1) {
			t.Error("one that is gone is back")
		}
		for _, i := range []int{4, 5, 6} {
			cs.track(open[i], http.StateActive)
		}
		// All have a request: the next one waits until one of them ends.
		waited := make(chan time.Duration)
		started := time.Now()
		go func() {
			connect()
			waited <- time.Since(started)
		}()
		time.Sleep(time.Minute)
		open[0].Close()
		if took := <-waited; took < time.Minute || took > time.Minute+time.Second {
			t.Errorf("the next one got in after %v", took)
		}
		if n := cs.count(); n != 4 {
			t.Errorf("%d are open", n)
		}
		// One that waits for a place is let go when the listener closes.
		cs.track(open[7], http.StateActive)
		refused := make(chan error)
		here, there := net.Pipe()
		l.conns <- here
		go func() {
			_, err := cs.Accept()
			refused <- err
		}()
		synctest.Wait()
		cs.Close()
		if err := <-refused; !errors.Is(err, net.ErrClosed) {
			t.Errorf("after the end: %v", err)
		}
		if _, err := there.Read(make([]byte, 1)); err == nil {
			t.Error("it is left open")
		}
		if n := testutil.ToFloat64(evicted); n != 3 {
			t.Errorf("%v evicted, want 3", n)
		}
		for _, c := range append(open, ends...) {
			c.Close()
		}
	})
}
