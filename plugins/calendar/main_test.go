package main

import (
	"math"
	"testing"
	"time"
)

// TestTimes holds what an author would check by hand.
func TestTimes(t *testing.T) {
	t.Parallel()
	const weekend, morning, evening, afternoon = 0, 1, 2, 3
	for name, tt := range map[string]struct {
		at        string
		longitude float64
		want      map[int]float64
	}{
		"a Monday at eight":        {"2026-06-01T08:00:00Z", 0, map[int]float64{weekend: 0, morning: 1, afternoon: 0}},
		"an hour later":            {"2026-06-01T09:00:00Z", 0, map[int]float64{morning: 0.577}},
		"a Friday at five":         {"2026-06-05T17:00:00Z", 0, map[int]float64{weekend: 0, evening: 1, afternoon: 0}},
		"a Saturday at three":      {"2026-06-06T15:00:00Z", 0, map[int]float64{weekend: 1, morning: 0, evening: 0, afternoon: 1}},
		"Sunday night in London":   {"2026-06-07T23:00:00Z", 0, map[int]float64{weekend: 1}},
		"is Monday in Tokyo":       {"2026-06-07T23:00:00Z", 139.75, map[int]float64{weekend: 0, morning: 0.946}},
		"longitude is not known":   {"2026-06-01T08:00:00Z", math.NaN(), map[int]float64{morning: 1}},
		"before the epoch, Sunday": {"1969-12-28T15:00:00Z", 0, map[int]float64{weekend: 1, afternoon: 1}},
	} {
		at, err := time.Parse(time.RFC3339, tt.at)
		if err != nil {
			t.Fatal(err)
		}
		got, err := transform.Try([]float64{float64(at.Unix()), tt.longitude})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for i, want := range tt.want {
			if math.Abs(got[0][i]-want) > 1e-3 {
				t.Errorf("%s: %s is %v, want %v", name, transform.Outputs[i].Name, got[0][i], want)
			}
		}
	}
}
