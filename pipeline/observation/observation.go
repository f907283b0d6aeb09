// Package observation holds the words that every room shares: networks and
// their stations, the payloads that sources answer with, and what was observed
// when. It is a leaf: it imports nothing of ours and nothing outside the
// standard library.
package observation

import (
	"math"
	"slices"
	"strings"
	"time"
)

// Network is one bike-share system.
type Network struct {
	ID      string // as CityBikes names it, e.g. "oslo-bysykkel"
	Name    string
	City    string
	Country string // ISO 3166-1 alpha-2

	// Latitude and Longitude are WGS 84 degrees, NaN when unknown.
	Latitude, Longitude float64
}

// Located reports whether the network's coordinates are known.
func (n Network) Located() bool {
	return !math.IsNaN(n.Latitude) && !math.IsNaN(n.Longitude)
}

// Station is what does not change from one observation to the next.
type Station struct {
	ID   string // unique within its network
	Name string

	// Latitude and Longitude are WGS 84 degrees, NaN when unknown.
	Latitude, Longitude float64

	// Capacity is the number of docks, Unknown when the source does not say.
	Capacity int32

	// MovedAt is when the source first showed the station at the place that it
	// is at now, zero where it was never seen at another one. UTC, whole
	// seconds.
	MovedAt time.Time
}

// Unknown stands for a count that the source did not give, or gave as a value
// that cannot be true.
const Unknown int32 = -1

// State is what a station showed at one time.
type State struct {
	FreeBikes  int32 // bikes to take, or Unknown
	EmptySlots int32 // docks to return to, or Unknown
	InService  bool  // false while offline, stale or absent from the feed
}

// Gone is the state of a station that a snapshot no longer lists.
var Gone = State{FreeBikes: Unknown, EmptySlots: Unknown}

// Counted reports whether the station belongs into the network's totals: it is
// in service, both of its counts are known, and it has docks. A station with
// one unknown count would pull the ratio of free bikes to one side, so it stays
// out whole. One that shows neither bikes nor slots is closed: the history,
// which has no status, shows stations that are offline so.
func (s State) Counted() bool {
	return s.InService && s.FreeBikes >= 0 && s.EmptySlots >= 0 && s.FreeBikes+s.EmptySlots > 0
}

// Reading is one station in a snapshot.
type Reading struct {
	StationID string
	State
}

// Snapshot is a whole network at one time: each of its stations once, sorted
// by station ID.
type Snapshot struct {
	At       time.Time // UTC, whole seconds; the stations' own newest time
	Readings []Reading
}

// Sort puts the readings into the order that Snapshot promises.
func (s Snapshot) Sort() {
	slices.SortFunc(s.Readings, func(a, b Reading) int {
		return strings.Compare(a.StationID, b.StationID)
	})
}

// Totals sums the counted stations.
func (s Snapshot) Totals() Totals {
	t := Totals{At: s.At}
	for _, r := range s.Readings {
		if r.Counted() {
			t.Stations++
			t.FreeBikes += r.FreeBikes
			t.EmptySlots += r.EmptySlots
		}
	}
	return t
}

// Totals is a snapshot summed up: what the network as a whole showed. The row
// also says that the network was seen at that time, which changes alone do
// not tell.
type Totals struct {
	At         time.Time // UTC, whole seconds
	Stations   int32     // stations counted, see State.Counted
	FreeBikes  int32
	EmptySlots int32
}

// FreeRatio is free / (free + empty), NaN for a network without docks in
// service.
func (t Totals) FreeRatio() float64 {
	slots := t.FreeBikes + t.EmptySlots
	if slots <= 0 {
		return math.NaN()
	}
	return float64(t.FreeBikes) / float64(slots)
}

// Observation is one change of one station: the state holds from At until the
// station's next observation.
type Observation struct {
	StationID string
	At        time.Time // UTC, whole seconds; the time of the snapshot that showed it
	State
}

// Weather is the weather at a network's coordinates. A value that the source
// did not give is NaN.
type Weather struct {
	At            time.Time // UTC
	Temperature   float64   // °C at 2 m
	Precipitation float64   // mm an hour
	WindSpeed     float64   // km/h at 10 m
}

// Kind says which source a payload came from.
type Kind string

// The kinds of payload.
const (
	KindBikes   Kind = "bikes"
	KindWeather Kind = "weather"
)

// Payload is an answer of a source, as it came.
type Payload struct {
	Kind      Kind
	Network   string
	FetchedAt time.Time // UTC
	Body      []byte    // valid JSON
}

// Origin says whether data was observed in the world or made by the simulator.
// A store holds data of one origin only.
type Origin string

// The origins.
const (
	OriginReal      Origin = "real"
	OriginSimulated Origin = "simulated"
)
