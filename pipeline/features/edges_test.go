package features_test

import (
	"math"
	"strings"
	"testing"
	"time"

	"livelab/pipeline/features"
	"livelab/pipeline/observation"
)

func TestCalendarIsOfTheTimeAhead(t *testing.T) {
	t.Parallel()
	root := math.Sqrt(0.5)
	tests := []struct {
		at                                 string
		horizon                            int
		hourSin, hourCos, halfSin, halfCos float64
		weekend                            float64
	}{
		{"2026-02-19T00:00:00Z", 0, 0, 1, 0, 1, 0},              // Thursday
		{"2026-02-20T02:00:00Z", 60, root, root, 1, 0, 0},       // Friday
		{"2026-02-20T06:00:00Z", 0, 1, 0, 0, -1, 0},             // Friday
		{"2026-02-20T23:00:00Z", 60, 0, 1, 0, 1, 1},             // Saturday, ahead
		{"2026-02-21T09:00:00Z", 0, root, -root, -1, 0, 1},      // Saturday
		{"2026-02-22T17:00:00Z", 60, -1, 0, 0, -1, 1},           // Sunday
		{"2026-02-22T12:00:00Z", 1440, 0, -1, 0, 1, 0},          // Monday, ahead
		{"2026-02-20T22:00:00+01:00", 0, -root, root, -1, 0, 0}, // 21:00 UTC
	}
	for _, tt := range tests {
		at, err := time.Parse(time.RFC3339, tt.at)
		if err != nil {
			t.Fatal(err)
		}
		task := features.NetworkShortage()
		task.HorizonMinutes = tt.horizon
		f, err := features.Build(task, oslo, features.Series{}, []time.Time{at})
		if err != nil {
			t.Fatal(err)
		}
		for name, want := range map[string]float64{
			"hour_sin": tt.hourSin, "hour_cos": tt.hourCos, "half_day_sin": tt.halfSin, "half_day_cos": tt.halfCos, "weekend": tt.weekend,
		} {
			if got := f.Value(name, 0); !equal(got, want) {
				t.Errorf("%s of %s + %d min is %v, want %v", name, tt.at, tt.horizon, got, want)
			}
		}
	}
}

// TestThresholdForgetsAtFourteenDays has a point of 0.10 and then 20 of 0.30 to
// 0.49. A second before it is 14 days old it still counts.
func TestThresholdForgetsAtFourteenDays(t *testing.T) {
	t.Parallel()
	s := features.Series{Points: []observation.Totals{{At: monday, Stations: 1, FreeBikes: 10, EmptySlots: 90}}}
	for k := range 20 {
		at := monday.Add(time.Duration(k+1) * time.Hour)
		s.Points = append(s.Points, observation.Totals{At: at, Stations: 1, FreeBikes: int32(30 + k), EmptySlots: int32(70 - k)})
	}
	old := monday.AddDate(0, 0, 14)
	f, err := features.Build(features.NetworkShortage(), oslo, s, []time.Time{old.Add(-time.Second), old, old.Add(time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	// Of 21 values the quantile is the fifth; of 20 it lies 0.8 of the way from
	// the fourth to the fifth; 19 are too few.
	for i, want := range []float64{0.33, 0.338, math.NaN()} {
		if got := f.Value(features.Threshold, i); !equal(got, want) {
			t.Errorf("%s: the threshold is %v, want %v", f.At[i], got, want)
		}
	}
}

func TestDerive(t *testing.T) {
	t.Parallel()
	nan, network := math.NaN(), features.NetworkShortage()
	for _, tt := range []struct {
		name                string
		of, threshold, want float64
	}{
		{"short_now", 0.19, 0.20, 1},
		{"short_now", 0.20, 0.20, 0},
		{"short_now", 0.21, 0.20, 0},
		{"short_now", nan, 0.20, nan},
		{"short_now", 0.19, nan, nan},
		{"margin", 0.5, 0.2, 0.3},
		{"margin_lag_30m", 0.1, 0.2, -0.1},
		{"margin_yesterday", nan, 0.2, nan},
		{"margin_last_week", 0.1, nan, nan},
	} {
		if got := network.Derive(tt.name, tt.of, tt.threshold); !equal(got, tt.want) {
			t.Errorf("%s of %v and %v is %v, want %v", tt.name, tt.of, tt.threshold, got, tt.want)
		}
	}
}

func TestBounds(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name            string
		least, greatest float64
	}{
		{"free_ratio", 0, 1},
		{"typical_change", -1, 1},
		{"margin", math.Inf(-1), math.Inf(1)},
		{"unix_time", math.Inf(-1), math.Inf(1)},
		{"latitude", -90, 90},
		{"no such column", math.Inf(-1), math.Inf(1)},
	} {
		if least, greatest := features.Bounds(tt.name); least != tt.least || greatest != tt.greatest {
			t.Errorf("%s is bounded by %v and %v, want %v and %v", tt.name, least, greatest, tt.least, tt.greatest)
		}
	}
}

func TestTaskValidate(t *testing.T) {
	t.Parallel()
	for want, change := range map[string]func(*features.Task){
		"":                         func(*features.Task) {},
		`unknown entity "bike"`:    func(task *features.Task) { task.Entity = "bike" },
		`unknown target "above"`:   func(task *features.Task) { task.Target.Kind = "above" },
		"horizon is -1 minutes":    func(task *features.Task) { task.HorizonMinutes = -1 },
		"horizon is 1441 minutes":  func(task *features.Task) { task.HorizonMinutes = 1441 },
		"quantile is 0,":           func(task *features.Task) { task.Target.Quantile = 0 },
		"quantile is 1,":           func(task *features.Task) { task.Target.Quantile = 1 },
		"quantile is NaN":          func(task *features.Task) { task.Target.Quantile = math.NaN() },
		"window is 0 days":         func(task *features.Task) { task.Target.WindowDays = 0 },
		"bikes is -1":              func(task *features.Task) { task.Target = features.Target{Kind: features.AtMost, Bikes: -1} },
		"tolerance is -1 minutes":  func(task *features.Task) { task.ToleranceMinutes = -1 },
		"step is 0 minutes":        func(task *features.Task) { task.StepMinutes = 0 },
		"bikes TTL is 0 minutes":   func(task *features.Task) { task.BikesTTLMinutes = 0 },
		"weather TTL is 0 minutes": func(task *features.Task) { task.WeatherTTLMinutes = 0 },
		"climatology window is 0":  func(task *features.Task) { task.ClimatologyDays = 0 },
	} {
		task := features.NetworkShortage()
		change(&task)
		err := task.Validate()
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
}
