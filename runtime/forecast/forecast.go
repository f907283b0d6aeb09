// Package forecast keeps the current forecast of every station. Off the way of
// the requests, all stations of a network are answered for in one batch as soon
// as a new snapshot of it is stored or another model serves; who asks reads what
// was made last, without waiting for anything.
package forecast

import (
	"slices"
	"strings"
	"time"

	"livelab/pipeline/observation"
	"livelab/runtime/loader"
)

// Forecast is what was made of one snapshot of a network. It does not change
// once made.
type Forecast struct {
	Network observation.Network

	// By is the model that answered. It is nil where none about stations was in
	// service: then the stations have what was observed, and no answer.
	By *loader.Loaded

	// AsOf is the time of the snapshot, and WeatherAt that of the weather that
	// was used, zero where there was none. Both are by the clock of the data.
	AsOf, WeatherAt time.Time

	// MadeAt is when it was made, by the clock of the wall, and Took how long
	// it took from the stored snapshot.
	MadeAt time.Time
	Took   time.Duration

	Stations []Station // sorted by ID, bytewise
	Answered int       // how many of them have an answer

	// ByRisk has the indices of Stations that have an answer, the likeliest
	// shortage first.
	ByRisk []int32

	ttl    time.Duration
	names  []string    // of the columns of the rows
	values [][]float64 // for each of names, a value for each station
}

// Station is one station in a forecast.
type Station struct {
	observation.Station
	observation.State

	// ChangedAt is when the state was first seen, zero where nothing ever was.
	ChangedAt time.Time

	// Missing says why there is no answer, as a phrase about the station. It is
	// empty where there is one; what follows is zero otherwise.
	Missing string

	Probability float64
	Short       bool // what was decided
	Rank        int  // 1 is the likeliest shortage
	Imputed     []string
}

// Age is how old the snapshot is at a time of the data's clock.
func (f *Forecast) Age(now time.Time) time.Duration { return now.Sub(f.AsOf) }

// Stale reports whether the snapshot is too old to stand for a time of the
// data's clock.
func (f *Forecast) Stale(now time.Time) bool { return f.Age(now) > f.ttl }

// TTL is how long a snapshot stands for the present.
func (f *Forecast) TTL() time.Duration { return f.ttl }

// Find gives the index of a station, or false where there is none.
func (f *Forecast) Find(id string) (int, bool) {
	return slices.BinarySearchFunc(f.Stations, id, func(s Station, id string) int { return strings.Compare(s.ID, id) })
}

// Row gives the values that a station's answer was made from, by column; what
// was missing is absent or NaN.
func (f *Forecast) Row(station int) map[string]float64 {
	row := make(map[string]float64, len(f.names))
	for i, name := range f.names {
		row[name] = f.values[i][station]
	}
	return row
}
