package storetest

import (
	"context"
	"errors"
	"testing"
	"time"

	"livelab/pipeline/ingest"
	"livelab/pipeline/observation"
)

var datasetCases = map[string]func(*testing.T, Store){
	"empty store":            emptyStore,
	"networks and stations":  networksAndStations,
	"ranges":                 ranges,
	"newest":                 newest,
	"order of changes":       orderOfChanges,
	"changes until an error": changesUntilError,
	"changes in a snapshot":  changesInSnapshot,
	"changes in changes":     changesInChanges,
	"cancelled":              cancelledReads,
}

func emptyStore(t *testing.T, s Store) {
	ctx := ctxFor(t)
	equal(t, "origin", must[observation.Origin](t)(s.Origin(ctx)), "")
	equal(t, "networks", must[[]observation.Network](t)(s.Networks(ctx)), nil)
	equal(t, "stations", must[[]observation.Station](t)(s.Stations(ctx, oslo)), nil)
	equal(t, "totals", must[[]observation.Totals](t)(s.Totals(ctx, oslo, time.Time{}, time.Time{})), nil)
	equal(t, "weather", must[[]observation.Weather](t)(s.Weather(ctx, oslo, time.Time{}, time.Time{})), nil)
	equal(t, "changes", changes(t, s, time.Time{}, time.Time{}), nil)
	update(t, s, func(tx ingest.Tx) error {
		states, err := tx.States(ctx, oslo, at(0))
		if states == nil {
			t.Error("States of an empty store is a nil map")
		}
		equal(t, "states", states, nil)
		return err
	})
	update(t, s, func(tx ingest.Tx) error {
		times, err := tx.SnapshotTimes(ctx, oslo, time.Time{}, time.Time{})
		equal(t, "snapshot times", times, nil)
		return err
	})
	equal(t, "networks after reading", must[[]observation.Network](t)(s.Networks(ctx)), nil)
}

func networksAndStations(t *testing.T, s Store) {
	ctx := ctxFor(t)
	networks := []observation.Network{
		{ID: "a", Name: "Bysykkel Ægir", City: "Tromsø", Country: "NO", Latitude: nan, Longitude: nan},
		{ID: "b", Name: "自転車", City: "東京", Country: "JP", Latitude: 35.689487, Longitude: 139.691711},
	}
	stations := []observation.Station{
		{ID: "1", Name: "Sør‑gata 🚲 \"x\" 'y'; --", Latitude: 59.9, Longitude: 10.7, Capacity: 30},
		{ID: "10", Latitude: nan, Longitude: nan, Capacity: observation.Unknown},
		{ID: "2", Name: "zero", Capacity: 0, Latitude: -0.5, Longitude: -180},
	}
	err := s.Update(ctx, []string{"b", "a"}, func(tx ingest.Tx) error {
		// The same station IDs in both: they are unique in a network only.
		return errors.Join(
			tx.Write(ctx, "b", ingest.Batch{Network: &networks[1], Stations: stations}),
			tx.Write(ctx, "a", ingest.Batch{Network: &networks[0], Stations: stations[:1]}))
	})
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "networks", must[[]observation.Network](t)(s.Networks(ctx)), networks)
	equal(t, "stations of a", must[[]observation.Station](t)(s.Stations(ctx, "a")), stations[:1])
	equal(t, "stations of b", must[[]observation.Station](t)(s.Stations(ctx, "b")), stations)
	equal(t, "stations of another", must[[]observation.Station](t)(s.Stations(ctx, "c")), nil)
}

// ranges reads with every kind of bound, and finds both ends included.
func ranges(t *testing.T, s Store) {
	var b ingest.Batch
	for i := range 4 {
		b.Totals = append(b.Totals, observation.Totals{At: at(i), Stations: 1, FreeBikes: int32(i), EmptySlots: 10})
		b.Weather = append(b.Weather, observation.Weather{At: at(i), Temperature: float64(i)})
		b.Changes = append(b.Changes, change("s", i, int32(i), 0))
	}
	write(t, s, b)
	var never time.Time
	tests := []struct {
		name        string
		from, to    time.Time
		first, last int // of the rows; first > last for none
	}{
		{"open", never, never, 0, 3},
		{"from", at(1), never, 1, 3},
		{"to", never, at(2), 0, 2},
		{"both", at(1), at(2), 1, 2},
		{"one", at(2), at(2), 2, 2},
		{"between seconds", at(0).Add(1), at(3).Add(-1), 1, 2},
		{"reversed", at(3), at(0), 1, 0},
		{"before", never, at(-1), 1, 0},
		{"after", at(4), never, 1, 0},
		{"far", time.Unix(-1<<61, 0), time.Unix(1<<61, 0), 0, 3},
		{"other zone", at(1).In(time.FixedZone("", 7200)), at(2).In(time.FixedZone("", -7200)), 1, 2},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			ctx := ctxFor(t)
			n := tt.last + 1
			equal(t, "totals", must[[]observation.Totals](t)(s.Totals(ctx, oslo, tt.from, tt.to)), b.Totals[tt.first:max(n, tt.first)])
			equal(t, "weather", must[[]observation.Weather](t)(s.Weather(ctx, oslo, tt.from, tt.to)), b.Weather[tt.first:max(n, tt.first)])
			equal(t, "changes", changes(t, s, tt.from, tt.to), b.Changes[tt.first:max(n, tt.first)])
			var want []time.Time
			for _, r := range b.Totals[tt.first:max(n, tt.first)] {
				want = append(want, r.At)
			}
			update(t, s, func(tx ingest.Tx) error {
				times, err := tx.SnapshotTimes(ctx, oslo, tt.from, tt.to)
				equal(t, "snapshot times", times, want)
				return err
			})
		})
	}
}

