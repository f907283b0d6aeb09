package value

import (
	"cmp"
	"maps"
	"slices"

	"livelab/pipeline/observation"
)

// Change is an observation as it is stored.
type Change struct {
	At      int64 // Unix seconds
	Station int32 // surrogate key
	observation.State
}

// Count makes every count below zero Unknown.
func Count(n int32) int32 { return max(n, observation.Unknown) }

// Changes resolves the stations of observations by keys, which must have them
// all, and gives the rows in the order of the primary key, which is by far the
// fastest to write and later to read. Of several rows with the same key the
// last one given stays.
func Changes(rows []observation.Observation, keys map[string]int32) []Change {
	stations, counts := stationsOf(rows, keys)
	// Imports come by time, so sorting them into one part a station, which
	// takes a single pass, leaves each part sorted.
	next := make(map[int32]int, len(stations))
	start := 0
	for _, station := range stations {
		next[station] = start
		start += counts[station]
	}
	changes := make([]Change, len(rows))
	for i := range rows {
		r := &rows[i]
		c := Change{At: r.At.Unix(), Station: keys[r.StationID], State: r.State}
		c.FreeBikes, c.EmptySlots = Count(c.FreeBikes), Count(c.EmptySlots)
		changes[next[c.Station]] = c
		next[c.Station]++
	}
	kept := changes[:0]
	for _, station := range stations {
		part := changes[next[station]-counts[station] : next[station]]
		kept = append(kept, sortLast(part, func(a, b Change) int { return cmp.Compare(a.At, b.At) })...)
	}
	return kept
}

// stationsOf lists the stations of rows by key, and how many rows each has.
func stationsOf(rows []observation.Observation, keys map[string]int32) ([]int32, map[int32]int) {
	counts := map[int32]int{}
	for i := range rows {
		counts[keys[rows[i].StationID]]++
	}
	return slices.Sorted(maps.Keys(counts)), counts
}

// Totals gives the rows in ascending order of time, the last one given for
// each time.
func Totals(rows []observation.Totals) []observation.Totals {
	return sortLast(slices.Clone(rows), func(a, b observation.Totals) int {
		return cmp.Compare(a.At.Unix(), b.At.Unix())
	})
}

// Weather gives the rows in ascending order of time, the last one given for
// each time.
func Weather(rows []observation.Weather) []observation.Weather {
	return sortLast(slices.Clone(rows), func(a, b observation.Weather) int {
		return cmp.Compare(a.At.Unix(), b.At.Unix())
	})
}

// Stations gives the stations in order of ID, the last one given for each.
func Stations(rows []observation.Station) []observation.Station {
	return sortLast(slices.Clone(rows), func(a, b observation.Station) int {
		return cmp.Compare(a.ID, b.ID)
	})
}

// sortLast sorts rows in place and drops all but the last of equal ones.
func sortLast[T any](rows []T, compare func(a, b T) int) []T {
	if !slices.IsSortedFunc(rows, compare) {
		slices.SortStableFunc(rows, compare)
	}
	kept := rows[:0]
	for i := range rows {
		if i+1 == len(rows) || compare(rows[i], rows[i+1]) != 0 {
			kept = append(kept, rows[i])
		}
	}
	return kept
}
