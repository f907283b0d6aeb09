package server

import (
	"crypto/tls"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// Certificate is a certificate with its key in two PEM files. It reads them
// again once they have changed, so that a renewal needs no restart. It is safe
// for concurrent use.
type Certificate struct {
	certFile, keyFile string
	log               *slog.Logger
	now               func() time.Time

	current atomic.Pointer[tls.Certificate]

	mu      sync.Mutex // guards what follows
	looked  time.Time  // at the files' state, last
	seen    [2]fileState
	problem string // of the last renewal, which is told once
}

// lookEvery is how often the files' state is asked for at most.
const lookEvery = time.Second

// fileState differs between a file's versions.
type fileState struct {
	modified time.Time
	size     int64
}

// OpenCertificate reads the certificate, with the chain that leads from it to
// its issuer, and its key. Now is the clock.
func OpenCertificate(certFile, keyFile string, log *slog.Logger, now func() time.Time) (*Certificate, error) {
	c := &Certificate{certFile: certFile, keyFile: keyFile, log: log, now: now, looked: now()}
	var err error
	if c.seen, err = c.state(); err != nil {
		return nil, err
	}
	return c, c.read()
}

// Config is for servers: TLS 1.2 or newer, with the certificate as it is at
// each handshake.
func (c *Certificate) Config() *tls.Config {
	return &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: c.get}
}

// get never fails once there is a certificate: a renewal that is half written
// leaves the old one in use.
func (c *Certificate) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	if c.mu.TryLock() { // the others need not wait for the one that looks
		c.renew()
		c.mu.Unlock()
	}
	return c.current.Load(), nil
}

func (c *Certificate) renew() {
	now := c.now()
	if now.Sub(c.looked) < lookEvery {
		return
	}
	c.looked = now
	seen, err := c.state()
	if err == nil && seen == c.seen {
		return
	}
	if c.seen = seen; err == nil {
		err = c.read()
	}
	switch {
	case err == nil:
		c.problem = ""
		c.log.Info("certificate renewed", "until", c.current.Load().Leaf.NotAfter)
	case err.Error() != c.problem:
		c.problem = err.Error()
		c.log.Error("the renewed certificate cannot be used; the old one is", "error", err)
	}
}

func (c *Certificate) state() (state [2]fileState, err error) {
	for i, name := range []string{c.certFile, c.keyFile} {
		info, err := os.Stat(name)
		if err != nil {
			return state, fmt.Errorf("read the certificate: %w", err)
		}
		state[i] = fileState{info.ModTime(), info.Size()}
	}
	return state, nil
}

func (c *Certificate) read() error {
	pair, err := tls.LoadX509KeyPair(c.certFile, c.keyFile)
	if err != nil {
		return fmt.Errorf("read the certificate %s with the key %s: %w", c.certFile, c.keyFile, err)
	}
	if left := pair.Leaf.NotAfter.Sub(c.now()); left < 0 {
		c.log.Error("the certificate has expired: clients will refuse it", "file", c.certFile, "until", pair.Leaf.NotAfter)
	}
	c.current.Store(&pair)
	return nil
}
