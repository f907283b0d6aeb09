package observation

import (
	"math"
	"testing"
	"time"
)

func TestTotalsCountWhatIsKnownAndInService(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 5, 11, 6, 24, 19, 0, time.UTC)
	s := Snapshot{At: at, Readings: []Reading{
		{"b", State{FreeBikes: 3, EmptySlots: 7, InService: true}},
		{"a", State{FreeBikes: 0, EmptySlots: 10, InService: true}},
		{"no slots known", State{FreeBikes: 5, EmptySlots: Unknown, InService: true}},
		{"no bikes known", State{FreeBikes: Unknown, EmptySlots: 5, InService: true}},
		{"closed", State{InService: true}},
		{"offline", State{FreeBikes: 9, EmptySlots: 9}},
		{"gone", Gone},
	}}
	want := Totals{At: at, Stations: 2, FreeBikes: 3, EmptySlots: 17}
	if got := s.Totals(); got != want {
		t.Errorf("totals are %+v, want %+v", got, want)
	}
	if got := want.FreeRatio(); got != 0.15 {
		t.Errorf("free ratio is %v, want 0.15", got)
	}
	if got := (Totals{}).FreeRatio(); !math.IsNaN(got) {
		t.Errorf("free ratio of nothing is %v, want NaN", got)
	}
	s.Sort()
	if s.Readings[0].StationID != "a" || s.Readings[1].StationID != "b" {
		t.Errorf("readings are not sorted: %v", s.Readings)
	}
}

func TestLocated(t *testing.T) {
	t.Parallel()
	if !(Network{Latitude: 0, Longitude: 0}).Located() || (Network{Latitude: math.NaN(), Longitude: 1}).Located() {
		t.Error("a network is located where both coordinates are known")
	}
}
