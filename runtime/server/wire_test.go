package server

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// patience is how long a test waits for what takes milliseconds on a machine
// that has nothing else to do.
const patience = 30 * time.Second

// wire is a server on a port of its own.
type wire struct {
	*testServer
	address string
}

// serve starts a server, and holds at the end of the test that it stops well
// and that no connection is left. It must come before anything that has to be
// over by then.
func serve(t *testing.T, options ...option) *wire {
	t.Helper()
	s := setup(t, options...)
	address, stop, ended := start(t, s)
	t.Cleanup(func() {
		stop()
		select {
		case err := <-ended:
			if err != nil {
				t.Errorf("the server ended with: %v", err)
			}
		case <-time.After(patience):
			t.Error("the server does not end")
		}
		if n := s.conns.open.Load().count(); n != 0 {
			t.Errorf("%d connections are left", n)
		}
	})
	return &wire{s, address}
}

// alone holds that a test leaves no goroutine behind. The test must not run in
// parallel with others.
func alone(t testing.TB) {
	t.Helper()
	before := runtime.NumGoroutine()
	t.Cleanup(func() {
		http.DefaultClient.CloseIdleConnections()
		deadline := time.Now().Add(patience)
		for ; runtime.NumGoroutine() > before; time.Sleep(5 * time.Millisecond) {
			if time.Now().After(deadline) {
				stacks := make([]byte, 1<<20)
				t.Fatalf("%d goroutines before, %d after:\n%s", before, runtime.NumGoroutine(), stacks[:runtime.Stack(stacks, true)])
			}
		}
	})
}

func (w *wire) dial(t testing.TB) *net.TCPConn {
	t.Helper()
	c, err := net.Dial("tcp", w.address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	if err := c.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	return c.(*net.TCPConn)
}

// alive asks for a prediction as a good client does.
func (w *wire) alive(t testing.TB) {
	t.Helper()
	got := statuses(t, w.say(t, "POST /predict HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: "+strconv.Itoa(len(given))+"\r\n\r\n"+given))
	if got != "200" {
		t.Errorf("a good client gets %q", got)
	}
}

// quiet is how long nothing comes back before a test takes it that no more
// will.
const quiet = time.Second

// say sends bytes on a connection and gives all that comes back.
func (w *wire) say(t testing.TB, text string) []byte {
	t.Helper()
	answer, err := w.tell(text)
	if err != nil {
		t.Fatal(err)
	}
	return answer
}

// tell ends its half of the connection last, as the server takes that for a
// client that is gone.
func (w *wire) tell(text string) (answer []byte, err error) {
	c, err := net.Dial("tcp", w.address)
	if err != nil {
		return nil, err
	}
	var sending sync.WaitGroup
	defer sending.Wait()
	defer c.Close()
	if err := c.SetDeadline(time.Now().Add(patience)); err != nil {
		return nil, err
	}
	sending.Go(func() { _, _ = io.WriteString(c, text) }) // the server may hang up before it has read all
	hangUp := time.AfterFunc(quiet, func() {
		sending.Wait()
		_ = c.(*net.TCPConn).CloseWrite()
	})
	defer hangUp.Stop()
	for b := make([]byte, 64<<10); ; {
		n, err := c.Read(b)
		answer = append(answer, b[:n]...)
		switch {
		case err == nil:
			hangUp.Reset(quiet)
		case errors.Is(err, os.ErrDeadlineExceeded):
			return nil, fmt.Errorf("the server neither answers nor hangs up; it said %q", answer)
		case err == io.EOF, errors.Is(err, syscall.ECONNRESET):
			return answer, nil
		default:
			return nil, err
		}
	}
}

// statuses reads the status of each answer, interim ones too.
func statuses(t testing.TB, answers []byte) string {
	t.Helper()
	var got []string
	for r := bufio.NewReader(bytes.NewReader(answers)); ; {
		if _, err := r.Peek(1); err != nil {
			return strings.Join(got, " ")
		}
		resp, err := http.ReadResponse(r, nil)
		if err != nil {
			t.Fatalf("no answer of HTTP: %v in %.300q", err, answers)
		}
		got = append(got, strconv.Itoa(resp.StatusCode))
		if resp.StatusCode == http.StatusContinue {
			continue
		}
		body, err := io.ReadAll(resp.Body)
		if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) { // HEAD has a length and no body
			t.Fatalf("the body of %s: %v", resp.Status, err)
		}
		checkWireForm(t, resp, body)
	}
}

// checkWireForm holds an answer to what all promise. What net/http itself
// answers, before there is a request, is a fixed text that closes.
func checkWireForm(t testing.TB, r *http.Response, body []byte) {
	t.Helper()
	if r.Header.Get(requestIDHeader) != "" {
		if r.Header.Get("X-Content-Type-Options") != "nosniff" || r.Header.Get("Content-Security-Policy") == "" ||
			r.Header.Get("X-Frame-Options") == "" || r.Header.Get("Cache-Control") == "" || r.Header.Get("Referrer-Policy") == "" {
			t.Errorf("headers are missing: %v", r.Header)
		}
		return
	}
	if !r.Close || bytes.ContainsAny(body, "<>{}&/") {
		t.Errorf("an answer of net/http itself that goes on, or has what a client sent: %v %q", r.Header, body)
	}
	if kind := r.Header.Get("Content-Type"); kind != "text/plain; charset=utf-8" && len(body) > 0 {
		t.Errorf("an answer of net/http itself of type %q", kind)
	}
}

// given is a body that needs no store.
const given = `{"features":` + classic + `}`
