package main

import (
	"testing"
	"time"

	"livelab/pipeline/observation"
)

func TestSourceIsShownAsWhatItIs(t *testing.T) {
	t.Parallel()
	tests := []struct {
		kind   string
		origin observation.Origin
		want   string
	}{
		{sourceLive, observation.OriginReal, "live"},
		{sourceReplay, observation.OriginReal, "replay"},
		{sourceSim, observation.OriginSimulated, "simulated"},
		{sourceReplay, observation.OriginSimulated, "simulated"},
		{"", "", ""},
	}
	for _, tt := range tests {
		if got := (&source{kind: tt.kind, origin: tt.origin}).shown(); got != tt.want {
			t.Errorf("%q of %q data is shown as %q, want %q", tt.kind, tt.origin, got, tt.want)
		}
	}
}

// TestReplayTime holds that a replay keeps the hour and the weekday, and shows
// nothing that lies after the record.
func TestReplayTime(t *testing.T) {
	t.Parallel()
	last := time.Date(2024, 11, 30, 23, 42, 15, 0, time.UTC)
	for _, wall := range []time.Time{
		last.Add(-time.Hour),
		last,
		last.Add(time.Second),
		time.Date(2026, 11, 23, 15, 0, 0, 0, time.UTC),
		time.Date(2031, 2, 28, 23, 59, 59, 0, time.UTC),
	} {
		got := replayTime(wall, last)
		if got.After(last) || wall.After(last) && last.Sub(got) >= 7*24*time.Hour {
			t.Errorf("%s plays %s of a record that ends %s", wall, got, last)
		}
		if got.Weekday() != wall.Weekday() || got.Hour() != wall.Hour() || got.Second() != wall.Second() {
			t.Errorf("%s plays %s, another time of the week", wall, got)
		}
	}
}
