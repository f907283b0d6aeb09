package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"livelab/runtime/predlog"
)

// hasty are timeouts short enough for a test, long enough for a good client.
func hasty(c *Config, _ *Deps) {
	c.ReadHeaderTimeout = 300 * time.Millisecond
	c.ReadTimeout = 500 * time.Millisecond
	c.WriteTimeout = 700 * time.Millisecond
	c.IdleTimeout = 400 * time.Millisecond
}

// TestSlowClientsAreCutOff has clients that dawdle in each part of a request.
// Each is cut off in its time, and a good one is answered meanwhile.
func TestSlowClientsAreCutOff(t *testing.T) {
	alone(t)
	w := serve(t, hasty, withLongLog)
	drip := func(c net.Conn, each string) { // until the server hangs up
		for {
			if _, err := io.WriteString(c, each); err != nil {
				return
			}
			time.Sleep(20 * time.Millisecond)
		}
	}
	const look = "GET /health HTTP/1.1\r\nHost: x\r\n"
	var clients sync.WaitGroup
	for name, client := range map[string]struct {
		sends string
		drips string // again and again afterwards; empty sends no more
		reads bool
	}{
		"says nothing":                {"", "", true},
		"drips headers":               {look, "X: x\r\n", true},
		"drips one header":            {look + "X: ", "x", true},
		"drips the request line":      {"GET /", "x", true},
		"stops in the headers":        {look, "", true},
		"drips a body":                {"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Length: 10000\r\n\r\n", " ", true},
		"drips chunks":                {"POST /predict HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n", "1\r\n \r\n", true},
		"drips a chunk's size":        {"POST /predict HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n", "0", true},
		"drips a body nobody wants":   {look + "Content-Length: 10000\r\n\r\n", " ", true},
		"stops in the body":           {"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Length: 10000\r\n\r\n{", "", true},
		"stays after an answer":       {look + "\r\n", "", true},
		"drips a second request":      {look + "\r\n", "G", true},
		"never reads a large answer":  {"GET /api/predictions?limit=1000 HTTP/1.1\r\nHost: x\r\n\r\n", "", false},
		"never reads many answers":    {strings.Repeat("GET /api/predictions?limit=1000 HTTP/1.1\r\nHost: x\r\n\r\n", 20), "", false},
		"waits for 100 and then more": {"POST /predict HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 100\r\n\r\n", "", true},
	} {
		clients.Go(func() {
			c := w.dial(t)
			defer c.Close()
			if !client.reads {
				if err := c.SetReadBuffer(4096); err != nil {
					t.Error(err)
				}
			}
			_, _ = io.WriteString(c, client.sends)
			started := time.Now()
			switch {
			case !client.reads:
				w.untilClosed(t, c)
			case client.drips != "":
				go io.Copy(io.Discard, c)
				drip(c, client.drips)
			default:
				_, _ = io.Copy(io.Discard, c)
			}
			// The timeouts are under a second. An answer of megabytes takes
			// its time before any of it is sent.
			most := 4 * time.Second
			if !client.reads {
				most = 15 * time.Second
			}
			if took := time.Since(started); took > most {
				t.Errorf("a client that %s is cut off after %v", name, took)
			}
		})
	}
	for range 20 {
		w.alive(t)
		time.Sleep(20 * time.Millisecond)
	}
	clients.Wait()
}

// withLongLog has more predictions to list than the buffers of a connection
// hold.
func withLongLog(_ *Config, d *Deps) { d.Recent = longLog{} }

type longLog struct{}

func (longLog) RecentPredictions(_ context.Context, limit int) ([]predlog.Prediction, error) {
	ps := make([]predlog.Prediction, limit)
	for i := range ps {
		ps[i] = predlog.Prediction{ID: fmt.Sprint(i), At: noon, Version: strings.Repeat("v", 8000), Network: "oslo-bysykkel", HorizonHours: 1}
	}
	return ps, nil
}

