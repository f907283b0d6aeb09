// Package dataset freezes what a store holds into files that a training can
// be repeated from: Parquet with a manifest, and a digest over the content. It
// also reads the newest rows that serving answers from.
package dataset

import (
	"context"
	"fmt"
	"slices"
	"time"

	"livelab/pipeline/features"
	"livelab/pipeline/observation"
)

// Dataset is a network's past, frozen.
type Dataset struct {
	Network observation.Network
	Origin  observation.Origin
	Series  features.Series

	// Stations is nil for a dataset about the network alone.
	Stations *features.Stations
}

// History is what rows are made from.
func (d *Dataset) History() features.History {
	return features.History{Place: features.PlaceOf(d.Network), Series: d.Series, Stations: d.Stations}
}

// For is the part of the dataset that a task reads: for a network it has no
// stations. The digest of the part is what a model is trained on, so a model of
// the network is the same whether stations were frozen beside it or not. The
// part shares its rows with the dataset.
func (d *Dataset) For(task features.Task) *Dataset {
	if task.Entity == features.EntityStation || d.Stations == nil {
		return d
	}
	part := *d
	part.Stations = nil
	return &part
}

// Changes is the number of changes of all stations.
func (d *Dataset) Changes() int {
	n := 0
	if d.Stations != nil {
		for i := range d.Stations.Past {
			n += d.Stations.Past[i].Len()
		}
	}
	return n
}

// Selection is what to read of a store.
type Selection struct {
	// Network is the ID of the network. Empty stands for the only one in the store.
	Network string

	// From and To bound the time, both included. A zero time leaves that side open.
	From, To time.Time

	// Stations reads the stations and their changes as well, which takes a
	// hundred times as long as the network alone. See [features.Task.Entity].
	Stations bool
}

// FromStore reads the past of a network from a store. The error is a
// *NetworkError where it cannot tell which network is meant.
func FromStore(ctx context.Context, s Store, sel Selection) (*Dataset, error) {
	origin, err := s.Origin(ctx)
	if err != nil {
		return nil, fmt.Errorf("read dataset: %w", err)
	}
	n, err := FindNetwork(ctx, s, sel.Network)
	if err != nil {
		return nil, fmt.Errorf("read dataset: %w", err)
	}
	d := &Dataset{Network: n, Origin: origin}
	if d.Series.Points, err = s.Totals(ctx, n.ID, sel.From, sel.To); err != nil {
		return nil, fmt.Errorf("read snapshots of %s: %w", n.ID, err)
	}
	if d.Series.Weather, err = s.Weather(ctx, n.ID, sel.From, sel.To); err != nil {
		return nil, fmt.Errorf("read weather of %s: %w", n.ID, err)
	}
	if !sel.Stations {
		return d, nil
	}
	if d.Stations, err = readStations(ctx, s, n.ID, sel.From, lastAt(d.Series.Points)); err != nil {
		return nil, fmt.Errorf("read stations of %s: %w", n.ID, err)
	}
	return d, nil
}

// FindNetwork finds a network of the store by its ID. An empty ID stands for
// the only one. The error is a *NetworkError where it cannot tell.
func FindNetwork(ctx context.Context, s Store, id string) (observation.Network, error) {
	known, err := s.Networks(ctx)
	if err != nil {
		return observation.Network{}, fmt.Errorf("list networks: %w", err)
	}
	if id == "" && len(known) == 1 {
		return known[0], nil
	}
	ids := make([]string, len(known))
	for i, n := range known {
		ids[i] = n.ID
		if n.ID == id {
			return n, nil
		}
	}
	slices.Sort(ids)
	return observation.Network{}, &NetworkError{Network: id, Known: ids}
}
