package value

import (
	"fmt"
	"slices"

	"livelab/pipeline/ingest"
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