// untilClosed waits until the server has no more of a connection than the
// kernel has. It reads nothing.
func (w *wire) untilClosed(t testing.TB, c *net.TCPConn) {
	t.Helper()
	mine := c.LocalAddr().String()
	for deadline := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
		open := false
		cs := w.conns.open.Load()
		cs.mu.Lock()
		for held := range cs.open {
			open = open || held.RemoteAddr().String() == mine
		}
		cs.mu.Unlock()
		if !open {
			return
		}
		if time.Now().After(deadline) {
			t.Error("a client that never reads is never cut off")
			return
		}
	}
}

// TestLargeBodiesAreBounded has clients hold as much of large bodies as may be
// under way. Another large one is refused, a small one is not, and once they
// are gone the large one is taken.
func TestLargeBodiesAreBounded(t *testing.T) {
	alone(t)
	w := serve(t, func(c *Config, _ *Deps) { c.MaxBodies = 3 * mebibyte })
	large := "POST /predict HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 1000000\r\n\r\n"
	unknown := "POST /predict HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{\r\n"
	var holders []net.Conn
	for _, head := range []string{large, large, unknown} {
		c := w.dial(t)
		if _, err := io.WriteString(c, head); err != nil {
			t.Fatal(err)
		}
		holders = append(holders, c)
	}
	eventually(t, "the bodies to be under way", func() bool { return w.bodies.Load() == 2_000_000+mebibyte })
	body := large + strings.Repeat(" ", 1_000_000-len(given)) + given
	if got := statuses(t, w.say(t, body)); got != "503" {
		t.Errorf("a large body more gets %q", got)
	}
	w.alive(t)
	for _, c := range holders {
		c.Close()
	}
	eventually(t, "the bodies to be over", func() bool { return w.bodies.Load() == 0 })
	if got := statuses(t, w.say(t, body)); got != "200" {
		t.Errorf("a large body alone gets %q", got)
	}
}

func eventually(t testing.TB, what string, so func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !so(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited %v for %s", patience, what)
		}
	}
}

// TestConnectionsMakeRoom fills a server with connections that ask for nothing:
// those that have waited longest go, one with a request under way stays, and
// good clients get in.
func TestConnectionsMakeRoom(t *testing.T) {
	alone(t)
	r := slow{rows{row: newestRow(t)}, make(chan struct{}), make(chan struct{})}
	w := serve(t, withRows(r), func(c *Config, _ *Deps) { c.MaxConnections = 32 })
	busy := w.dial(t)
	io.WriteString(busy, "POST /predict HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
	<-r.entered
	idle := make([]*net.TCPConn, 100)
	for i := range idle {
		idle[i] = w.dial(t)
		if i%2 == 0 {
			io.WriteString(idle[i], "GET /health HTTP/1.1\r\nHost: ") // slow, not silent
		}
		if i%10 == 0 {
			if got := statuses(t, w.say(t, "POST /predict HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: "+fmt.Sprint(len(given))+"\r\n\r\n"+given)); got != "200" {
				t.Errorf("among %d idle ones a good client gets %q", i, got)
			}
		}
	}
	if n := w.conns.open.Load().count(); n > 32 {
		t.Errorf("%d connections, want at most 32", n)
	}
	if n := testutil.ToFloat64(w.conns.evicted); n < 60 {
		t.Errorf("%v evicted", n)
	}
	// The oldest are gone, the youngest are not.
	if _, err := idle[0].Read(make([]byte, 1)); err != io.EOF && !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("the oldest is there: %v", err)
	}
	if err := idle[99].SetReadDeadline(time.Now().Add(20 * time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	if _, err := idle[99].Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("the youngest is gone: %v", err)
	}
	close(r.leave)
	answer, err := io.ReadAll(busy)
	if got := statuses(t, answer); err != nil || got != "200" {
		t.Errorf("the request that was under way gets %q: %v", got, err)
	}
}
