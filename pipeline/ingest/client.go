package ingest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/go-retryablehttp"
)

// maxReason bounds what is read of the body of a refusal.
const maxReason = 64 << 10

// Client asks sources over HTTP: it retries what may pass, waits where a
// source asks for it, and bounds time and size. It is safe for concurrent
// use, and what one goroutine learns of a rate limit holds for all.
type Client struct {
	cfg ClientConfig

	mu      sync.Mutex
	blocked map[string]time.Time // host -> when it may be asked again
}

// NewClient fills in the defaults.
func NewClient(cfg ClientConfig) *Client {
	return &Client{cfg: cfg.withDefaults(), blocked: map[string]time.Time{}}
}

// StatusError is an answer with a status that is not 200.
type StatusError struct {
	URL    string
	Status int
	Reason string // the beginning of the body
}

func (e *StatusError) Error() string {
	msg := fmt.Sprintf("GET %s: %d %s", e.URL, e.Status, http.StatusText(e.Status))
	if e.Reason != "" {
		msg += fmt.Sprintf(": %q", e.Reason)
	}
	return msg
}

// LimitError says that a source does not want to be asked before Until.
type LimitError struct {
	Host  string
	Until time.Time
}

func (e *LimitError) Error() string {
	return fmt.Sprintf("%s limits requests until %s; ask less often, or for fewer networks",
		e.Host, e.Until.UTC().Format(time.RFC3339))
}

// errTooLarge ends a request whose body passes the limit; it is not retried.
var errTooLarge = errors.New("body too large")

// Get fetches a URL and gives the body and when it had come.
func (c *Client) Get(ctx context.Context, url string) (body []byte, at time.Time, err error) {
	var buf bytes.Buffer
	err = c.do(ctx, url, c.cfg.Timeout, c.cfg.MaxBody, func(r io.Reader) error {
		buf.Reset()
		_, err := buf.ReadFrom(r)
		return err
	})
	return buf.Bytes(), c.cfg.Now().UTC(), err
}

// File is what Download writes to; *os.File is one.
type File interface {
	io.WriteSeeker
	Truncate(size int64) error
}

// Download fetches a URL into a file, whose content it replaces.
func (c *Client) Download(ctx context.Context, url string, maxBytes int64, to File) error {
	return c.do(ctx, url, c.cfg.DownloadTimeout, maxBytes, func(r io.Reader) error {
		if err := to.Truncate(0); err != nil {
			return &localError{err}
		}
		if _, err := to.Seek(0, io.SeekStart); err != nil {
			return &localError{err}
		}
		w := &localWriter{w: to}
		_, err := io.Copy(w, r)
		if w.err != nil {
			return &localError{w.err}
		}
		return err
	})
}

// localError is a failure on our side, which asking again does not mend.
type localError struct{ err error }

func (e *localError) Error() string { return e.err.Error() }
func (e *localError) Unwrap() error { return e.err }

// localWriter remembers whether it was the writing that failed.
type localWriter struct {
	w   io.Writer
	err error
}

func (l *localWriter) Write(p []byte) (n int, err error) {
	n, l.err = l.w.Write(p)
	return n, l.err
}

// do runs a request with its retries. consume reads the body of each attempt
// that is answered with 200.
func (c *Client) do(ctx context.Context, rawURL string, timeout time.Duration, maxBytes int64, consume func(io.Reader) error) error {
	req, err := retryablehttp.NewRequestWithContext(ctx, http.MethodGet, rawURL, nil)
	if err != nil {
		return fmt.Errorf("GET %s: %w", rawURL, err)
	}
	shown := displayURL(req.URL)
	if !overHTTP(req.URL) {
		return fmt.Errorf("GET %s: the address must begin with http:// or https:// and name a host", shown)
	}
	req.Header.Set("User-Agent", c.cfg.UserAgent)
	req.Header.Set("Accept", "application/json, */*;q=0.5")
	if err := c.await(ctx, req.URL.Host); err != nil {
		return fmt.Errorf("GET %s: %w", shown, err)
	}
	call := &call{client: c, host: req.URL.Host}
	transport := &consumingTransport{next: c.cfg.Transport, client: c, maxBytes: maxBytes, consume: consume}
	retrying := retryablehttp.Client{
		HTTPClient:   &http.Client{Transport: transport, Timeout: timeout},
		RetryMax:     c.cfg.Retries,
		CheckRetry:   call.checkRetry,
		Backoff:      call.backoff,
		PrepareRetry: call.pause,
		ErrorHandler: retryablehttp.PassthroughErrorHandler,
	}
	resp, err := retrying.Do(req)
	if timedOut(err) {
		err = transport.late(timeout)
	}
	return c.outcome(ctx, shown, maxBytes, call, resp, err)
}

// overHTTP holds for the addresses that a client can ask.
func overHTTP(u *url.URL) bool {
	return u.Host != "" && (u.Scheme == "http" || u.Scheme == "https")
}

// timedOut tells the end of an attempt's time from the end of the context's,
// which outcome names first.
func timedOut(err error) bool {
	var urlErr *url.Error
	return errors.As(err, &urlErr) && urlErr.Timeout()
}

// displayURL is a URL for messages, without the secrets that it may carry.
func displayURL(u *url.URL) string {
	shown := *u
	q := shown.Query()
	for name := range q {
		if lower := strings.ToLower(name); strings.Contains(lower, "key") || strings.Contains(lower, "token") {
			q.Set(name, "xxxxx")
			shown.RawQuery = q.Encode()
		}
	}
	return shown.Redacted()
}

// outcome turns what the last attempt left into one error.
func (c *Client) outcome(ctx context.Context, shown string, maxBytes int64, call *call, resp *http.Response, err error) error {
	var urlErr *url.Error
	if errors.As(err, &urlErr) {
		err = urlErr.Err // the URL is named below
	}
	var limit *LimitError
	switch {
	case errors.As(err, &limit):
		return fmt.Errorf("GET %s: %w", shown, limit)
	case ctx.Err() != nil:
		return fmt.Errorf("GET %s: %w", shown, context.Cause(ctx))
	case errors.Is(err, errTooLarge):
		return fmt.Errorf("GET %s: the body has more than %d bytes; check the URL", shown, maxBytes)
	case resp != nil && resp.StatusCode != http.StatusOK:
		reason, _ := io.ReadAll(resp.Body)
		status := &StatusError{URL: shown, Status: resp.StatusCode, Reason: excerpt(trimBody(reason))}
		if call.limit != nil {
			return fmt.Errorf("%w (%w)", status, call.limit)
		}
		return status
	case err != nil:
		return fmt.Errorf("GET %s: %w (%d attempts)", shown, err, call.attempts)
	}
	return nil
}
