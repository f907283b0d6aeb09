package ingest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"livelab/pipeline/observation"
)

// fakeClock is a clock that only sleeping moves.
type fakeClock struct {
	mu    sync.Mutex
	now   time.Time
	slept []time.Duration
}

func newFakeClock() *fakeClock { return &fakeClock{now: fetched} }

func (c *fakeClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *fakeClock) Sleep(ctx context.Context, d time.Duration) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.slept = append(c.slept, d)
	c.now = c.now.Add(d)
	return ctx.Err()
}

func (c *fakeClock) total() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	var sum time.Duration
	for _, d := range c.slept {
		sum += d
	}
	return sum
}

// serve starts a server whose n-th request, from 0, goes to answer.
func serve(t *testing.T, answer func(n int, w http.ResponseWriter, r *http.Request)) (url string, asked func() int) {
	t.Helper()
	var mu sync.Mutex
	n := 0
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		i := n
		n++
		mu.Unlock()
		answer(i, w, r)
	}))
	t.Cleanup(s.Close)
	return s.URL, func() int { mu.Lock(); defer mu.Unlock(); return n }
}

// testClient has a clock of its own and no jitter: it always waits the whole
// backoff.
func testClient(clock *fakeClock, change func(*ClientConfig)) *Client {
	cfg := ClientConfig{UserAgent: "livelab/test", Timeout: 2 * time.Second, Now: clock.Now, Sleep: clock.Sleep,
		Random: func() float64 { return 1 }, Transport: &http.Transport{DisableKeepAlives: true}}
	if change != nil {
		change(&cfg)
	}
	return NewClient(cfg)
}

// hijack answers with bytes of our own and cuts the connection; reset does so
// rudely.
func hijack(t *testing.T, w http.ResponseWriter, data string, reset bool) {
	conn, _, err := w.(http.Hijacker).Hijack()
	if err != nil {
		t.Error(err)
		return
	}
	_, _ = io.WriteString(conn, data)
	if reset {
		_ = conn.(*net.TCPConn).SetLinger(0)
	}
	conn.Close()
}

