package sim

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"livelab/pipeline/observation"
)

// testServer serves two cities at a time that is no full minute.
func testServer(t testing.TB, cfg ServerConfig) (*Server, time.Time) {
	t.Helper()
	now := time.Date(2026, 5, 11, 6, 24, 19, 678_388_000, time.UTC)
	if cfg.Now == nil {
		cfg.Now = func() time.Time { return now }
	}
	cfg.Cities = []*City{
		testCity(t, Config{}),
		testCity(t, Config{ID: "sim-south", Stations: 12, Latitude: -41.3, Longitude: 174.8}),
	}
	s, err := NewServer(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return s, now
}

func get(s http.Handler, path string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	s.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
	return w
}

// getJSON decodes an answer that must be 200.
func getJSON[T any](t testing.TB, s http.Handler, path string) T {
	t.Helper()
	w := get(s, path)
	if w.Code != http.StatusOK {
		t.Fatalf("GET %s is %d: %s", path, w.Code, w.Body)
	}
	var v T
	if err := json.Unmarshal(w.Body.Bytes(), &v); err != nil {
		t.Fatalf("GET %s: %v", path, err)
	}
	return v
}

func TestServerAnswers(t *testing.T) {
	t.Parallel()
	s, _ := testServer(t, ServerConfig{})
	const forecast = "/v1/forecast?latitude=50&longitude=0"
	const archive = "/v1/archive?latitude=50&longitude=0&hourly=precipitation"
	for _, tt := range []struct {
		path   string
		status int
		holds  string
	}{
		{"/v2/networks", 200, `"href":"/v2/networks/sim-city"`},
		{"/v2/networks/sim-city", 200, `"company":["LiveLab simulator"]`},
		{"/v2/networks/oslo", 404, `{"error":"Network \"oslo\" not found"}`},
		{"/v3/networks", 404, ""},
		{forecast + "&current=temperature_2m&timezone=UTC", 200, `"interval":900`},
		{forecast + "&hourly=temperature_2m&past_days=92", 200, `"2026-02-08T00:00"`},
		{forecast + "&hourly=precipitation&forecast_days=1", 200, `"2026-05-11T23:00"`},
		{forecast, 200, `"utc_offset_seconds":0`},
		{forecast + "&hourly=tempeture_2m", 400, `{"error":true,"reason":"Cannot initialize WeatherVariable from invalid String value tempeture_2m for key hourly"}`},
		{forecast + "&current=rain", 400, `for key current`},
		{forecast + "&hourly=precipitation&past_days=93", 400, `0 to 92. Given: '93'`},
		{forecast + "&hourly=precipitation&forecast_days=x", 400, `Given: 'x'`},
		{forecast + "&timezone=Europe/Oslo", 400, `UTC only`},
		{"/v1/forecast?longitude=0&current=precipitation", 400, `'latitude' is required`},
		{"/v1/forecast?latitude=91&longitude=0", 400, `-90 to 90°. Given: 91`},
		{"/v1/forecast?latitude=NaN&longitude=0", 400, `-90 to 90°. Given: NaN`},
		{archive + "&start_date=2026-05-01&end_date=2026-05-02", 200, `"2026-05-02T23:00"`},
		{archive + "&start_date=2026-05-01", 400, `'end_date' is required`},
		{archive + "&start_date=2026-05-01&end_date=2026-05-12", 400, `out of allowed range from 1940-01-01 to 2026-05-11`},
		{archive + "&start_date=2026-05-02&end_date=2026-05-01", 400, `must not lie before`},
		{"/dumps/by-network/2026/202604-oslo-stats.parquet", 404, ""},
		{"/dumps/by-network/2026/202606-sim-city-stats.parquet", 404, ""},
		{"/dumps/by-network/2025/202604-sim-city-stats.parquet", 404, ""},
		{"/dumps/by-network/2026/202613-sim-city-stats.parquet", 404, ""},
		{"/dumps/by-network/2026/202604-sim-city-stats.csv", 404, ""},
		{"/dumps/by-network/2026/202604-sim-south-stats.parquet", 200, "PAR1"},
	} {
		t.Run(tt.path, func(t *testing.T) {
			t.Parallel()
			w := get(s, tt.path)
			if w.Code != tt.status || !strings.Contains(w.Body.String(), tt.holds) {
				t.Errorf("GET %s is %d %.300s, want %d with %s", tt.path, w.Code, w.Body, tt.status, tt.holds)
			}
		})
	}
}

func TestTheLiveFeedIsTheSnapshotOfTheMinute(t *testing.T) {
	t.Parallel()
	for _, at := range []time.Time{
		time.Date(2026, 5, 11, 6, 24, 19, 678_388_000, time.UTC),
		time.Date(2026, 5, 11, 6, 25, 0, 0, time.UTC),
		whenFaulty(t, testCity(t, Config{})),
	} {
		s, _ := testServer(t, ServerConfig{Now: func() time.Time { return at }})
		want := s.cities["sim-city"].Snapshot(at.Truncate(time.Minute))
		got := getJSON[networkAnswer](t, s, "/v2/networks/sim-city").Network.Stations
		var newest time.Time
		for i, b := range got {
			state := observation.State{FreeBikes: b.FreeBikes, EmptySlots: observation.Unknown, InService: b.Extra.Status == "online"}
			if b.EmptySlots != nil {
				state.EmptySlots = *b.EmptySlots
			}
			if r := want.Readings[i]; r.StationID != b.ID || r.State != state {
				t.Errorf("at %s station %s shows %+v, want %+v", at, b.ID, state, r)
			}
			stamp, err := time.Parse("2006-01-02T15:04:05.000000", strings.TrimSuffix(b.Timestamp, "+00:00Z"))
			if err != nil || stamp.After(at) || at.Sub(stamp) > 2*time.Minute {
				t.Errorf("at %s station %s has the timestamp %s (%v)", at, b.ID, b.Timestamp, err)
			}
			if stamp.After(newest) {
				newest = stamp
			}
		}
		if !newest.Equal(want.At) {
			t.Errorf("the feed's newest time is %s, want %s", newest, want.At)
		}
	}
}

// whenFaulty finds a time with a station offline and another's feed broken.
func whenFaulty(t *testing.T, c *City) time.Time {
	t.Helper()
	for at := start; at.Before(start.AddDate(1, 0, 0)); at = at.Add(time.Hour) {
		offline, mute := false, false
		for _, r := range c.Snapshot(at).Readings {
			offline = offline || !r.InService
			mute = mute || r.InService && r.EmptySlots == observation.Unknown
		}
		if offline && mute {
			return at
		}
	}
	t.Fatal("no time of a year has both faults")
	return time.Time{}
}

// The names are those of CityBikes' and Open-Meteo's own answers.
func TestFieldNamesAreTheRealOnes(t *testing.T) {
	t.Parallel()
	s, _ := testServer(t, ServerConfig{})
	network := getJSON[map[string]map[string]any](t, s, "/v2/networks/sim-city")["network"]
	station := network["stations"].([]any)[0].(map[string]any)
	weather := getJSON[map[string]any](t, s, "/v1/forecast?latitude=50&longitude=0&current=temperature_2m,precipitation,wind_speed_10m&hourly=temperature_2m,wind_speed_10m")
	for _, tt := range []struct {
		what, want string
		got        map[string]any
	}{
		{"network", "company href id location name stations", network},
		{"location", "city country latitude longitude", network["location"].(map[string]any)},
		{"station", "empty_slots extra free_bikes id latitude longitude name timestamp", station},
		{"weather", "current current_units elevation generationtime_ms hourly hourly_units latitude longitude timezone timezone_abbreviation utc_offset_seconds", weather},
		{"current", "interval precipitation temperature_2m time wind_speed_10m", weather["current"].(map[string]any)},
		{"current_units", "interval precipitation temperature_2m time wind_speed_10m", weather["current_units"].(map[string]any)},
		{"hourly", "temperature_2m time wind_speed_10m", weather["hourly"].(map[string]any)},
		{"hourly_units", "temperature_2m time wind_speed_10m", weather["hourly_units"].(map[string]any)},
	} {
		if got := strings.Join(slices.Sorted(maps.Keys(tt.got)), " "); got != tt.want {
			t.Errorf("%s has the fields %s, want %s", tt.what, got, tt.want)
		}
	}
	withSlots := 0
	for _, b := range network["stations"].([]any) {
		if _, ok := b.(map[string]any)["extra"].(map[string]any)["slots"]; ok {
			withSlots++
		}
	}
	if withSlots == 0 || withSlots == 60 {
		t.Errorf("%d of 60 stations state their slots, want some but not all", withSlots)
	}
}

// Where recorded answers lie beside the repository, ours must not have a
// field that theirs lack.
func TestFieldNamesAgreeWithRecordedAnswers(t *testing.T) {
	t.Parallel()
	const recorded = "../../../../shared/fixtures/citybikes_bicincitta-siena_2024-07-17.json"
	raw, err := os.ReadFile(filepath.FromSlash(recorded))
	if err != nil {
		t.Skipf("no recorded answers beside the repository: %v", err)
	}
	var theirs struct{ Network map[string]any }
	if err := json.Unmarshal(raw, &theirs); err != nil {
		t.Fatal(err)
	}
	s, _ := testServer(t, ServerConfig{})
	ours := getJSON[struct{ Network map[string]any }](t, s, "/v2/networks/sim-city")
	first := func(n map[string]any) map[string]any { return n["stations"].([]any)[0].(map[string]any) }
	for _, pair := range [][2]map[string]any{{ours.Network, theirs.Network}, {first(ours.Network), first(theirs.Network)}} {
		for name, value := range pair[0] {
			other, ok := pair[1][name]
			if !ok || fmt.Sprintf("%T", other) != fmt.Sprintf("%T", value) {
				t.Errorf("field %s is a %T here and a %T in a recorded answer", name, value, other)
			}
		}
	}
}

func TestWeatherIsTheCitys(t *testing.T) {
	t.Parallel()
	s, now := testServer(t, ServerConfig{})
	north, south := s.cities["sim-city"], s.cities["sim-south"]
	if a, b := north.Weather(now), south.Weather(now); a == b {
		t.Fatal("two cities have the same weather")
	}
	body := getJSON[weatherBody](t, s, "/v1/forecast?latitude=-41&longitude=-179&current=temperature_2m,precipitation,wind_speed_10m&timezone=UTC")
	want := south.Weather(now.Truncate(15 * time.Minute))
	got := observation.Weather{
		At: want.At, Temperature: body.Current["temperature_2m"].(float64),
		Precipitation: 4 * body.Current["precipitation"].(float64), WindSpeed: body.Current["wind_speed_10m"].(float64),
	}
	if got != want || body.Current["time"] != "2026-05-11T06:15" {
		t.Errorf("current weather is %+v at %v, want %+v", got, body.Current["time"], want)
	}
}

// hourly is a column by time, NaN for null.
func hourly(t *testing.T, s *Server, path, name string) map[string]float64 {
	t.Helper()
	body := getJSON[weatherBody](t, s, path)
	column := make(map[string]float64)
	for i, at := range body.HourlyByVariable["time"].([]any) {
		v, ok := body.HourlyByVariable[name].([]any)[i].(float64)
		if !ok {
			v = math.NaN()
		}
		column[at.(string)] = v
	}
	return column
}

func TestHourlyWeatherKnowsNothingOfTheFuture(t *testing.T) {
	t.Parallel()
	s, now := testServer(t, ServerConfig{})
	c := s.cities["sim-city"]
	const name = "temperature_2m"
	archive := hourly(t, s, "/v1/archive?latitude=50&longitude=0&start_date=2026-05-10&end_date=2026-05-11&hourly="+name, name)
	forecast := hourly(t, s, "/v1/forecast?latitude=50&longitude=0&past_days=1&hourly="+name, name)
	if len(archive) != 48 || len(forecast) != 8*24 {
		t.Fatalf("two days are %d hours and eight are %d", len(archive), len(forecast))
	}
	off, ahead := 0.0, 0
	for text, foretold := range forecast {
		at, err := time.Parse(meteoTime, text)
		if err != nil {
			t.Fatal(err)
		}
		truth := c.Weather(at).Temperature
		told, inArchive := archive[text]
		switch {
		case !at.After(now) && (told != truth || foretold != truth):
			t.Errorf("%s had %v °C, archive says %v and forecast %v", text, truth, told, foretold)
		case at.After(now) && inArchive && !math.IsNaN(told):
			t.Errorf("the archive knows %s, which lies ahead", text)
		case at.After(now.Add(48 * time.Hour)):
			off += math.Abs(foretold - truth)
			ahead++
		}
	}
	if off /= float64(ahead); off < 0.5 {
		t.Errorf("forecasts for two days ahead are off by %.2f °C on average: they tell the future", off)
	}
}

func TestRateLimit(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 5, 11, 6, 59, 0, 0, time.UTC)
	var mu sync.Mutex
	s, _ := testServer(t, ServerConfig{RateLimit: 2, Now: func() time.Time { mu.Lock(); defer mu.Unlock(); return now }})
	for i, want := range []struct {
		status    int
		remaining string
	}{{200, "1"}, {200, "0"}, {429, "0"}} {
		w := get(s, "/v2/networks")
		if got := w.Header().Get("ratelimit-remaining"); w.Code != want.status || got != want.remaining {
			t.Errorf("request %d is %d with %s left, want %+v", i+1, w.Code, got, want)
		}
		if got := w.Header().Get("ratelimit-reset"); got != "60" {
			t.Errorf("request %d resets in %s s, want 60", i+1, got)
		}
	}
	mu.Lock()
	now = now.Add(time.Minute)
	mu.Unlock()
	if w := get(s, "/v2/networks"); w.Code != 200 {
		t.Errorf("a request in the next hour is %d, want 200", w.Code)
	}
	unlimited, _ := testServer(t, ServerConfig{})
	for range 400 {
		if w := get(unlimited, "/v2/networks"); w.Code != 200 || w.Header().Get("ratelimit-remaining") != "300" {
			t.Fatalf("without a limit a request is %d with %s left", w.Code, w.Header().Get("ratelimit-remaining"))
		}
	}
}

