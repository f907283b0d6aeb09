package features

import (
	"time"

	"livelab/pipeline/observation"
)

// History is all that the rows of a network and of its stations are made from.
type History struct {
	Place  Place // of the network
	Series Series

	// Stations is nil where they were not read. A task about stations needs
	// them.
	Stations *Stations
}

// Stations is the past of a network's stations.
type Stations struct {
	List []observation.Station // sorted by ID, bytewise
	Past []Changes             // of each
}

// Changes are what one station showed, change by change: columns of equal
// length in strictly ascending order of time. A state holds until the next one.
type Changes struct {
	At                    []int64 // Unix seconds
	FreeBikes, EmptySlots []int32 // observation.Unknown where not known
	InService             []bool
}

// Len is the number of changes.
func (c *Changes) Len() int { return len(c.At) }

// Add appends a change, which must be later than those before it.
func (c *Changes) Add(at time.Time, s observation.State) {
	c.At = append(c.At, at.Unix())
	c.FreeBikes = append(c.FreeBikes, s.FreeBikes)
	c.EmptySlots = append(c.EmptySlots, s.EmptySlots)
	c.InService = append(c.InService, s.InService)
}
