package ingest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"livelab/pipeline/observation"
)

// fakeSources answers by network; the clock gives the fetch times.
type fakeSources struct {
	mu      sync.Mutex
	clock   *fakeClock
	bikes   map[string]string // bodies; a network without one cannot be reached
	weather string
	asked   []string
}

var errUnreachable = errors.New("connection refused")

func (f *fakeSources) Bikes(_ context.Context, network string) (observation.Payload, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.asked = append(f.asked, "bikes "+network)
	body, ok := f.bikes[network]
	if !ok {
		return observation.Payload{}, errUnreachable
	}
	return observation.Payload{Kind: observation.KindBikes, Network: network, FetchedAt: f.clock.Now(), Body: []byte(body)}, nil
}

func (f *fakeSources) Current(_ context.Context, at Place) (observation.Payload, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.asked = append(f.asked, fmt.Sprintf("weather %s %g", at.Network, at.Latitude))
	if f.weather == "" {
		return observation.Payload{}, errUnreachable
	}
	return observation.Payload{Kind: observation.KindWeather, Network: at.Network, FetchedAt: f.clock.Now(), Body: []byte(f.weather)}, nil
}

func networkNamed(id string) string {
	return strings.Replace(network(station("a", `"free_bikes":1,"empty_slots":-2`)), `"id":"n"`, `"id":"`+id+`"`, 1)
}

const someWeather = `{"current":{"time":"2026-05-11T06:15","interval":900,"temperature_2m":8.5,"precipitation":0.3,"wind_speed_10m":12}}`

