package quality

import (
	"fmt"
	"math"
	"time"

	"livelab/pipeline/features"
	"livelab/pipeline/observation"
)

// stations looks each of them over and gives them without what cannot be true
// and without changes that change nothing. It is nil where the dataset has none.
func (in *inspection) stations() *features.Stations {
	in.report.Impossible.Stations = []string{}
	if in.d.Stations == nil {
		return nil
	}
	all := in.d.Stations
	r := &Stations{Count: len(all.List)}
	for _, n := range []*Named{&r.Dead, &r.New, &r.Moved, &r.OutOfService, &r.NeverSeen, &r.UnknownCapacity, &r.Unplaced} {
		n.IDs = []string{}
	}
	in.report.Stations = r
	clean := &features.Stations{List: all.List, Past: make([]features.Changes, len(all.Past))}
	for i, s := range all.List {
		r.Changes += all.Past[i].Len()
		clean.Past[i] = in.cleanPast(s, &all.Past[i])
		in.describe(s, &clean.Past[i])
	}
	in.exclude(in.report.Impossible.Changes, "change", fmt.Sprintf("of %s: the counts cannot be true, and the station is taken to be out of service until its next change",
		counted(len(in.report.Impossible.Stations), "station")))
	in.exclude(r.Duplicates, "change", "they change nothing")
	return clean
}

// cleanPast copies a station's changes.
func (in *inspection) cleanPast(s observation.Station, past *features.Changes) features.Changes {
	clean := features.Changes{
		At:        make([]int64, 0, past.Len()),
		FreeBikes: make([]int32, 0, past.Len()), EmptySlots: make([]int32, 0, past.Len()),
		InService: make([]bool, 0, past.Len()),
	}
	impossible := 0
	for k := range past.At {
		state := observation.State{FreeBikes: past.FreeBikes[k], EmptySlots: past.EmptySlots[k], InService: past.InService[k]}
		if in.impossibleState(s, state) {
			impossible++
			state = observation.Gone
		}
		n := clean.Len() - 1
		if n >= 0 && clean.FreeBikes[n] == state.FreeBikes && clean.EmptySlots[n] == state.EmptySlots && clean.InService[n] == state.InService {
			if state != observation.Gone {
				in.report.Stations.Duplicates++
			}
			continue
		}
		clean.Add(time.Unix(past.At[k], 0), state)
	}
	if impossible > 0 {
		in.report.Impossible.Changes += impossible
		in.report.Impossible.Stations = append(in.report.Impossible.Stations, s.ID)
	}
	return clean
}

// impossibleState reports whether a state cannot be true.
func (in *inspection) impossibleState(s observation.Station, state observation.State) bool {
	bikes, slots := float64(state.FreeBikes), float64(state.EmptySlots)
	if bikes < float64(observation.Unknown) || slots < float64(observation.Unknown) || bikes > in.rules.MaxDocks || slots > in.rules.MaxDocks {
		return true
	}
	// A few bikes more than docks are true where riders leave them beside.
	most := math.Max(float64(in.rules.MaxOverCapacity*float64(s.Capacity)), leastFleet)
	return s.Capacity > 0 && math.Max(bikes, 0)+math.Max(slots, 0) > most
}

// describe notes what is the matter with a station.
func (in *inspection) describe(s observation.Station, past *features.Changes) {
	r, points := in.report.Stations, in.d.Series.Points
	if s.Capacity <= 0 {
		r.UnknownCapacity.add(s.ID)
	}
	if math.IsNaN(s.Latitude) || math.IsNaN(s.Longitude) {
		r.Unplaced.add(s.ID)
	}
	if !s.MovedAt.IsZero() {
		r.Moved.add(s.ID)
	}
	n := past.Len()
	if n == 0 {
		r.NeverSeen.add(s.ID)
		return
	}
	if len(points) == 0 {
		return
	}
	first, last := points[0].At.Unix(), points[len(points)-1].At.Unix()
	switch {
	case !past.InService[n-1]:
		r.OutOfService.add(s.ID)
	case float64(last-past.At[n-1]) > float64(in.rules.DeadDays*86400):
		r.Dead.add(s.ID)
	}
	if past.At[0]-first > (last-first)/4 {
		r.New.add(s.ID)
	}
}
