package dataset

import (
	"fmt"
	"strings"
	"time"
)

// Row is the newest stored data of a network, as a row for a prediction.
type Row struct {
	Network string

	// AsOf is the time of the newest stored observation that the row uses,
	// and WeatherAt that of its weather; zero where there is none.
	AsOf, WeatherAt time.Time

	// Values by column name. What is missing or too old is absent. The caller
	// must not change it.
	Values map[string]float64

	builtAt time.Time
}

// MissingError says that the store has no data to answer with: nothing at
// all, or nothing young enough.
type MissingError struct {
	Network string
	Station string   // empty where all of the network is meant
	Missing []string // what is missing, a phrase each
}

func (e *MissingError) Error() string {
	if e.Station != "" {
		return fmt.Sprintf("no current data for the station %q of the network %q: %s", e.Station, e.Network, strings.Join(e.Missing, "; "))
	}
	return fmt.Sprintf("no current data for the network %q: %s", e.Network, strings.Join(e.Missing, "; "))
}

// NetworkError says that a network is not in the store, or that none was named
// where there are several.
type NetworkError struct {
	Network string // empty when none was named
	Known   []string
}

func (e *NetworkError) Error() string {
	known := "the store holds none yet"
	if len(e.Known) > 0 {
		known = "the store holds " + strings.Join(e.Known, ", ")
	}
	switch {
	case e.Network == "" && len(e.Known) == 0:
		return "there is no data: the store holds none yet; run `livelab ingest`, `livelab backfill` or `livelab import` first"
	case e.Network == "":
		return "name a network: " + known
	}
	return fmt.Sprintf("there is no network %q: %s", e.Network, known)
}

// StationError says that a network has no such station.
type StationError struct {
	Network string
	Station string
	Known   int      // stations that the network has
	Close   []string // IDs of a few that may be meant
}

func (e *StationError) Error() string {
	text := fmt.Sprintf("the network %q has no station %q among its %d", e.Network, e.Station, e.Known)
	if len(e.Close) > 0 {
		text += "; did you mean " + strings.Join(e.Close, " or ") + "?"
	}
	return text
}
