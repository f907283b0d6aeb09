package dataset

import (
	"strings"
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

// unknown names a few stations whose name holds what was asked for, or whose
// ID begins so.
func (r *StationRows) unknown(station string) error {
	const most = 3
	e := &StationError{Network: r.Network.ID, Station: station, Known: len(r.Stations)}
	wanted := strings.ToLower(strings.TrimSpace(station))
	for _, s := range r.Stations {
		if wanted != "" && len(e.Close) < most && (strings.Contains(strings.ToLower(s.Name), wanted) || strings.HasPrefix(strings.ToLower(s.ID), wanted)) {
			e.Close = append(e.Close, s.ID)
		}
	}
	return e
}