func TestClientFaults(t *testing.T) {
	t.Parallel()
	ok := network(station("a", `"free_bikes":1,"empty_slots":2`))
	write := func(body string) func(*testing.T, int, http.ResponseWriter, *http.Request) {
		return func(_ *testing.T, _ int, w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, body) }
	}
	status := func(code int, header, value, body string) func(*testing.T, int, http.ResponseWriter, *http.Request) {
		return func(_ *testing.T, _ int, w http.ResponseWriter, _ *http.Request) {
			if header != "" {
				w.Header().Set(header, value)
			}
			w.WriteHeader(code)
			_, _ = io.WriteString(w, body)
		}
	}
	raw := func(data string, reset bool) func(*testing.T, int, http.ResponseWriter, *http.Request) {
		return func(t *testing.T, _ int, w http.ResponseWriter, _ *http.Request) { hijack(t, w, data, reset) }
	}
	const head = "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"
	tests := map[string]struct {
		answer func(*testing.T, int, http.ResponseWriter, *http.Request)
		faulty int    // requests that get answer; those after are answered well
		want   string // of the error; empty for none
		asked  int
		slept  time.Duration
	}{
		"well":                      {write(ok), 0, "", 1, 0},
		"HTML":                      {write("<html>login</html>"), 9, "HTML", 1, 0},
		"empty":                     {write(""), 9, "empty", 1, 0},
		"404 text with a 200":       {write("404 Not Found"), 9, "not JSON", 1, 0},
		"cut off JSON":              {write(ok[:100]), 9, "cut off", 1, 0},
		"404":                       {status(404, "", "", `{"detail":"no such network"}`), 9, "no such network", 1, 0},
		"404 names the list":        {status(404, "", "", ``), 9, "/networks", 1, 0},
		"400":                       {status(400, "", "", `{"error":true,"reason":"bad variable"}`), 9, "bad variable", 1, 0},
		"401 is not retried":        {status(401, "", "", "who are you"), 9, "401 Unauthorized", 1, 0},
		"503 then well":             {status(503, "", "", "The service is overloaded"), 1, "", 2, time.Second},
		"503 for good":              {status(503, "", "", "The service is overloaded"), 99, "overloaded", 5, 15 * time.Second},
		"501 is not retried":        {status(501, "", "", ""), 99, "501", 1, 0},
		"429, Retry-After seconds":  {status(429, "Retry-After", "20", ""), 1, "", 2, 20 * time.Second},
		"429, Retry-After date":     {status(429, "Retry-After", fetched.Add(30*time.Second).Format(http.TimeFormat), ""), 1, "", 2, 30 * time.Second},
		"429, Retry-After past":     {status(429, "Retry-After", fetched.Add(-time.Hour).Format(http.TimeFormat), ""), 1, "", 2, time.Second},
		"429, Retry-After too long": {status(429, "Retry-After", "3600", "slow down"), 1, "until 2026-05-11T07:30:00Z", 1, 0},
		"503, Retry-After too long": {status(503, "Retry-After", "90", ""), 1, "until 2026-05-11T06:31:30Z", 1, 0},
		"429 without a word":        {status(429, "", "", ""), 2, "", 3, 3 * time.Second},
		"cut off body":              {raw(head+ok[:50], false), 1, "", 2, time.Second},
		"cut off body for good":     {raw(head+ok[:50], false), 99, "unexpected EOF", 5, 15 * time.Second},
		"reset in the body":         {raw(head+ok[:50], true), 1, "", 2, time.Second},
		"reset at once":             {raw("", true), 2, "", 3, 3 * time.Second},
		"not HTTP":                  {raw("SSH-2.0-OpenSSH\r\n", false), 1, "", 2, time.Second},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url, asked := serve(t, func(n int, w http.ResponseWriter, r *http.Request) {
				if r.Header.Get("User-Agent") != "livelab/test" || r.URL.Path != "/v2/networks/n" {
					t.Errorf("request %s by %q", r.URL, r.Header.Get("User-Agent"))
				}
				if n < tc.faulty {
					tc.answer(t, n, w, r)
					return
				}
				_, _ = io.WriteString(w, ok)
			})
			clock := newFakeClock()
			c := NewCityBikes(CityBikesConfig{BaseURL: url + "/v2"}, testClient(clock, nil))
			payload, err := c.Bikes(t.Context(), "n")
			if err == nil {
				_, err = DecodeBikes(payload.Body, payload.FetchedAt)
			}
			if (err == nil) != (tc.want == "") || err != nil && !strings.Contains(err.Error(), tc.want) {
				t.Errorf("error %v, want %q", err, tc.want)
			}
			if asked() != tc.asked || clock.total() != tc.slept {
				t.Errorf("asked %d times and slept %s, want %d and %s", asked(), clock.total(), tc.asked, tc.slept)
			}
		})
	}
}

func TestClientBoundsTheBody(t *testing.T) {
	t.Parallel()
	for _, announced := range []bool{false, true} {
		url, asked := serve(t, func(_ int, w http.ResponseWriter, _ *http.Request) {
			if announced {
				w.Header().Set("Content-Length", "5000000000")
			}
			for range 1000 { // endless, as far as the client is concerned
				if _, err := w.Write(make([]byte, 1<<16)); err != nil {
					return
				}
			}
		})
		c := testClient(newFakeClock(), func(c *ClientConfig) { c.MaxBody = 1 << 20 })
		if _, _, err := c.Get(t.Context(), url); err == nil || !strings.Contains(err.Error(), "more than 1048576 bytes") {
			t.Errorf("error %v", err)
		}
		if asked() != 1 {
			t.Errorf("asked %d times", asked())
		}
	}
	url, _ := serve(t, func(_ int, w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(make([]byte, 1000)) })
	exact := testClient(newFakeClock(), func(c *ClientConfig) { c.MaxBody = 1000 })
	if body, _, err := exact.Get(t.Context(), url); err != nil || len(body) != 1000 {
		t.Errorf("a body of exactly the limit: %d bytes, %v", len(body), err)
	}
}

func TestClientGivesUpOnSlowSources(t *testing.T) {
	t.Parallel()
	done := make(chan struct{})
	url, asked := serve(t, func(_ int, w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, "{")
		w.(http.Flusher).Flush() // the headers are in time, the body is not
		select {
		case <-r.Context().Done():
		case <-done:
		}
	})
	t.Cleanup(func() { close(done) })
	c := testClient(newFakeClock(), func(c *ClientConfig) { c.Timeout, c.Retries = 20*time.Millisecond, 1 })
	_, _, err := c.Get(t.Context(), url)
	if want := "the body took longer than the timeout of 20ms (2 attempts)"; err == nil || asked() != 2 || !strings.HasSuffix(err.Error(), want) {
		t.Errorf("asked %d times, %v, want %s", asked(), err, want)
	}
}

