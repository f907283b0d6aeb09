package sim

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"math"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"livelab/pipeline/observation"
)

var start = time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)

func testCity(t testing.TB, cfg Config) *City {
	t.Helper()
	c, err := NewCity(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// digestOf hashes all that a city shows at a time.
func digestOf(h hash.Hash, c *City, at time.Time) {
	fmt.Fprintln(h, c.Snapshot(at), c.Weather(at), c.forecast(at, 5*time.Hour))
}

// The digest was made on amd64; every other machine must find the same bits.
func TestAWeekIsTheSameEverywhere(t *testing.T) {
	t.Parallel()
	c := testCity(t, Config{})
	h := sha256.New()
	fmt.Fprint(h, c.Network(), " [")
	for i, s := range c.Stations() {
		if i > 0 {
			fmt.Fprint(h, " ")
		}
		fmt.Fprintf(h, "{%v %v %v %v %v}", s.ID, s.Name, s.Latitude, s.Longitude, s.Capacity)
	}
	fmt.Fprintln(h, "]")
	for at := start; at.Before(start.AddDate(0, 0, 7)); at = at.Add(10 * time.Minute) {
		digestOf(h, c, at)
	}
	const want = "3404acf995517b161de33c16b3ff33a304b5f45c41a4b50611e7f00c68da282a"
	if got := hex.EncodeToString(h.Sum(nil)); got != want {
		t.Errorf("digest of the default city's week is %s, want %s", got, want)
	}
}

func TestSeedDecidesEverything(t *testing.T) {
	t.Parallel()
	digest := func(cfg Config) string {
		c := testCity(t, cfg)
		h := sha256.New()
		for i := range 50 {
			digestOf(h, c, start.Add(time.Duration(i)*7*time.Hour))
		}
		return hex.EncodeToString(h.Sum(nil))
	}
	if a, b := digest(Config{Seed: 7}), digest(Config{Seed: 7}); a != b {
		t.Error("the same seed made two cities")
	}
	if a, b := digest(Config{Seed: 7}), digest(Config{Seed: 8}); a == b {
		t.Error("two seeds made the same city")
	}
	if a, b := digest(Config{Seed: 7}), digest(Config{Seed: 7, ID: "other"}); a == b {
		t.Error("two networks of a seed are the same city")
	}
}

func TestAnyMomentCanBeHadInAnyOrder(t *testing.T) {
	t.Parallel()
	c := testCity(t, Config{Stations: 20})
	var snapshots []observation.Snapshot
	for s := range c.History(start, start.AddDate(0, 0, 2), 10*time.Minute) {
		snapshots = append(snapshots, s)
	}
	if len(snapshots) != 2*144+1 {
		t.Fatalf("two days at 10 minutes are %d snapshots, want 289: both ends count", len(snapshots))
	}
	var wg sync.WaitGroup
	for worker := range 4 {
		wg.Go(func() {
			for i := len(snapshots) - 1 - worker; i >= 0; i -= 4 {
				again := c.Snapshot(snapshots[i].At)
				if !again.At.Equal(snapshots[i].At) || !slices.Equal(again.Readings, snapshots[i].Readings) {
					t.Errorf("the snapshot of %s differs when asked again", snapshots[i].At)
				}
			}
		})
	}
	wg.Wait()
}

func TestABiggerCityHasTheSmallerOnesStations(t *testing.T) {
	t.Parallel()
	small, big := testCity(t, Config{Stations: 10}).Stations(), testCity(t, Config{Stations: 40}).Stations()
	for _, s := range small {
		if !slices.Contains(big, s) {
			t.Errorf("station %s of 10 is not among 40", s.Name)
		}
	}
}

func TestStationsAreWellFormed(t *testing.T) {
	t.Parallel()
	for _, cfg := range []Config{{}, {Stations: 1}, {Stations: 2000, Latitude: -41.3, Longitude: 174.8}} {
		c := testCity(t, cfg)
		ids, names := map[string]bool{}, map[string]bool{}
		stations := c.Stations()
		for _, s := range stations {
			ids[s.ID], names[s.Name] = true, true
			if s.Capacity < 10 || s.Capacity > 35 {
				t.Errorf("%s has %d docks, want 10 to 35", s.Name, s.Capacity)
			}
			if d := math.Abs(s.Latitude - c.network.Latitude); d > 0.06 {
				t.Errorf("%s lies %v degrees north or south of the centre", s.Name, d)
			}
		}
		if len(ids) != len(stations) || len(names) != len(stations) {
			t.Errorf("%d stations have %d IDs and %d names", len(stations), len(ids), len(names))
		}
		if !slices.IsSortedFunc(stations, func(a, b observation.Station) int { return strings.Compare(a.ID, b.ID) }) {
			t.Error("stations are not sorted by ID")
		}
	}
}

func TestNoBikeTooMany(t *testing.T) {
	t.Parallel()
	for seed := range uint64(5) {
		c := testCity(t, Config{Seed: seed + 1, Stations: 40})
		stations := c.Stations()
		for s := range c.History(start, start.AddDate(1, 0, 0), 311*time.Minute) {
			for i, r := range s.Readings {
				capacity := stations[i].Capacity
				ok := r.FreeBikes >= 0 && r.FreeBikes <= capacity
				switch {
				case !r.InService:
					ok = r.FreeBikes == 0 && r.EmptySlots == 0
				case r.EmptySlots != observation.Unknown:
					ok = ok && r.FreeBikes+r.EmptySlots == capacity
				}
				if !ok || r.StationID != stations[i].ID {
					t.Fatalf("at %s station %s with %d docks shows %+v", s.At, stations[i].ID, capacity, r)
				}
			}
		}
	}
}

func TestFillsHoldTheDockedBikes(t *testing.T) {
	t.Parallel()
	for _, stations := range []int{1, 60} {
		c := testCity(t, Config{Stations: stations})
		for at := start; at.Before(start.AddDate(2, 0, 0)); at = at.Add(517 * time.Minute) {
			m := momentAt(at.Unix())
			sum := 0.0
			for i, f := range c.fills(m) {
				sum += f * float64(c.stations[i].Capacity)
			}
			if want := c.docked(m); math.Abs(sum-want) > 0.01 {
				t.Fatalf("at %s the stations hold %v bikes, want %v", at, sum, want)
			}
		}
	}
}

func TestFaultsHappenNowAndThen(t *testing.T) {
	t.Parallel()
	c := testCity(t, Config{})
	readings, offline, mute, snapshots := 0, 0, 0, 0
	for s := range c.History(start, start.AddDate(1, 0, 0), 47*time.Minute) {
		snapshots++
		for _, r := range s.Readings {
			readings++
			switch {
			case !r.InService:
				offline++
			case r.EmptySlots == observation.Unknown:
				mute++
			}
		}
	}
	if share := float64(offline) / float64(readings); share < 0.002 || share > 0.008 {
		t.Errorf("%v of the readings are offline, want about 0.004", share)
	}
	if share := float64(mute) / float64(snapshots); share < 0.01 || share > 0.05 {
		t.Errorf("%v of the snapshots have a broken feed, want about 0.024", share)
	}
}

func TestTimesBeforeTheEpoch(t *testing.T) {
	t.Parallel()
	c := testCity(t, Config{})
	at := time.Date(1953, 1, 31, 17, 20, 0, 500, time.UTC)
	if got, want := c.Snapshot(at).At, at.Truncate(time.Second); !got.Equal(want) {
		t.Errorf("snapshot is of %s, want %s", got, want)
	}
	if m := momentAt(at.Unix()); !m.free || math.Abs(m.hour-17-1.0/3) > 1e-9 {
		t.Errorf("31 January 1953, a Saturday, 17:20 is %+v", m)
	}
}

func TestNewCityRefuses(t *testing.T) {
	t.Parallel()
	for want, cfg := range map[string]Config{
		"ID":        {ID: "a/b"},
		"latitude":  {Latitude: 95, Longitude: 1},
		"longitude": {Latitude: 5, Longitude: math.NaN()},
		"stations":  {Stations: 2001},
	} {
		if _, err := NewCity(cfg); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("NewCity(%+v) = %v, want an error about its %s", cfg, err, want)
		}
	}
}

func TestWeatherHistoryIsHourly(t *testing.T) {
	t.Parallel()
	c := testCity(t, Config{})
	rows := c.WeatherHistory(start.Add(time.Minute), start.Add(24*time.Hour))
	if len(rows) != 24 || !rows[0].At.Equal(start.Add(time.Hour)) || !rows[23].At.Equal(start.Add(24*time.Hour)) {
		t.Fatalf("the full hours of a day but its first are %d rows from %v", len(rows), rows[0].At)
	}
	for _, w := range rows {
		if w != c.Weather(w.At) {
			t.Errorf("hour %s is %+v in the history and %+v when asked for", w.At, w, c.Weather(w.At))
		}
	}
}

func BenchmarkSnapshot(b *testing.B) {
	for _, stations := range []int{60, 600} {
		b.Run(fmt.Sprintf("stations=%d", stations), func(b *testing.B) {
			c := testCity(b, Config{Stations: stations})
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				c.Snapshot(start.Add(time.Duration(i) * time.Minute))
			}
		})
	}
}