func TestNewServerRefuses(t *testing.T) {
	t.Parallel()
	c := testCity(t, Config{})
	for want, cfg := range map[string]ServerConfig{
		"no city":    {},
		"same":       {Cities: []*City{c, c}},
		"dump step":  {Cities: []*City{c}, DumpStep: time.Second},
		"two cities": {Cities: []*City{c, testCity(t, Config{Seed: 3})}},
	} {
		if want == "same" {
			want = `ID "sim-city"`
		}
		if _, err := NewServer(cfg); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("NewServer = %v, want an error that says %s", err, want)
		}
	}
}

func TestServerIsSafeForConcurrentUse(t *testing.T) {
	t.Parallel()
	s, _ := testServer(t, ServerConfig{RateLimit: 1000})
	var wg sync.WaitGroup
	for range 4 {
		for _, path := range []string{
			"/v2/networks/sim-city", "/v1/forecast?latitude=50&longitude=0&current=precipitation",
			"/dumps/by-network/2026/202605-sim-south-stats.parquet",
		} {
			wg.Go(func() {
				if w := get(s, path); w.Code != 200 {
					t.Errorf("GET %s is %d", path, w.Code)
				}
			})
		}
	}
	wg.Wait()
}

func FuzzServer(f *testing.F) {
	s, _ := testServer(f, ServerConfig{Now: func() time.Time { return time.Date(2026, 5, 2, 0, 0, 0, 0, time.UTC) }})
	f.Add("/v1/forecast", "latitude=1&longitude=2&hourly=precipitation,,&past_days=1&forecast_days=0")
	f.Add("/v1/archive", "latitude=1&longitude=2&hourly=precipitation&start_date=2026-01-01&end_date=2026-01-02")
	f.Add("/v2/networks/sim-south", "")
	f.Add("/dumps/by-network/2026/202605-sim-south-stats.parquet", "")
	f.Fuzz(func(t *testing.T, path, query string) {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.URL.Path, r.URL.RawQuery = path, query
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		if w.Code >= 500 {
			t.Errorf("GET %q?%q is %d", path, query, w.Code)
		}
		if strings.HasPrefix(w.Header().Get("Content-Type"), "application/json") && !json.Valid(w.Body.Bytes()) {
			t.Errorf("GET %q?%q is no JSON: %.200s", path, query, w.Body)
		}
	})
}
