package features_test

import (
	"math"
	"testing"
	"time"

	"livelab/pipeline/features"
	"livelab/pipeline/observation"
)

// These tests know the package from outside only: what a row must
// hold is worked out again, from what the catalogue promises, by loops over all
// of the past.

// oslo is where the rows are.
var oslo = features.PlaceOf(observation.Network{Latitude: 59.9139, Longitude: 10.7522})

func equal(a, b float64) bool { return math.Abs(a-b) < 1e-9 || math.IsNaN(a) && math.IsNaN(b) }

// TestRowsHoldWhatTheCatalogueSays compares rows with the oracle's, column by
// column: weekdays and weekends, with weather and without, and around the gap.
func TestRowsHoldWhatTheCatalogueSays(t *testing.T) {
	t.Parallel()
	at := []time.Time{
		time.Date(2026, 2, 17, 17, 30, 0, 0, time.UTC), // Tuesday
		time.Date(2026, 2, 20, 12, 5, 0, 0, time.UTC),  // Friday
		time.Date(2026, 2, 20, 23, 30, 0, 0, time.UTC), // an hour on it is Saturday
		time.Date(2026, 2, 21, 8, 0, 0, 0, time.UTC),   // in the gap: nothing stands for now
		time.Date(2026, 2, 21, 11, 0, 0, 0, time.UTC),  // after it: no lag is known
		time.Date(2026, 2, 21, 13, 10, 0, 0, time.UTC), // a lag of three hours is not
		time.Date(2026, 2, 22, 2, 0, 0, 0, time.UTC),   // the weather of 23:00 still stands
		time.Date(2026, 2, 22, 2, 10, 0, 0, time.UTC),  // and no longer
		time.Date(2026, 2, 22, 11, 0, 0, 0, time.UTC),  // the day before, there was the gap
		time.Date(2026, 2, 22, 23, 10, 0, 0, time.UTC), // an hour on it is Monday
	}
	tasks := map[string]func(*features.Task){
		"h=60":          func(*features.Task) {},
		"h=0":           func(task *features.Task) { task.HorizonMinutes = 0 },
		"h=1440":        func(task *features.Task) { task.HorizonMinutes = 1440 },
		"at most bikes": func(task *features.Task) { task.Target = features.Target{Kind: features.AtMost, Bikes: 250} },
	}
	for name, change := range tasks {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			task := features.NetworkShortage()
			task.ClimatologyDays = 7 // so that its window begins within the series
			change(&task)
			o := newOracle(task, golden())
			f, err := features.Build(o.task, oslo, o.s, at)
			if err != nil {
				t.Fatal(err)
			}
			for i, when := range at {
				o.compare(t, f, i, when)
			}
		})
	}
}

func (o *oracle) compare(t *testing.T, f *features.Frame, i int, at time.Time) {
	t.Helper()
	want := o.row(at)
	if len(want) != len(f.Names()) {
		t.Errorf("%d columns are expected, the frame has %d", len(want), len(f.Names()))
	}
	for _, c := range features.Catalogue() {
		if c.Network == features.Absent {
			continue
		}
		v, ok := want[c.Name]
		if got := f.Value(c.Name, i); !ok || !equal(got, v) {
			t.Errorf("%s at %s is %v, want %v (known: %v)", c.Name, at.Format(time.DateTime), got, v, ok)
		}
	}
	now, hasNow := o.pointAt(at)
	then, hasThen := o.later(at)
	q := o.threshold(at)
	if got, want := f.ShortNow[i], o.label(now, hasNow, q); got != want {
		t.Errorf("short now at %s is %v, want %v", at.Format(time.DateTime), got, want)
	}
	if got, want := f.Short[i], o.label(then, hasThen, q); got != want {
		t.Errorf("short at %s is %v, want %v", at.Format(time.DateTime), got, want)
	}
}

// TestGoldenRow has the values of one row written down: Friday 2026-02-20
// 23:30, an hour before Saturday 00:30.
func TestGoldenRow(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 2, 20, 23, 30, 0, 0, time.UTC)
	f, err := features.Build(features.NetworkShortage(), oslo, golden(), []time.Time{at})
	if err != nil {
		t.Fatal(err)
	}
	// It is the point i = 18·144 + 141 = 2733; what was n points before had
	// 100 + (2733-n)² mod 701 bikes of 1000.
	margin := 0.234 - f.Value(features.Threshold, 0)
	for name, want := range map[string]float64{
		"margin": margin, "margin_lag_180m": margin, "margin_lag_30m": margin + 0.435,
		"stations_count": 43, "free_bikes": 234, "empty_slots": 766, "total_slots": 1000, "free_ratio": 0.234,
		"free_ratio_lag_30m": 0.669, "free_ratio_lag_60m": 0.421, "free_ratio_lag_120m": 0.68, "free_ratio_lag_180m": math.NaN(), // i = 2715 showed no docks
		"free_ratio_yesterday": 0.76, "free_ratio_yesterday_ahead": 0.319,
		"free_ratio_last_week": 0.681, "free_ratio_last_week_ahead": 0.387,
		"temp_2m": 0, "precipitation": 2, "wind_speed_10m": 16, // of 23:00, i = 2730
		"short_now": 1, "weekend": 1, "unix_time": 1771630200, "unix_time_ahead": 1771633800,
		"latitude": 59.9139, "longitude": 10.7522,
		"hour_sin": 0.13052619222005157, "hour_cos": 0.9914448613738104,
		"half_day_sin": 0.25881904510252074, "half_day_cos": 0.9659258262890683,
	} {
		if got := f.Value(name, 0); !equal(got, want) {
			t.Errorf("%s is %v, want %v", name, got, want)
		}
	}
}
