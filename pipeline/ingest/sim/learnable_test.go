package sim

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"livelab/pipeline/observation"
)

// The city is worth learning: one moment in five is short, and who says that
// it will stay as it is is right often, but far from always. The bands are
// those of 90 days at 10 minutes, an hour ahead, by the default task's rule.
func TestShortageIsCommonAndPersistenceIsNotEnough(t *testing.T) {
	t.Parallel()
	for _, seed := range []uint64{1, 2, 3} {
		for _, month := range []time.Month{time.March, time.May, time.August, time.December} {
			from := time.Date(2026, month, 1, 0, 0, 0, 0, time.UTC)
			t.Run(fmt.Sprintf("seed=%d/from=%s", seed, from.Format(time.DateOnly)), func(t *testing.T) {
				t.Parallel()
				ratios := freeRatios(testCity(t, Config{Seed: seed}), from)
				rate, f1 := judgePersistence(ratios, 14*144, 6)
				t.Logf("short %.3f of the time, persistence F1 %.3f", rate, f1)
				if rate < 0.17 || rate > 0.25 {
					t.Errorf("short %.3f of the time, want 0.17 to 0.25", rate)
				}
				if f1 < 0.55 || f1 > 0.75 {
					t.Errorf("persistence has F1 %.3f, want 0.55 to 0.75", f1)
				}
			})
		}
	}
}

func freeRatios(c *City, from time.Time) []float64 {
	var ratios []float64
	for s := range c.History(from, from.AddDate(0, 0, 90), 10*time.Minute) {
		ratios = append(ratios, s.Totals().FreeRatio())
	}
	return ratios
}

// judgePersistence labels each row whose trailing window is full by whether
// the ratio is, ahead rows later, under the window's lower fifth, and scores
// the forecast that takes the present for the future.
func judgePersistence(ratios []float64, window, ahead int) (rate, f1 float64) {
	sorted := slices.Sorted(slices.Values(ratios[:window]))
	var rows, short, hits, calls float64
	for i := window; i+ahead < len(ratios); i++ {
		sorted = insert(sorted, ratios[i])
		q := lowerFifth(sorted)
		now, later := ratios[i] < q, ratios[i+ahead] < q
		rows++
		short += count(later)
		calls += count(now)
		hits += count(now && later)
		at, _ := slices.BinarySearch(sorted, ratios[i-window])
		sorted = slices.Delete(sorted, at, at+1)
	}
	return short / rows, 2 * hits / (short + calls)
}

func insert(sorted []float64, v float64) []float64 {
	at, _ := slices.BinarySearch(sorted, v)
	return slices.Insert(sorted, at, v)
}

// lowerFifth is the 0.20 quantile, interpolated linearly.
func lowerFifth(sorted []float64) float64 {
	rank := 0.20 * float64(len(sorted)-1)
	i := int(rank)
	return sorted[i] + (rank-float64(i))*(sorted[i+1]-sorted[i])
}

func count(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

func TestPeopleStayHomeInBadWeather(t *testing.T) {
	t.Parallel()
	fine := observation.Weather{Temperature: 22, WindSpeed: 8}
	usual := appealOf(fine)
	if usual < 0.9 || usual > 1 {
		t.Errorf("appeal of a fine day is %v, want nearly 1", usual)
	}
	for name, w := range map[string]observation.Weather{
		"rain":  {Temperature: 22, WindSpeed: 8, Precipitation: 1},
		"cold":  {Temperature: 0, WindSpeed: 8},
		"storm": {Temperature: 22, WindSpeed: 45},
	} {
		if got := appealOf(w); got > 0.6*usual {
			t.Errorf("appeal in %s is %v, want well under %v", name, got, usual)
		}
	}
}

// Rain and its absence must show in what the network does, not in the formula
// alone.
func TestRainBringsBikesHome(t *testing.T) {
	t.Parallel()
	c := testCity(t, Config{})
	var ratio, n [2]float64
	for d := range 365 {
		at := start.AddDate(0, 0, d).Add(17*time.Hour + 20*time.Minute)
		if momentAt(at.Unix()).free {
			continue
		}
		wet := 0
		if c.Weather(at.Add(-decision*time.Second)).Precipitation >= 0.5 {
			wet = 1
		}
		ratio[wet] += c.Snapshot(at).Totals().FreeRatio()
		n[wet]++
	}
	dry, wet := ratio[0]/n[0], ratio[1]/n[1]
	if n[1] < 10 || wet < dry+0.03 {
		t.Errorf("at the evening peak the free ratio is %.3f on %v wet days and %.3f on dry ones, want it higher when wet", wet, n[1], dry)
	}
}

func TestKindsEbbAndFlow(t *testing.T) {
	t.Parallel()
	c := testCity(t, Config{})
	fill := func(k kind, hour int) float64 {
		bikes, docks := 0.0, 0.0
		for d := range 28 {
			at := start.AddDate(0, 0, d).Add(time.Duration(hour) * time.Hour)
			if momentAt(at.Unix()).free {
				continue
			}
			for i, r := range c.Snapshot(at).Readings {
				if c.stations[i].kind == k && r.Counted() {
					bikes += float64(r.FreeBikes)
					docks += float64(c.stations[i].Capacity)
				}
			}
		}
		return bikes / docks
	}
	if night, noon := fill(residential, 5), fill(residential, 11); noon > night-0.15 {
		t.Errorf("residential stations are %.2f full at 5 h and %.2f at 11 h of a workday, want them to empty", night, noon)
	}
	if night, noon := fill(office, 5), fill(office, 11); noon < night+0.15 {
		t.Errorf("office stations are %.2f full at 5 h and %.2f at 11 h of a workday, want them to fill", night, noon)
	}
}
