package ingest

import (
	"context"
	"time"

	"livelab/pipeline/observation"
)

// Store keeps what is ingested. sql/sqlite and sql/postgres implement it, and
// sql/storetest holds both to the same behaviour.
type Store interface {
	// Update runs fn in one transaction. No other Update that names one of
	// the same networks runs at the same time, in this process or another.
	// Where fn or the commit fails nothing is stored, and the error of fn
	// comes back as it is.
	Update(ctx context.Context, networks []string, fn func(Tx) error) error
}

// Tx is what can be done inside an Update. It must not be kept after fn
// returns, nor used for a network that Update did not name.
type Tx interface {
	// ClaimOrigin makes the store one of the given origin where it has none
	// yet, and returns the origin that the store has.
	ClaimOrigin(ctx context.Context, origin observation.Origin) (observation.Origin, error)

	// AddPayload keeps a payload as it came. It answers false, and stores
	// nothing, where the network has a payload of this kind with the same
	// body already.
	AddPayload(ctx context.Context, p observation.Payload) (added bool, err error)

	// States gives, for each station of the network that has an observation
	// not after at, the state that held then. The map is never nil.
	States(ctx context.Context, network string, at time.Time) (map[string]observation.State, error)

	// SnapshotTimes lists when the network was seen, ascending, from and to
	// included. A zero time leaves that side open.
	SnapshotTimes(ctx context.Context, network string, from, to time.Time) ([]time.Time, error)

	// Write stores a batch. What has the same key as a stored row replaces
	// it: the station's ID, the totals' time, the station and time of a
	// change, the time of the weather.
	Write(ctx context.Context, network string, b Batch) error
}

// Batch is what one Write stores. Any part may be empty. Changes may name
// stations that Stations does not describe; those come into being with
// nothing known but their ID.
type Batch struct {
	Network  *observation.Network // nil leaves what is stored
	Stations []observation.Station

	// SeenAt is when a source showed the stations so. One that it shows more
	// than 50 m from where it was before has moved then; what was seen before
	// the newest stored snapshot tells where a station was, not where it is.
	// Zero corrects the places that are stored: nothing has moved. What is not
	// known of a station, its name, place or capacity, leaves what is stored.
	SeenAt time.Time

	Totals  []observation.Totals
	Changes []observation.Observation
	Weather []observation.Weather
}
