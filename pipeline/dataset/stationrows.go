package dataset

import (
	"time"

	"livelab/pipeline/features"
	"livelab/pipeline/observation"
)

// StationRows is what the store knows of all stations of a network as of its
// newest snapshot.
type StationRows struct {
	Network observation.Network

	// AsOf is the time of the newest snapshot, and WeatherAt that of the
	// weather that the rows use; zero where there is none.
	AsOf, WeatherAt time.Time

	// Stations are sorted by ID; the columns below have a value for each.
	Stations  []observation.Station
	States    []observation.State // as last observed
	ChangedAt []time.Time         // when that was first seen, zero where nothing ever was

	// Frame has one row for each station, in the same order, all as of AsOf.
	Frame *features.Frame

	// Missing says why a station has no forecast, e.g. "it is out of
	// service"; empty where it has one.
	Missing []string
}
