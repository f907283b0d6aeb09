package ingest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/hashicorp/go-retryablehttp"
)

// maxReset is the longest that a ratelimit-reset is believed.
const maxReset = 24 * time.Hour

// call is the state of one request over its attempts.
type call struct {
	client   *Client
	host     string
	attempts int
	wait     time.Duration // before the next attempt
	limit    *LimitError   // why there is no next attempt
}

// checkRetry decides after each attempt. What the source says about its
// limits is noted for every request to come.
func (c *call) checkRetry(ctx context.Context, resp *http.Response, err error) (bool, error) {
	c.attempts++
	var local *localError
	if ctx.Err() != nil || errors.Is(err, errTooLarge) || errors.As(err, &local) {
		return false, err
	}
	retry, _ := retryablehttp.DefaultRetryPolicy(ctx, resp, err)
	if resp == nil || !retry {
		return retry, err
	}
	now := c.client.cfg.Now()
	wait := retryAfter(resp, now)
	until := now.Add(wait)
	c.client.block(c.host, until)
	if wait > c.client.cfg.MaxRetryAfter {
		c.limit = &LimitError{Host: c.host, Until: until}
		return false, nil
	}
	return true, nil
}

// backoff plans the wait before the next attempt. The waiting itself is done
// by pause, on the client's own clock.
func (c *call) backoff(_, _ time.Duration, attempt int, resp *http.Response) time.Duration {
	cfg := &c.client.cfg
	ceiling := cfg.MaxWait
	if attempt < 20 {
		ceiling = min(cfg.MinWait<<attempt, cfg.MaxWait)
	}
	c.wait = time.Duration(cfg.Random() * float64(ceiling))
	if resp != nil {
		c.wait = max(c.wait, retryAfter(resp, cfg.Now()))
	}
	return 0
}

// pause waits as planned, and as the rate limit wants.
func (c *call) pause(req *http.Request) error {
	ctx := req.Context()
	c.client.cfg.Logger.DebugContext(ctx, "asking again", "url", displayURL(req.URL), "attempt", c.attempts+1, "wait", c.wait)
	if err := c.client.cfg.Sleep(ctx, c.wait); err != nil {
		return err
	}
	return c.client.await(ctx, c.host)
}

// await waits until the host may be asked, or refuses where that is too long.
func (c *Client) await(ctx context.Context, host string) error {
	c.mu.Lock()
	until := c.blocked[host]
	c.mu.Unlock()
	wait := until.Sub(c.cfg.Now())
	switch {
	case wait <= 0:
		return ctx.Err()
	case wait > c.cfg.MaxRetryAfter:
		return &LimitError{Host: host, Until: until}
	}
	return c.cfg.Sleep(ctx, wait)
}

// block notes that the host is not to be asked before until.
func (c *Client) block(host string, until time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if until.After(c.blocked[host]) {
		c.blocked[host] = until
	}
}

// noteLimit reads ratelimit-remaining and ratelimit-reset.
func (c *Client) noteLimit(resp *http.Response) {
	remaining, err := strconv.Atoi(strings.TrimSpace(resp.Header.Get("ratelimit-remaining")))
	if err != nil || remaining > 0 {
		return
	}
	now := c.cfg.Now()
	if wait, ok := resetAfter(resp.Header.Get("ratelimit-reset"), now); ok {
		c.block(resp.Request.URL.Host, now.Add(min(wait, maxReset)))
	}
}

// resetAfter reads a ratelimit-reset, which is seconds from now or, from some
// servers, Unix time.
func resetAfter(header string, now time.Time) (time.Duration, bool) {
	seconds, err := strconv.ParseFloat(strings.TrimSpace(header), 64)
	if err != nil || !(seconds >= 0) {
		return 0, false
	}
	const unix = 1e9 // as seconds from now that would be 31 years
	if seconds >= unix {
		seconds -= float64(now.Unix())
	}
	return time.Duration(min(max(seconds, 0), maxReset.Seconds()) * float64(time.Second)), true
}

// retryAfter is what a 429 or 503 asks for: seconds, or a date.
func retryAfter(resp *http.Response, now time.Time) time.Duration {
	if resp.StatusCode != http.StatusTooManyRequests && resp.StatusCode != http.StatusServiceUnavailable {
		return 0
	}
	header := strings.TrimSpace(resp.Header.Get("Retry-After"))
	if seconds, err := strconv.ParseInt(header, 10, 64); err == nil {
		return time.Duration(min(max(seconds, 0), int64(maxReset/time.Second))) * time.Second
	}
	if date, err := http.ParseTime(header); err == nil {
		return min(max(date.Sub(now), 0), maxReset)
	}
	return 0
}

// consumingTransport reads each body within the attempt that brought it, so
// that a body which is cut off, reset or too slow is retried like a request
// that failed before its headers.
type consumingTransport struct {
	next     http.RoundTripper
	client   *Client
	maxBytes int64
	consume  func(io.Reader) error

	inBody bool // whether the last attempt got as far as the body
}

// RoundTrip implements http.RoundTripper. The body of a 200 goes to consume;
// of any other answer the beginning is kept.
func (t *consumingTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	t.inBody = false
	resp, err := t.next.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	t.inBody = true
	t.client.noteLimit(resp)
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		// A reason that cannot be read leaves the status, which says enough.
		reason, _ := io.ReadAll(io.LimitReader(resp.Body, maxReason))
		resp.Body = io.NopCloser(bytes.NewReader(reason))
		return resp, nil
	}
	if resp.ContentLength > t.maxBytes {
		return nil, errTooLarge
	}
	if err := t.consume(&cappedReader{r: resp.Body, left: t.maxBytes}); err != nil {
		return nil, fmt.Errorf("read body: %w", err)
	}
	resp.Body = http.NoBody
	return resp, nil
}

// late says what the last attempt waited for when its time was up.
func (t *consumingTransport) late(timeout time.Duration) error {
	if t.inBody {
		return fmt.Errorf("the body took longer than the timeout of %s", timeout)
	}
	return fmt.Errorf("no answer came within the timeout of %s", timeout)
}

// cappedReader fails with errTooLarge where LimitReader would pretend an end.
type cappedReader struct {
	r    io.Reader
	left int64
}

func (c *cappedReader) Read(p []byte) (int, error) {
	if c.left <= 0 {
		var one [1]byte
		if n, err := c.r.Read(one[:]); n == 0 {
			return 0, err
		}
		return 0, errTooLarge
	}
	n, err := c.r.Read(p[:min(int64(len(p)), c.left)])
	c.left -= int64(n)
	return n, err
}