func TestClientGivesUpOnSilentSources(t *testing.T) {
	t.Parallel()
	done := make(chan struct{})
	url, _ := serve(t, func(n int, w http.ResponseWriter, _ *http.Request) {
		if n == 0 { // the body is cut off: what counts is the last attempt
			hijack(t, w, "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{", false)
			return
		}
		<-done
	})
	t.Cleanup(func() { close(done) })
	c := testClient(newFakeClock(), func(c *ClientConfig) { c.Timeout, c.Retries = 100*time.Millisecond, 1 })
	_, _, err := c.Get(t.Context(), url)
	if want := "no answer came within the timeout of 100ms (2 attempts)"; err == nil || !strings.HasSuffix(err.Error(), want) {
		t.Errorf("%v, want %s", err, want)
	}
}

func TestClientObeysTheRateLimit(t *testing.T) {
	t.Parallel()
	reset := "30"
	url, asked := serve(t, func(_ int, w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("ratelimit-remaining", "0")
		w.Header().Set("ratelimit-reset", reset)
		_, _ = io.WriteString(w, "{}")
	})
	clock := newFakeClock()
	c := testClient(clock, nil)
	get := func() error { _, _, err := c.Get(t.Context(), url); return err }
	if err := get(); err != nil || clock.total() != 0 {
		t.Fatalf("first: %v after %s", err, clock.total())
	}
	reset = fmt.Sprint(clock.Now().Add(30 * time.Second).Add(10 * time.Minute).Unix())
	if err := get(); err != nil || clock.total() != 30*time.Second {
		t.Fatalf("second should wait for the reset: %v after %s", err, clock.total())
	}
	var limit *LimitError
	if err := get(); !errors.As(err, &limit) || asked() != 2 || clock.total() != 30*time.Second {
		t.Fatalf("third should be refused without asking: %v, asked %d times", err, asked())
	}
	if want := fetched.Add(10*time.Minute + 30*time.Second); !limit.Until.Equal(want) {
		t.Errorf("limited until %s, want %s", limit.Until, want)
	}
	other, _ := serve(t, func(_ int, w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "{}") })
	if _, _, err := c.Get(t.Context(), other); err != nil {
		t.Errorf("another host: %v", err)
	}
	_ = clock.Sleep(t.Context(), 10*time.Minute)
	if err := get(); err != nil {
		t.Errorf("after the reset: %v", err)
	}
}

func TestClientStopsWithItsContext(t *testing.T) {
	t.Parallel()
	url, _ := serve(t, func(_ int, w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "50")
		w.WriteHeader(http.StatusTooManyRequests)
	})
	ctx, cancel := context.WithCancel(t.Context())
	c := NewClient(ClientConfig{Sleep: func(ctx context.Context, d time.Duration) error {
		cancel() // while it waits for real
		return sleep(ctx, d)
	}})
	if _, _, err := c.Get(ctx, url); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	if _, _, err := c.Get(ctx, url); !errors.Is(err, context.Canceled) {
		t.Errorf("a request with a dead context: %v", err)
	}
}

func TestClientHidesKeys(t *testing.T) {
	t.Parallel()
	url, _ := serve(t, func(_ int, w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) })
	o := NewOpenMeteo(OpenMeteoConfig{ForecastURL: url + "/v1/forecast?apikey=hunter2"}, testClient(newFakeClock(), nil))
	_, err := o.Current(t.Context(), Place{Network: "n", Latitude: 1, Longitude: 2})
	if err == nil || strings.Contains(err.Error(), "hunter2") || !strings.Contains(err.Error(), "latitude=1") {
		t.Errorf("error %v", err)
	}
}

