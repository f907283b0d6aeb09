package server

import (
	"log/slog"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"
)

// AccessLog says which requests are logged.
type AccessLog string

const (
	// AccessErrors logs what was refused or failed and what changes the
	// models. The rest is there at the level debug: machines ask it again and
	// again, and predictions have a log of their own.
	AccessErrors AccessLog = "errors"

	// AccessAll logs every request.
	AccessAll AccessLog = "all"

	// AccessNone logs the server's own failures alone.
	AccessNone AccessLog = "none"
)

// logAccess writes the request's line.
func (s *Server) logAccess(c *gin.Context, endpoint string, status int, took time.Duration) {
	if status < 500 && s.cfg.AccessLog == AccessNone {
		return
	}
	level := s.accessLevel(endpoint, status)
	if !s.log.Enabled(c.Request.Context(), level) {
		return
	}
	attrs := []slog.Attr{
		slog.String("request_id", requestID(c)),
		slog.String("method", clip(c.Request.Method)),
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

func (s *Server) accessLevel(endpoint string, status int) slog.Level {
	switch {
	case status >= 500 && status != http.StatusServiceUnavailable:
		return slog.LevelError
	case status >= 500:
		return slog.LevelWarn
	case status >= 400, s.cfg.AccessLog == AccessAll, s.guarded[endpoint], endpoint == "/explain":
		return slog.LevelInfo
	}
	return slog.LevelDebug
}