func newest(t *testing.T, s Store) {
	ctx := ctxFor(t)
	check := func(what string, wantSnapshot, wantWeather time.Time) {
		t.Helper()
		snapshot, weather, err := s.Newest(ctx, oslo)
		if err != nil {
			t.Fatal(err)
		}
		equal(t, "newest snapshot "+what, snapshot, wantSnapshot)
		equal(t, "newest weather "+what, weather, wantWeather)
	}
	check("of an empty store", time.Time{}, time.Time{})
	write(t, s, ingest.Batch{Totals: []observation.Totals{{At: at(7)}, {At: at(3)}}})
	check("without weather", at(7), time.Time{})
	write(t, s, ingest.Batch{Weather: []observation.Weather{{At: at(1)}, {At: at(9)}}})
	check("with weather", at(7), at(9))
}

// orderOfChanges gives station IDs that a locale would sort in another way.
func orderOfChanges(t *testing.T, s Store) {
	want := []observation.Observation{
		change("10", 0, 1, 1), change("10", 5, 2, 0),
		change("9", 3, 1, 1),
		change("B", 0, 1, 1),
		change("_x", 0, 1, 1),
		change("a", -5, 1, 1), change("a", 0, 3, 1),
		change("a b", 0, 1, 1),
		change("a-b", 0, 1, 1),
		change("ab", 0, 1, 1),
		change("ä", 0, 1, 1),
		change("東", 0, 1, 1),
	}
	var shuffled []observation.Observation
	for i := range want {
		shuffled = append(shuffled, want[(i*5+3)%len(want)])
	}
	write(t, s, ingest.Batch{Changes: shuffled[:7]})
	write(t, s, ingest.Batch{Changes: shuffled[7:]})
	// A short range may be read in another way.
	for _, to := range []time.Time{{}, at(5)} {
		from := at(-5)
		equal(t, "changes", changes(t, s, from, to), want)
		for _, o := range changes(t, s, from, to) {
			if o.At.Location() != time.UTC {
				t.Fatalf("change at %v is not in UTC", o.At)
			}
		}
	}
}

func changesUntilError(t *testing.T, s Store) {
	var b ingest.Batch
	for i := range 5000 {
		b.Changes = append(b.Changes, change("s", i, int32(i), 0))
	}
	write(t, s, b)
	enough := errors.New("enough")
	for _, to := range []time.Time{{}, at(60)} {
		n := 0
		err := s.Changes(ctxFor(t), oslo, at(0), to, func(observation.Observation) error {
			if n++; n == 3 {
				return enough
			}
			return nil
		})
		if err != enough || n != 3 {
			t.Errorf("Changes gave %v after %d calls, want the error of yield itself after 3", err, n)
		}
	}
	equal(t, "changes after it", changes(t, s, time.Time{}, time.Time{}), b.Changes)
}

// changesInSnapshot writes during the walk, which must not see it.
func changesInSnapshot(t *testing.T, s Store) {
	write(t, s, ingest.Batch{Changes: []observation.Observation{change("a", 0, 1, 1), change("b", 0, 1, 1)}})
	var seen []observation.Observation
	err := s.Changes(ctxFor(t), oslo, time.Time{}, time.Time{}, func(o observation.Observation) error {
		if len(seen) == 0 {
			write(t, s, ingest.Batch{Changes: []observation.Observation{change("b", 0, 7, 7), change("b", 9, 1, 1), change("c", 0, 1, 1)}})
		}
		seen = append(seen, o)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "changes", seen, []observation.Observation{change("a", 0, 1, 1), change("b", 0, 1, 1)})
}

func changesInChanges(t *testing.T, s Store) {
	write(t, s, ingest.Batch{Changes: []observation.Observation{change("a", 0, 1, 1), change("b", 0, 1, 1)}})
	n := 0
	err := s.Changes(ctxFor(t), oslo, time.Time{}, time.Time{}, func(observation.Observation) error {
		n += len(changes(t, s, time.Time{}, time.Time{}))
		return nil
	})
	if err != nil || n != 4 {
		t.Errorf("a walk in a walk saw %d changes with error %v, want 4 and none", n, err)
	}
}

func cancelledReads(t *testing.T, s Store) {
	write(t, s, ingest.Batch{Changes: []observation.Observation{change("a", 0, 1, 1)}})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, totals := s.Totals(ctx, oslo, time.Time{}, time.Time{})
	_, networks := s.Networks(ctx)
	_, predictions := s.RecentPredictions(ctx, 1)
	walked := s.Changes(ctx, oslo, time.Time{}, time.Time{}, func(observation.Observation) error { return nil })
	for name, err := range map[string]error{"Totals": totals, "Networks": networks, "RecentPredictions": predictions, "Changes": walked} {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%s of a cancelled context: %v", name, err)
		}
	}
	equal(t, "changes after it", len(changes(t, s, time.Time{}, time.Time{})), 1)
}
