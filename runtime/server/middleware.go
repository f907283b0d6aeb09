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
	return r.prefix + strconv.FormatUint(r.count.Add(1), 10)
}

// identify gives the request its ID: the client's where it is fit to be shown
// and logged, else a new one.
func (s *Server) identify(c *gin.Context) {
	id := c.Request.Header.Get(requestIDHeader)
	if !sane(id) {
		id = s.ids.next()
	}
	c.Writer.Header()[requestIDHeader] = []string{id}
}

func requestID(c *gin.Context) string { return c.Writer.Header().Get(requestIDHeader) }

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

	endpoint := c.FullPath()
	if endpoint == "" {
		endpoint = "unmatched" // a label for each path that is tried would have no bound
	}
	status := c.Writer.Status()
	s.metrics.requests.WithLabelValues(endpoint, statusText(status)).Inc()
	s.metrics.duration.WithLabelValues(endpoint).Observe(took.Seconds())

	level := accessLevel(endpoint, status)
	if !s.log.Enabled(c.Request.Context(), level) {
		return
	}
	attrs := []slog.Attr{
		slog.String("request_id", requestID(c)),
		slog.String("method", c.Request.Method),
		slog.String("path", clip(c.Request.URL.Path)),
		slog.Int("status", status),
		slog.Int("bytes", max(c.Writer.Size(), 0)),
		slog.Duration("took", took),
		slog.String("remote", c.Request.RemoteAddr),
	}
	if err := c.Errors.Last(); err != nil {
		attrs = append(attrs, slog.String("error", err.Error()))
	}
	s.log.LogAttrs(c.Request.Context(), level, "request", attrs...)
}

// accessLevel keeps what is asked again and again by machines out of the log
// of the day: predictions have a log of their own.
func accessLevel(endpoint string, status int) slog.Level {
	switch {
	case status >= 500 && status != http.StatusServiceUnavailable:
		return slog.LevelError
	case status >= 500:
		return slog.LevelWarn
	case status >= 400:
		return slog.LevelInfo
	}
	switch endpoint {
	case "/reload_model", "/explain":
		return slog.LevelInfo
	}
	return slog.LevelDebug
}

// statusText is the label of a status; the common ones do not allocate.
func statusText(status int) string {
	switch status {
	case http.StatusOK:
		return "200"
	case http.StatusBadRequest:
		return "400"
	}
	return strconv.Itoa(status)
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