func setupCollector(t *testing.T, networks []string, change func(*CollectorConfig)) (*Collector, *fakeSources, *memStore) {
	t.Helper()
	store := newMemStore()
	clock := newFakeClock()
	src := &fakeSources{clock: clock, bikes: map[string]string{}, weather: someWeather}
	for _, n := range networks {
		src.bikes[n] = networkNamed(n)
	}
	cfg := CollectorConfig{Networks: networks, Bikes: src, Weather: src, Parallel: 1, Now: clock.Now, Sleep: clock.Sleep,
		Random: func() float64 { return 0.5 }, Recorder: &Recorder{Store: store, Origin: observation.OriginReal}}
	if change != nil {
		change(&cfg)
	}
	c, err := NewCollector(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return c, src, store
}

func TestCollect(t *testing.T) {
	t.Parallel()
	c, src, store := setupCollector(t, []string{"n", "m"}, nil)
	cycle := c.Collect(t.Context())
	if err := cycle.Err(); err != nil {
		t.Fatal(err)
	}
	stationTime := time.Date(2026, 5, 11, 6, 24, 19, 0, time.UTC)
	for i, id := range []string{"n", "m"} {
		r := cycle.Networks[i]
		if r.Network != id || r.Bikes.Snapshots != 1 || r.Weather.Weather != 1 || !r.Freshness.Equal(stationTime) || r.Oddities.String() != "1 negative counts" {
			t.Errorf("result %+v", r)
		}
		if n := store.networks[id]; len(n.payloads) != 2 || n.network.City != "Siena" || n.weather[fetched.Add(-15*time.Minute)].Precipitation != 1.2 {
			t.Errorf("stored %+v", n)
		}
	}
	if got, want := strings.Join(src.asked, ";"), "bikes n;weather n 43.3;bikes m;weather m 43.3"; got != want {
		t.Errorf("asked %s, want %s", got, want)
	}
	s := c.Status()[0]
	if s.Network != "n" || !s.Bikes.LastSuccess.Equal(fetched) || !s.Bikes.Freshness.Equal(stationTime) || !s.Weather.Freshness.Equal(fetched.Add(-15*time.Minute)) {
		t.Errorf("status %+v", s)
	}
	if again := c.Collect(t.Context()); !again.Networks[0].Bikes.Duplicate || again.Networks[0].Weather.Weather != 0 || again.Err() != nil {
		t.Errorf("the same payload again: %+v", again.Networks[0])
	}
}

func TestCollectGoesOnAfterErrors(t *testing.T) {
	t.Parallel()
	c, src, store := setupCollector(t, []string{"n", "m", "o"}, nil)
	delete(src.bikes, "n")
	src.bikes["m"] = "<html>"
	cycle := c.Collect(t.Context())
	if r := cycle.Networks[0]; !errors.Is(r.BikesErr, errUnreachable) || r.WeatherErr != nil {
		t.Errorf("unreachable: %+v", r)
	}
	var decode *DecodeError
	if r := cycle.Networks[1]; !errors.As(r.BikesErr, &decode) {
		t.Errorf("lying: %+v", r)
	}
	if r := cycle.Networks[2]; r.Err() != nil || r.Bikes.Snapshots != 1 {
		t.Errorf("well: %+v", r)
	}
	if s := c.Status()[0].Bikes; s.LastError != errUnreachable.Error() || !s.LastSuccess.IsZero() || !s.LastFailure.Equal(fetched) {
		t.Errorf("status %+v", s)
	}
	src.bikes["n"], src.weather = networkNamed("n"), ""
	_ = src.clock.Sleep(t.Context(), time.Minute)
	cycle = c.Collect(t.Context())
	if r := cycle.Networks[0]; r.BikesErr != nil || !errors.Is(r.WeatherErr, errUnreachable) || r.Bikes.Snapshots != 1 {
		t.Errorf("back again without weather: %+v", r)
	}
	if s := c.Status()[0]; s.Bikes.LastError != "" || s.Bikes.LastFailure.IsZero() || s.Weather.LastError == "" {
		t.Errorf("status %+v", s)
	}
	delete(src.bikes, "n")
	src.weather, src.asked = someWeather, nil
	if r := c.Collect(t.Context()).Networks[0]; r.BikesErr == nil || r.WeatherErr != nil || r.Weather.Weather != 1 {
		t.Errorf("weather without bikes, at coordinates known from before: %+v", r)
	}
	store.fail = errors.New("disk full")
	src.bikes["o"] = networkNamed("o") + " "
	src.bikes["o"] = strings.Replace(src.bikes["o"], "06:24", "06:25", 1)
	if r := c.Collect(t.Context()).Networks[2]; !errors.Is(r.BikesErr, store.fail) {
		t.Errorf("store fails: %+v", r)
	}
}

// TestCollectTellsWhatIsNew holds that who wants to know is told of each network
// that brought something new, after it is stored, and of no other.
func TestCollectTellsWhatIsNew(t *testing.T) {
	t.Parallel()
	var told []string
	c, src, store := setupCollector(t, []string{"n", "m"}, nil)
	c.cfg.Stored = func(network string) {
		n := store.networks[network]
		told = append(told, fmt.Sprintf("%s: %d, %d", network, len(n.totals), len(n.weather)))
	}
	cycle := func(what string, want ...string) {
		t.Helper()
		told = nil
		c.Collect(t.Context())
		if !slices.Equal(told, want) {
			t.Errorf("%s: told %q, want %q", what, told, want)
		}
	}
	cycle("all is new", "n: 1, 0", "n: 1, 1", "m: 1, 0", "m: 1, 1")
	cycle("nothing is new")
	delete(src.bikes, "n")
	src.bikes["m"] = strings.ReplaceAll(src.bikes["m"], "06:24:19", "06:34:19")
	cycle("a network is away", "m: 2, 1")
}

func TestWeatherAtMostEveryQuarter(t *testing.T) {
	t.Parallel()
	lat, lon := 59.9, 10.7
	c, src, _ := setupCollector(t, []string{"n"}, func(c *CollectorConfig) { c.Latitude, c.Longitude = &lat, &lon })
	for range 7 { // at 0, 5, ... 30 minutes
		c.Collect(t.Context())
		_ = src.clock.Sleep(t.Context(), 5*time.Minute)
	}
	if got := strings.Count(strings.Join(src.asked, ";"), "weather n 59.9"); got != 3 {
		t.Errorf("asked for weather %d times, want 3: %v", got, src.asked)
	}
}

func TestWeatherWithoutCoordinates(t *testing.T) {
	t.Parallel()
	c, src, _ := setupCollector(t, []string{"n"}, nil)
	src.bikes["n"] = strings.Replace(src.bikes["n"], "43.3", "null", 1)
	if r := c.Collect(t.Context()).Networks[0]; r.BikesErr != nil || r.WeatherErr == nil || !strings.Contains(r.WeatherErr.Error(), "LAT and LON") {
		t.Errorf("%+v", r)
	}
}

// TestFeedThatStandsStill answers well all the time; its stations are of 06:24.
func TestFeedThatStandsStill(t *testing.T) {
	t.Parallel()
	var log strings.Builder
	c, src, _ := setupCollector(t, []string{"n"}, func(c *CollectorConfig) {
		c.Logger = slog.New(slog.NewTextHandler(&log, nil))
	})
	old := src.bikes["n"]
	moved := strings.ReplaceAll(old, "06:24:19", "08:50:00")
	newest := time.Date(2026, 5, 11, 6, 24, 19, 0, time.UTC)
	for _, step := range []struct {
		name  string
		body  string
		at    time.Time
		stale time.Duration
		warns int // so far
	}{
		{"an hour old", old, newest.Add(time.Hour), 0, 0},
		{"older", old, newest.Add(2*time.Hour + 29*time.Second), 2*time.Hour + 29*time.Second, 1},
		{"older still", old, newest.Add(150 * time.Minute), 150 * time.Minute, 1},
		{"it moves", moved, newest.Add(151 * time.Minute), 0, 1},
		{"and stands still again", moved, newest.Add(300 * time.Minute), 154*time.Minute + 19*time.Second, 2},
	} {
		src.bikes["n"], src.clock.now = step.body, step.at
		r := c.Collect(t.Context()).Networks[0]
		if r.BikesErr != nil || r.Stale != step.stale {
			t.Errorf("%s: stale for %s (%v), want %s", step.name, r.Stale, r.BikesErr, step.stale)
		}
		if got := strings.Count(log.String(), "level=WARN"); got != step.warns {
			t.Errorf("%s: %d warnings, want %d:\n%s", step.name, got, step.warns, log.String())
		}
	}
	if want := `msg="the feed stands still" network=n freshness=2026-05-11T06:24:19.000Z age=2h0m0s`; !strings.Contains(log.String(), want) {
		t.Errorf("the log lacks %s:\n%s", want, log.String())
	}
}

func TestRunSurvivesAndEnds(t *testing.T) {
	t.Parallel()
	var log strings.Builder
	ctx, cancel := context.WithCancel(t.Context())
	var waits []time.Duration
	var c *Collector
	c, src, _ := setupCollector(t, []string{"n", "m"}, func(c *CollectorConfig) {
		c.Logger = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
		inner := c.Sleep
		c.Sleep = func(ctx context.Context, d time.Duration) error {
			if waits = append(waits, d); len(waits) == 3 {
				cancel()
			}
			return inner(ctx, d)
		}
	})
	delete(src.bikes, "m")
	if err := c.Run(ctx, 5*time.Minute); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	if len(waits) != 3 || waits[0] != 5*time.Minute {
		t.Errorf("waits %v", waits)
	}
	if failed, well := strings.Count(log.String(), "collecting failed"), strings.Count(log.String(), "level=INFO msg=collected"); failed != 3 || well != 1 {
		t.Errorf("%d failures and %d successes in the log:\n%s", failed, well, log.String())
	}
	if same := strings.Count(log.String(), "level=DEBUG msg=collected"); same != 2 {
		t.Errorf("%d cycles without news in the log, want 2:\n%s", same, log.String())
	}
	if err := c.Run(t.Context(), 0); err == nil {
		t.Error("an interval of nothing should be refused")
	}
}

// TestStatusWhileCollecting is for the race detector.
func TestStatusWhileCollecting(t *testing.T) {
	t.Parallel()
	c, _, _ := setupCollector(t, []string{"n", "m", "o", "p", "q"}, func(c *CollectorConfig) { c.Parallel = 3 })
	done := make(chan struct{})
	go func() {
		defer close(done)
		for range 5 {
			c.Collect(t.Context())
		}
	}()
	for {
		select {
		case <-done:
			if s := c.Status(); len(s) != 5 || s[4].Bikes.LastSuccess.IsZero() {
				t.Errorf("status %+v", s)
			}
			return
		default:
			c.Status()
		}
	}
}

func TestNewCollectorRefuses(t *testing.T) {
	t.Parallel()
	rec, src, lat := &Recorder{}, &fakeSources{}, 1.0
	for name, cfg := range map[string]CollectorConfig{
		"no network":    {Bikes: src, Recorder: rec},
		"no source":     {Networks: []string{"n"}, Recorder: rec},
		"no recorder":   {Networks: []string{"n"}, Bikes: src},
		"half a place":  {Networks: []string{"n"}, Bikes: src, Recorder: rec, Latitude: &lat},
		"network twice": {Networks: []string{"n", "n"}, Bikes: src, Recorder: rec},
	} {
		if _, err := NewCollector(cfg); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
