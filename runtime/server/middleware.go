package server

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strconv"
	"sync/atomic"

	"github.com/gin-gonic/gin"
)

// requestIDHeader carries the request's ID both ways. The answer's header is
// also where the server itself finds it.
const requestIDHeader = "X-Request-Id"

// requestIDs makes IDs that differ between requests and between processes.
type requestIDs struct {
	prefix string
	count  *atomic.Uint64
}

func newRequestIDs() requestIDs {
	return requestIDs{prefix: rand.Text()[:12] + "-", count: new(atomic.Uint64)}
}

func (r requestIDs) next() string {
	var b [40]byte
	return string(strconv.AppendUint(append(b[:0], r.prefix...), r.count.Add(1), 10))
}

// identify gives the request its ID: the client's where it is fit to be shown
// and logged, else a new one.
func (s *Server) identify(c *gin.Context) {
	var id string
	if given := c.Request.Header[requestIDHeader]; len(given) > 0 && sane(given[0]) {
		id = given[0]
	} else {
		id = s.ids.next()
	}
	c.Writer.Header()[requestIDHeader] = []string{id}
}

func requestID(c *gin.Context) string {
	if id := c.Writer.Header()[requestIDHeader]; len(id) > 0 {
		return id[0]
	}
	return ""
}

func sane(id string) bool {
	if id == "" || len(id) > 128 {
		return false
	}
	for i := range len(id) {
		switch c := id[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
		case c == '-', c == '_', c == '.', c == ':', c == '/', c == '+', c == '=':
		default:
			return false
		}
	}
	return true
}

// observe counts, times and logs the request.
func (s *Server) observe(c *gin.Context) {
	start := s.now()
	c.Next()
	took := s.now().Sub(start)

	r := s.observed[c.FullPath()]
	if r == nil {
		r = s.unmatched
	}
	status := c.Writer.Status()
	s.metrics.count(r, status, took)
	s.logAccess(c, r.endpoint, status, took)
}

// rescue turns a panic into a problem that does not tell the client where.
func (s *Server) rescue(c *gin.Context) {
	defer func() {
		cause := recover()
		if cause == nil {
			return
		}
		if cause == http.ErrAbortHandler {
			panic(cause) // net/http's own way to drop a connection
		}
		s.log.LogAttrs(context.WithoutCancel(c.Request.Context()), slog.LevelError, "panic while answering",
			slog.String("request_id", requestID(c)),
			slog.String("path", clip(c.Request.URL.Path)),
			slog.Any("panic", cause),
			slog.String("stack", string(debug.Stack())))
		if c.Writer.Written() {
			c.Abort()
			return
		}
		s.fail(c, internal.problem("the reason is in the server's log under the request ID").because(fmt.Errorf("panic: %v", cause)))
	}()
	c.Next()
}

// The headers of every answer. The page has no script and nothing from
// elsewhere, so the policy can forbid all of it.
var (
	contentSecurity = []string{"default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"}
	noSniff         = []string{"nosniff"}
	noReferrer      = []string{"no-referrer"}
	noFrames        = []string{"DENY"}
	noStore         = []string{"no-store"}
)

// secure sets the headers; their values are shared, so that setting them does
// not allocate.
func secure(c *gin.Context) {
	h := c.Writer.Header()
	h["Content-Security-Policy"] = contentSecurity
	h["X-Content-Type-Options"] = noSniff
	h["Referrer-Policy"] = noReferrer
	h["X-Frame-Options"] = noFrames
	h["Cache-Control"] = noStore
}

// smallBody is what a body may have, in bytes, without being counted: the
// number of connections bounds these.
const smallBody = 16 * kibibyte

// admit refuses a large body where those under way already have the memory
// that is meant for them: many clients that each send most of one, slowly,
// could have all of it otherwise. One of unknown length may become the longest.
func (s *Server) admit(c *gin.Context) {
	n := c.Request.ContentLength
	if 0 <= n && n <= smallBody {
		return
	}
	if n < 0 || n > s.cfg.MaxBody {
		n = s.cfg.MaxBody
	}
	defer s.bodies.Add(-n)
	if s.bodies.Add(n) > s.cfg.MaxBodies {
		c.Header("Retry-After", "1")
		c.Header("Connection", "close") // rather than read what is refused
		s.fail(c, overloaded.problem("too many large bodies are being sent at the moment; try again, or send less at a time"))
		return
	}
	c.Next()
}
