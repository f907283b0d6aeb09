package server

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

// memoryConn is a connection on which a client has sent all that it will.
type memoryConn struct {
	sent *bytes.Reader

	mu     sync.Mutex
	answer bytes.Buffer
	closed chan struct{}
	close  func()
}

func newMemoryConn(sent []byte) *memoryConn {
	c := &memoryConn{sent: bytes.NewReader(sent), closed: make(chan struct{})}
	c.close = sync.OnceFunc(func() { close(c.closed) })
	return c
}

func (c *memoryConn) Read(b []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.sent.Read(b)
}

func (c *memoryConn) Write(b []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.answer.Write(b)
}

func (c *memoryConn) Close() error                     { c.close(); return nil }
func (c *memoryConn) LocalAddr() net.Addr              { return &net.TCPAddr{} }
func (c *memoryConn) RemoteAddr() net.Addr             { return &net.TCPAddr{} }
func (c *memoryConn) SetDeadline(time.Time) error      { return nil }
func (c *memoryConn) SetReadDeadline(time.Time) error  { return nil }
func (c *memoryConn) SetWriteDeadline(time.Time) error { return nil }

// FuzzRawConnection throws bytes at the whole server. Whatever they are, the
// server ends the connection, makes no mistake of its own, and what it answers
// first is an answer.
func FuzzRawConnection(f *testing.F) {
	for _, seed := range []string{
		"", "\r\n\r\n", "GET / HTTP/1.1\r\nHost: x\r\n\r\n", "HEAD /health HTTP/1.0\r\n\r\n",
		"GET /api/predictions?limit=3 HTTP/1.1\r\nHost: x\r\n\r\nGET /model HTTP/1.1\r\nHost: x\r\n\r\n",
		"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}",
		"POST /predict HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
		"POST /explain?lang=en HTTP/1.1\r\nHost: x\r\nX-Request-Id: a\r\nContent-Length: 17\r\n\r\n{\"language\":\"en\"}",
		"POST /reload_model HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer x\r\nOrigin: https://y\r\n\r\n",
		"OPTIONS /predict HTTP/1.1\r\nHost: x\r\nOrigin: https://map.example\r\nAccess-Control-Request-Method: POST\r\n\r\n",
		"POST /v2/models/network-shortage/infer HTTP/1.1\r\nHost: x\r\nContent-Length: 13\r\n\r\n{\"inputs\":[]}",
		"CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n", "OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
		"POST /predict HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: " + "9\r\n\r\n" + given[:9],
		"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Length: 400\r\n\r\n" + given + strings.Repeat(" ", 400),
	} {
		f.Add([]byte(seed))
	}
	s := setup(f, withOrigins)
	l := newFaulty()
	conns := limitConnections(l, 100, s.conns.evicted, s.Server.log)
	h := s.httpServer(conns)
	go h.Serve(conns)
	f.Cleanup(func() { h.Close() })

	f.Fuzz(func(t *testing.T, sent []byte) {
		c := newMemoryConn(sent)
		l.conns <- c
		select {
		case <-c.closed:
		case <-time.After(patience):
			t.Fatal("the connection goes on")
		}
		c.mu.Lock()
		answer := c.answer.Bytes()
		c.mu.Unlock()
		if bytes.Contains(answer, []byte("HTTP/1.1 500")) || bytes.Contains(answer, []byte("HTTP/1.0 500")) || strings.Contains(s.logged.String(), "panic") {
			t.Fatalf("a mistake: %q\n%s", answer, s.logged)
		}
		s.logged.Reset()
		if len(answer) == 0 {
			return
		}
		resp, err := http.ReadResponse(bufio.NewReader(bytes.NewReader(answer)), nil)
		if err != nil {
			t.Fatalf("no answer of HTTP: %v: %q", err, answer)
		}
		if resp.StatusCode == http.StatusContinue {
			return
		}
		body, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
		if err != nil && err != io.ErrUnexpectedEOF { // HEAD has a length and no body
			t.Fatalf("the body: %v: %q", err, answer)
		}
		checkWireForm(t, resp, body)
	})
}
