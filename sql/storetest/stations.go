package storetest

import (
	"testing"
	"time"

	"livelab/pipeline/ingest"
	"livelab/pipeline/observation"
)

var stationCases = map[string]func(*testing.T, Store){
	"moved":         movedStations,
	"creeping":      creepingStation,
	"told by files": correctedStations,
	"of the past":   placesOfThePast,
	"untold":        untoldOfStations,
}

// metre is a metre to the north in degrees.
const metre = 1 / 111_195.0

func north(metres float64) observation.Station {
	return observation.Station{ID: "a", Name: "A", Latitude: 59.9 + metres*metre, Longitude: 10.7, Capacity: 9}
}

// see writes what a source showed of a station at a minute.
func see(t *testing.T, s Store, minute int, station observation.Station) {
	t.Helper()
	write(t, s, ingest.Batch{Stations: []observation.Station{station}, SeenAt: at(minute)})
	write(t, s, ingest.Batch{Totals: []observation.Totals{{At: at(minute), Stations: 1}}})
}

// placed checks the only station.
func placed(t *testing.T, s Store, what string, want observation.Station, movedAt time.Time) {
	t.Helper()
	want.MovedAt = movedAt
	got := must[[]observation.Station](t)(s.Stations(ctxFor(t), oslo))
	equal(t, "the station "+what, got, []observation.Station{want})
	if len(got) == 1 && got[0].MovedAt.Location() != time.UTC {
		t.Errorf("%s: moved at %v, which is not in UTC", what, got[0].MovedAt)
	}
}

func movedStations(t *testing.T, s Store) {
	never := time.Time{}
	see(t, s, 0, north(0))
	placed(t, s, "at first", north(0), never)
	see(t, s, 10, north(49))
	placed(t, s, "after a small shift", north(49), never)
	see(t, s, 20, north(-51))
	placed(t, s, "after a move", north(-51), at(20))
	see(t, s, 30, north(-51))
	placed(t, s, "where it stays", north(-51), at(20))
	see(t, s, 40, north(-100))
	placed(t, s, "after a shift from its new home", north(-100), at(20))
	see(t, s, 50, north(0))
	placed(t, s, "back again", north(0), at(50))
	east := north(0)
	east.Longitude += 90 * metre // 45 m at 60 degrees north
	see(t, s, 60, east)
	placed(t, s, "after a small shift to the east", east, at(50))
	east.Longitude += 90 * metre
	see(t, s, 70, east)
	placed(t, s, "after as much again", east, at(70))
}

// creepingStation moves by so little at a time that no step is a move.
func creepingStation(t *testing.T, s Store) {
	for step := range 13 {
		see(t, s, step, north(20*float64(step)))
	}
	// 60 m from home at the third step, the sixth, the ninth and the twelfth.
	placed(t, s, "after twelve steps of 20 m", north(240), at(12))
	see(t, s, 13, north(260))
	see(t, s, 14, north(280))
	placed(t, s, "40 m on", north(280), at(12))
}

// correctedStations are told by a file, which knows no time.
func correctedStations(t *testing.T, s Store) {
	see(t, s, 0, north(0))
	write(t, s, ingest.Batch{Stations: []observation.Station{north(500)}})
	placed(t, s, "corrected", north(500), time.Time{})
	see(t, s, 10, north(530))
	placed(t, s, "seen near the corrected place", north(530), time.Time{})
	see(t, s, 20, north(551))
	placed(t, s, "moved from there", north(551), at(20))
	write(t, s, ingest.Batch{Stations: []observation.Station{north(0)}})
	placed(t, s, "corrected again", north(0), at(20))
}

// placesOfThePast come in after what is newer.
func placesOfThePast(t *testing.T, s Store) {
	see(t, s, 60, north(0))
	see(t, s, 10, north(40))
	placed(t, s, "as it was nearby", north(0), time.Time{})
	see(t, s, 30, north(90))
	placed(t, s, "as it was elsewhere", north(0), at(30))
	see(t, s, 20, north(90))
	placed(t, s, "as it was there even before", north(0), at(30))
	see(t, s, 60, north(200))
	placed(t, s, "as it is", north(200), at(60))
}

// untoldOfStations leaves what a source does not say.
func untoldOfStations(t *testing.T, s Store) {
	see(t, s, 0, north(0))
	nothing := observation.Station{ID: "a", Latitude: nan, Longitude: nan, Capacity: observation.Unknown}
	see(t, s, 10, nothing)
	placed(t, s, "of which nothing is said", north(0), time.Time{})
	half := nothing
	half.Latitude, half.Capacity = 0, 20
	see(t, s, 20, half)
	want := north(0)
	want.Capacity = 20
	placed(t, s, "with half a place", want, time.Time{})
	fresh := nothing
	fresh.ID = "b"
	write(t, s, ingest.Batch{Stations: []observation.Station{fresh}, SeenAt: at(30)})
	far := north(1000)
	far.ID = "b"
	write(t, s, ingest.Batch{Stations: []observation.Station{far}, SeenAt: at(40)})
	equal(t, "a place that was unknown", must[[]observation.Station](t)(s.Stations(ctxFor(t), oslo)), []observation.Station{want, far})
}
