package forecast

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"livelab/pipeline/dataset"
	"livelab/runtime/loader"
)

// board is what the keeper has to show. Neither it nor its entries change once
// stored.
type board struct {
	networks map[string]*entry
	failure  *Failure // why the networks could not be listed last, nil where they were
}

// entry is what there is of one network.
type entry struct {
	forecast *Forecast // the last one that was made, nil where there was none
	failure  *Failure  // why a newer one could not be made, nil where it is current

	// What the last attempt was made with.
	seen mark
	by   *loader.Loaded
}

// mark is how far the data of a network reaches: a forecast is current as long
// as it is the same.
type mark struct{ snapshot, weather time.Time }

// Failure is why there is no newer forecast.
type Failure struct {
	Err error
	At  time.Time // UTC, by the clock of the wall
}

// Current gives the current forecast of a network, and why there is no newer
// one where the last attempt failed. An empty network stands for the only one.
// Where there is no forecast at all the error is a *dataset.NetworkError, a
// *dataset.MissingError, or what the store failed with.
func (k *Keeper) Current(network string) (*Forecast, *Failure, error) {
	b := k.board.Load()
	if b == nil || b.networks == nil {
		return nil, nil, b.nothing(network)
	}
	e := b.networks[network]
	if network == "" && len(b.networks) == 1 {
		for _, e = range b.networks {
		}
	}
	switch {
	case e == nil:
		return nil, nil, &dataset.NetworkError{Network: network, Known: slices.Sorted(maps.Keys(b.networks))}
	case e.forecast == nil:
		return nil, nil, e.failure.Err
	case e.failure == nil:
		return e.forecast, b.failure, nil
	}
	return e.forecast, e.failure, nil
}

// nothing says why there are no networks.
func (b *board) nothing(network string) error {
	if b != nil && b.failure != nil {
		return b.failure.Err
	}
	return &dataset.MissingError{Network: network, Missing: []string{"the stations have not been read yet; try again in a moment"}}
}

// Summary is a forecast in short.
type Summary struct {
	Network  string
	Forecast *Forecast // nil where there is none
	Failure  *Failure  // nil where it is current
}

// All lists the networks, sorted by ID.
func (k *Keeper) All() []Summary {
	b := k.board.Load()
	if b == nil {
		return nil
	}
	var list []Summary
	for _, id := range slices.Sorted(maps.Keys(b.networks)) {
		e := b.networks[id]
		list = append(list, Summary{Network: id, Forecast: e.forecast, Failure: e.failure})
	}
	return list
}

func (f *Failure) String() string { return fmt.Sprintf("%v (%s)", f.Err, f.At.Format(time.RFC3339)) }
