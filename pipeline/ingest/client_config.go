package ingest

import (
	"cmp"
	"context"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"time"
)

// DefaultMaxBody is the largest body that is read, in bytes.
const DefaultMaxBody = 32 << 20

// ClientConfig says how to ask a source. The zero value asks with the
// defaults.
type ClientConfig struct {
	// UserAgent tells the source who asks, e.g. "livelab/1.2 (+https://…)".
	// Default "livelab".
	UserAgent string
	// Timeout bounds one attempt, its body included. Default 15 s.
	Timeout time.Duration
	// DownloadTimeout bounds one attempt at a download. Default 10 min.
	DownloadTimeout time.Duration
	// MaxBody bounds a body in bytes, after decompression. Default 32 MiB.
	MaxBody int64
	// Retries is how often a failed request is repeated. Default 4; negative
	// for never.
	Retries int
	// MinWait is the backoff before the first retry, which doubles with each
	// and is then multiplied by a random factor. Default 1 s.
	MinWait time.Duration
	// MaxWait bounds the backoff. Default 30 s.
	MaxWait time.Duration
	// MaxRetryAfter is the longest wait that a source may impose, by
	// Retry-After or by its rate limit. Where it wants more, requests fail
	// until then. Default 60 s.
	MaxRetryAfter time.Duration

	// Transport carries the requests. Default: a clone of
	// http.DefaultTransport.
	Transport http.RoundTripper
	// Logger hears of retries. Default: nobody does.
	Logger *slog.Logger
	// Now is the clock. Default time.Now.
	Now func() time.Time
	// Sleep waits, or ends early with the context's error. Default: a timer.
	Sleep func(context.Context, time.Duration) error
	// Random gives the jitter, in [0, 1). Default rand.Float64.
	Random func() float64
}

func (c ClientConfig) withDefaults() ClientConfig {
	c.UserAgent = cmp.Or(c.UserAgent, "livelab")
	c.Timeout = cmp.Or(c.Timeout, 15*time.Second)
	c.DownloadTimeout = cmp.Or(c.DownloadTimeout, 10*time.Minute)
	c.MaxBody = cmp.Or(c.MaxBody, DefaultMaxBody)
	c.Retries = cmp.Or(c.Retries, 4)
	c.Retries = max(c.Retries, 0)
	c.MinWait = cmp.Or(c.MinWait, time.Second)
	c.MaxWait = cmp.Or(c.MaxWait, 30*time.Second)
	c.MaxRetryAfter = cmp.Or(c.MaxRetryAfter, time.Minute)
	if c.Transport == nil {
		c.Transport = http.DefaultTransport.(*http.Transport).Clone()
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Sleep == nil {
		c.Sleep = sleep
	}
	if c.Random == nil {
		c.Random = rand.Float64
	}
	return c
}

// sleep waits for d, or until ctx ends.
func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
