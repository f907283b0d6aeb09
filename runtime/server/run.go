package server

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log"
	"log/slog"
	"net"
	"net/http"
	"time"
)

// Run answers on l until ctx ends. Then it is not ready any more, goes on for
// the drain delay, takes no new connections, lets the requests under way finish
// within the drain timeout and closes. It returns nil when all of them did.
func (s *Server) Run(ctx context.Context, l net.Listener) error {
	conns := limitConnections(l, s.cfg.MaxConnections, s.conns.evicted, s.log)
	h := s.httpServer(conns)
	ended := make(chan error, 1)
	go func() {
		if s.cfg.TLS != nil {
			ended <- h.ServeTLS(conns, "", "")
			return
		}
		ended <- h.Serve(conns)
	}()
	s.conns.open.Store(conns)
	select {
	case err := <-ended:
		return errors.Join(fmt.Errorf("serve on %s: %w", l.Addr(), err), h.Close())
	case <-ctx.Done():
	}
	s.draining.Store(true)
	select {
	case err := <-ended:
		return errors.Join(fmt.Errorf("serve on %s: %w", l.Addr(), err), h.Close())
	case <-time.After(s.cfg.DrainDelay):
	}
	return s.drain(ctx, h, conns)
}

// silence is how long a drain waits for the rest of a request's headers.
const silence = time.Second

// drain lets what is under way finish.
func (s *Server) drain(ctx context.Context, h *http.Server, conns *connections) error {
	drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.cfg.DrainTimeout)
	defer cancel()
	// Shutdown closes connections between two requests, but not those that
	// have not sent their first.
	silent := time.AfterFunc(silence, func() { conns.evict(conns.max) })
	defer silent.Stop()
	if err := h.Shutdown(drain); err != nil {
		_ = h.Close() // its error is of the listener, which Shutdown has closed
		return fmt.Errorf("requests were still under way after %v and were cut off: %w", s.cfg.DrainTimeout, err)
	}
	return nil
}

func (s *Server) httpServer(conns *connections) *http.Server {
	return &http.Server{
		Handler:           s.engine,
		ReadHeaderTimeout: s.cfg.ReadHeaderTimeout,
		ReadTimeout:       s.cfg.ReadTimeout,
		WriteTimeout:      s.cfg.WriteTimeout,
		IdleTimeout:       s.cfg.IdleTimeout,
		MaxHeaderBytes:    s.cfg.MaxHeader,
		TLSConfig:         s.cfg.TLS,
		ConnState:         conns.track,
		ErrorLog:          log.New(errorLog{s.log}, "", 0),
		// Its own answer to OPTIONS * would go past the middleware.
		DisableGeneralOptionsHandler: true,
		HTTP2: &http.HTTP2Config{
			MaxConcurrentStreams: 100,
			SendPingTimeout:      s.cfg.ReadTimeout, // who is gone does not say so
			PingTimeout:          s.cfg.ReadHeaderTimeout,
			WriteByteTimeout:     s.cfg.ReadTimeout,
		},
	}
}

// errorLog takes the words of net/http. Handshakes fail at the will of clients,
// so that they are no warning.
type errorLog struct{ to *slog.Logger }

func (l errorLog) Write(line []byte) (int, error) {
	level := slog.LevelWarn
	if bytes.HasPrefix(line, []byte("http: TLS handshake error")) {
		level = slog.LevelDebug
	}
	l.to.Log(context.Background(), level, string(bytes.TrimSpace(line)))
	return len(line), nil
}
