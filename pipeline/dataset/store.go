package dataset

import (
	"context"
	"time"

	"livelab/pipeline/observation"
)

// Store is read to freeze a dataset and to serve the newest data. Both ends of
// every range are included; a zero time leaves that side open. Rows come in
// ascending order of time.
type Store interface {
	// Origin is empty for a store that holds nothing yet.
	Origin(ctx context.Context) (observation.Origin, error)
	Networks(ctx context.Context) ([]observation.Network, error)
	Stations(ctx context.Context, network string) ([]observation.Station, error)
	Totals(ctx context.Context, network string, from, to time.Time) ([]observation.Totals, error)
	Weather(ctx context.Context, network string, from, to time.Time) ([]observation.Weather, error)

	// Newest is when the network was last seen and its weather last known;
	// zero for never.
	Newest(ctx context.Context, network string) (snapshot, weather time.Time, err error)

	// Changes calls yield for each change, ordered by station ID (bytewise)
	// and then by time. The error of yield ends the walk and comes back.
	Changes(ctx context.Context, network string, from, to time.Time, yield func(observation.Observation) error) error
}