func TestBadBaseURLs(t *testing.T) {
	t.Parallel()
	client := testClient(newFakeClock(), nil)
	for _, base := range []string{"localhost:8080", "ftp://x", "://", "/v2"} {
		if _, err := NewCityBikes(CityBikesConfig{BaseURL: base}, client).Bikes(t.Context(), "n"); err == nil || !strings.Contains(err.Error(), base) {
			t.Errorf("CityBikes at %q: %v", base, err)
		}
	}
	for _, address := range []string{"file:///etc/forecast", "ftp://x/forecast", "forecast", "http:///forecast"} {
		_, err := NewOpenMeteo(OpenMeteoConfig{ForecastURL: address}, client).Current(t.Context(), Place{Network: "n", Latitude: 1, Longitude: 2})
		if err == nil || !strings.Contains(err.Error(), address) || !strings.Contains(err.Error(), "http:// or https://") || strings.Contains(err.Error(), "attempts") {
			t.Errorf("Open-Meteo at %q: %v", address, err)
		}
	}
	if err := client.Download(t.Context(), "file:///dumps/a.parquet", 1, nil); err == nil || !strings.Contains(err.Error(), "file:///dumps/a.parquet: the address must begin with http://") {
		t.Errorf("a download: %v", err)
	}
	for _, id := range []string{"", ".", ".."} {
		if _, err := NewCityBikes(CityBikesConfig{}, client).Bikes(t.Context(), id); err == nil || !strings.Contains(err.Error(), "name a network") {
			t.Errorf("network %q: %v", id, err)
		}
	}
	if u, err := joinURL("http://h/v2", "networks", "a/../b?c"); err != nil || u != "http://h/v2/networks/a%2F..%2Fb%3Fc" {
		t.Errorf("%s, %v", u, err)
	}
}

func TestOpenMeteoRequests(t *testing.T) {
	t.Parallel()
	var got string
	url, _ := serve(t, func(_ int, w http.ResponseWriter, r *http.Request) {
		got = r.URL.Path + "?" + r.URL.RawQuery
		_, _ = io.WriteString(w, "{}")
	})
	o := NewOpenMeteo(OpenMeteoConfig{ForecastURL: url + "/forecast", ArchiveURL: url + "/archive"}, testClient(newFakeClock(), nil))
	place := Place{Network: "n", Latitude: 59.9, Longitude: -10.75}
	const where = "latitude=59.9&longitude=-10.75"
	const variables = "temperature_2m%2Cprecipitation%2Cwind_speed_10m"
	tests := map[string]struct {
		ask  func() (observation.Payload, error)
		want string
	}{
		"current": {func() (observation.Payload, error) { return o.Current(t.Context(), place) }, "/forecast?current=" + variables + "&" + where + "&timezone=UTC"},
		"recent":  {func() (observation.Payload, error) { return o.Recent(t.Context(), place, 999) }, "/forecast?forecast_days=1&hourly=" + variables + "&" + where + "&past_days=92&timezone=UTC"},
		"archive": {func() (observation.Payload, error) { return o.Archive(t.Context(), place, day0, day0.AddDate(0, 0, 3)) }, "/archive?end_date=2026-03-04&hourly=" + variables + "&" + where + "&start_date=2026-03-01&timezone=UTC"},
	}
	for name, tc := range tests {
		p, err := tc.ask()
		if err != nil || got != tc.want || p.Kind != observation.KindWeather || p.Network != "n" || !p.FetchedAt.Equal(fetched) {
			t.Errorf("%s: asked %s, want %s; %+v, %v", name, got, tc.want, p, err)
		}
	}
}

func TestDownload(t *testing.T) {
	t.Parallel()
	url, asked := serve(t, func(n int, w http.ResponseWriter, r *http.Request) {
		switch {
		case strings.Contains(r.URL.Path, "202601"):
			w.WriteHeader(http.StatusForbidden)
		case n == 1:
			hijack(t, w, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nlonger than what comes later", false)
		default:
			_, _ = io.WriteString(w, "history")
		}
	})
	c := NewCityBikes(CityBikesConfig{HistoryURL: url, MaxHistory: 100}, testClient(newFakeClock(), nil))
	f, err := os.CreateTemp(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	january := time.Date(2026, 1, 31, 23, 0, 0, 0, time.UTC)
	if err := c.History(t.Context(), "n", january, f); !errors.Is(err, ErrNoHistory) {
		t.Errorf("error %v, want ErrNoHistory", err)
	}
	if err := c.History(t.Context(), "n", january.AddDate(0, 0, 1), f); err != nil || asked() != 3 {
		t.Errorf("asked %d times, %v", asked(), err)
	}
	if data, err := os.ReadFile(f.Name()); err != nil || string(data) != "history" {
		t.Errorf("file has %q, %v", data, err)
	}
	closed, err := os.CreateTemp(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	closed.Close()
	if err := c.History(t.Context(), "n", january.AddDate(0, 0, 1), closed); !errors.Is(err, os.ErrClosed) || asked() != 4 {
		t.Errorf("a file that cannot be written: asked %d times, %v", asked(), err)
	}
}
