package dataset

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"livelab/pipeline/features"
	"livelab/pipeline/observation"
)

// readStations reads what the stations of a network showed up to the newest
// snapshot that was read, so that what is written meanwhile is not half in.
// Stations that showed nothing in that time are left out: what a store came to
// know later does not change the past.
func readStations(ctx context.Context, s Store, network string, from, newest time.Time) (*features.Stations, error) {
	if newest.IsZero() {
		return &features.Stations{}, nil
	}
	var g gatherer
	if err := s.Changes(ctx, network, from, newest, g.add); err != nil {
		return nil, err
	}
	g.endStation()
	// Read after the changes: a station that appears in between is in the list
	// then, and without changes.
	known, err := s.Stations(ctx, network)
	if err != nil {
		return nil, err
	}
	return g.stations(known)
}

// gatherer puts changes, ordered by station and time, into columns. Rows that
// say again what held are dropped: a store has some where older data came in
// after newer, and the same past shall make the same dataset.
type gatherer struct {
	ids     []string
	past    []features.Changes
	station features.Changes // of the last ID, grown as it comes
}

func (g *gatherer) add(o observation.Observation) error {
	if last := len(g.ids) - 1; last < 0 || o.StationID != g.ids[last] {
		if last >= 0 && o.StationID < g.ids[last] {
			return fmt.Errorf("the changes of station %q come after those of %q, out of order", o.StationID, g.ids[last])
		}
		g.endStation()
		g.ids = append(g.ids, o.StationID)
	}
	if err := follows(&g.station, o.StationID, o.At.Unix()); err != nil {
		return err
	}
	if !holds(&g.station, o.State) {
		g.station.Add(o.At, o.State)
	}
	return nil
}

// holds reports whether the last change shows this state.
func holds(c *features.Changes, s observation.State) bool {
	n := c.Len()
	return n > 0 && c.FreeBikes[n-1] == s.FreeBikes && c.EmptySlots[n-1] == s.EmptySlots && c.InService[n-1] == s.InService
}

// follows says what is wrong with the time of a change after those before it.
func follows(c *features.Changes, station string, at int64) error {
	n := c.Len()
	if n == 0 || c.At[n-1] < at {
		return nil
	}
	return fmt.Errorf("the changes of station %q are not in ascending order of time: %s comes after %s", station,
		time.Unix(at, 0).UTC().Format(time.RFC3339), time.Unix(c.At[n-1], 0).UTC().Format(time.RFC3339))
}

// endStation keeps the station's columns at their length: there are thousands
// of them, and what each could still grow by would add up.
func (g *gatherer) endStation() {
	if len(g.ids) == len(g.past) {
		return
	}
	c := &g.station
	g.past = append(g.past, features.Changes{
		At:         slices.Clone(c.At),
		FreeBikes:  slices.Clone(c.FreeBikes),
		EmptySlots: slices.Clone(c.EmptySlots),
		InService:  slices.Clone(c.InService),
	})
	c.At, c.FreeBikes, c.EmptySlots, c.InService = c.At[:0], c.FreeBikes[:0], c.EmptySlots[:0], c.InService[:0]
}

// stations finds the gathered ones among those that are known, which are in
// the order of their IDs.
func (g *gatherer) stations(known []observation.Station) (*features.Stations, error) {
	s := &features.Stations{List: make([]observation.Station, len(g.ids)), Past: g.past}
	for i, id := range g.ids {
		at, found := find(known, id)
		if !found {
			return nil, fmt.Errorf("there are changes of station %q, which is not in the list of stations", id)
		}
		s.List[i] = known[at]
	}
	return s, nil
}

// among gives the gathered changes beside all stations that are known, none
// for one that showed nothing.
func (g *gatherer) among(known []observation.Station) (*features.Stations, error) {
	g.endStation()
	found, err := g.stations(known)
	if err != nil {
		return nil, err
	}
	all := &features.Stations{List: known, Past: make([]features.Changes, len(known))}
	next := 0
	for i := range known {
		if next < len(g.ids) && known[i].ID == g.ids[next] {
			all.Past[i] = found.Past[next]
			next++
		}
	}
	return all, nil
}

// find gives a station's index in a list sorted by ID.
func find(list []observation.Station, id string) (int, bool) {
	return slices.BinarySearchFunc(list, id, func(s observation.Station, id string) int { return strings.Compare(s.ID, id) })
}
