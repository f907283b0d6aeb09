package value

import (
	"cmp"
	"fmt"
	"slices"

	"livelab/pipeline/ingest"
	"livelab/pipeline/observation"
)

// CheckBatch refuses a batch of which any part cannot be stored, so that a
// Write fails before it has begun.
func CheckBatch(network string, b ingest.Batch) error {
	if err := CheckID("network ID", network); err != nil {
		return err
	}
	if n := b.Network; n != nil {
		if n.ID != network {
			return fmt.Errorf("the batch describes the network %q but is written to %q", n.ID, network)
		}
		if err := checkTexts(n.Name, n.City, n.Country); err != nil {
			return fmt.Errorf("network %q: %w", network, err)
		}
	}
	for i := range b.Stations {
		s := &b.Stations[i]
		if err := CheckID("station ID", s.ID); err != nil {
			return err
		}
		if err := CheckText("name", s.Name); err != nil {
			return fmt.Errorf("station %q: %w", s.ID, err)
		}
	}
	return checkTimes(b)
}

func checkTexts(texts ...string) error {
	for _, s := range texts {
		if err := CheckText("text", s); err != nil {
			return err
		}
	}
	return nil
}

// checkTimes checks everything of a batch that has a time. The IDs of changed
// stations are checked with them, only when they differ from the row before:
// imports repeat an ID thousands of times in a row.
func checkTimes(b ingest.Batch) error {
	for i := range b.Totals {
		if err := CheckTime("a row of totals", b.Totals[i].At); err != nil {
			return err
		}
	}
	for i := range b.Weather {
		if err := CheckTime("a row of weather", b.Weather[i].At); err != nil {
			return err
		}
	}
	for i := range b.Changes {
		c := &b.Changes[i]
		if i == 0 || c.StationID != b.Changes[i-1].StationID {
			if err := CheckID("station ID of a change", c.StationID); err != nil {
				return err
			}
		}
		if c.At.IsZero() || c.At.Before(minTime) || c.At.After(maxTime) {
			return CheckTime(fmt.Sprintf("a change of station %q", c.StationID), c.At)
		}
	}
	return nil
}

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
	changes := make([]Change, len(rows))
	for i := range rows {
		r := &rows[i]
		changes[i] = Change{At: r.At.Unix(), Station: keys[r.StationID], State: r.State}
		changes[i].FreeBikes = Count(r.FreeBikes)
		changes[i].EmptySlots = Count(r.EmptySlots)
	}
	return sortLast(changes, func(a, b *Change) int {
		return cmp.Or(cmp.Compare(a.Station, b.Station), cmp.Compare(a.At, b.At))
	})
}

// Totals gives the rows in ascending order of time, the last one given for
// each time.
func Totals(rows []observation.Totals) []observation.Totals {
	return sortLast(slices.Clone(rows), func(a, b *observation.Totals) int {
		return cmp.Compare(a.At.Unix(), b.At.Unix())
	})
}

// Weather gives the rows in ascending order of time, the last one given for
// each time.
func Weather(rows []observation.Weather) []observation.Weather {
	return sortLast(slices.Clone(rows), func(a, b *observation.Weather) int {
		return cmp.Compare(a.At.Unix(), b.At.Unix())
	})
}

// Stations gives the stations in order of ID, the last one given for each.
func Stations(rows []observation.Station) []observation.Station {
	return sortLast(slices.Clone(rows), func(a, b *observation.Station) int {
		return cmp.Compare(a.ID, b.ID)
	})
}

// sortLast sorts rows in place and drops all but the last of equal ones.
func sortLast[T any](rows []T, compare func(a, b *T) int) []T {
	byKey := func(a, b T) int { return compare(&a, &b) }
	if !slices.IsSortedFunc(rows, byKey) {
		slices.SortStableFunc(rows, byKey)
	}
	kept := rows[:0]
	for i := range rows {
		if i+1 == len(rows) || compare(&rows[i], &rows[i+1]) != 0 {
			kept = append(kept, rows[i])
		}
	}
	return kept
}

// NewStations lists the IDs that the batch names and keys lacks, sorted, each
// once.
func NewStations(b ingest.Batch, keys map[string]int32) []string {
	missing := map[string]bool{}
	for i := range b.Stations {
		if _, ok := keys[b.Stations[i].ID]; !ok {
			missing[b.Stations[i].ID] = true
		}
	}
	for i := range b.Changes {
		if _, ok := keys[b.Changes[i].StationID]; !ok {
			missing[b.Changes[i].StationID] = true
		}
	}
	ids := make([]string, 0, len(missing))
	for id := range missing {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids
}
