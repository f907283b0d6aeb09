package storetest

import (
	"fmt"
	"math"
	"testing"
	"time"

	"livelab/pipeline/ingest"
	"livelab/pipeline/observation"
)

var writeCases = map[string]func(*testing.T, Store){
	"empty batch":        emptyBatch,
	"round trip":         roundTrip,
	"replaces":           replaces,
	"replaces in batch":  replacesInBatch,
	"overlapping batch":  overlappingBatch,
	"states":             statesAsOf,
	"far dates":          farDates,
	"whole seconds":      wholeSeconds,
	"100k changes":       manyChanges,
	"what is not stored": badBatches,
}

func emptyBatch(t *testing.T, s Store) {
	write(t, s, ingest.Batch{})
	// The network is now known, by its ID alone.
	want := []observation.Network{{ID: oslo, Latitude: nan, Longitude: nan}}
	equal(t, "networks", must[[]observation.Network](t)(s.Networks(ctxFor(t))), want)
	described := observation.Network{ID: oslo, Name: "Oslo Bysykkel", City: "Oslo", Country: "NO", Latitude: 59.9, Longitude: 10.7}
	write(t, s, ingest.Batch{Network: &described})
	write(t, s, ingest.Batch{})
	equal(t, "described", must[[]observation.Network](t)(s.Networks(ctxFor(t))), []observation.Network{described})
}

// roundTrip writes every kind of unknown value.
func roundTrip(t *testing.T, s Store) {
	ctx := ctxFor(t)
	gone := observation.Observation{StationID: "a", At: at(1), State: observation.Gone}
	half := observation.Observation{StationID: "a", At: at(2), State: observation.State{FreeBikes: 3, EmptySlots: observation.Unknown, InService: true}}
	off := observation.Observation{StationID: "a", At: at(3), State: observation.State{FreeBikes: 0, EmptySlots: math.MaxInt32}}
	below := observation.Observation{StationID: "a", At: at(4), State: observation.State{FreeBikes: -7, EmptySlots: math.MinInt32, InService: true}}
	b := ingest.Batch{
		Changes: []observation.Observation{gone, half, off, below},
		Totals: []observation.Totals{
			{At: at(0)},
			{At: at(1), Stations: 1, FreeBikes: observation.Unknown, EmptySlots: math.MaxInt32},
		},
		Weather: []observation.Weather{
			{At: at(0), Temperature: nan, Precipitation: nan, WindSpeed: nan},
			{At: at(1), Temperature: -40.25, Precipitation: 0, WindSpeed: nan},
			{At: at(2), Temperature: 0.1 + 0.2, Precipitation: math.SmallestNonzeroFloat64, WindSpeed: math.MaxFloat64},
		},
	}
	write(t, s, b)
	// A count below zero cannot be true, so it is unknown.
	b.Changes[3].FreeBikes, b.Changes[3].EmptySlots = observation.Unknown, observation.Unknown
	equal(t, "changes", changes(t, s, time.Time{}, time.Time{}), b.Changes)
	equal(t, "totals", must[[]observation.Totals](t)(s.Totals(ctx, oslo, time.Time{}, time.Time{})), b.Totals)
	equal(t, "weather", must[[]observation.Weather](t)(s.Weather(ctx, oslo, time.Time{}, time.Time{})), b.Weather)
	unnamed := []observation.Station{{ID: "a", Latitude: nan, Longitude: nan, Capacity: observation.Unknown}}
	equal(t, "stations that only a change named", must[[]observation.Station](t)(s.Stations(ctx, oslo)), unnamed)
}

// replaces writes the same keys in two batches: the second one stays.
func replaces(t *testing.T, s Store) {
	ctx := ctxFor(t)
	batch := func(n int32) ingest.Batch {
		f := float64(n)
		return ingest.Batch{
			Network:  &observation.Network{ID: oslo, Name: fmt.Sprint(n), Latitude: f, Longitude: nan},
			Stations: []observation.Station{{ID: "a", Name: fmt.Sprint(n), Latitude: f, Longitude: f, Capacity: n}},
			Totals:   []observation.Totals{{At: at(0), Stations: n, FreeBikes: n, EmptySlots: n}},
			Changes:  []observation.Observation{change("a", 0, n, n)},
			Weather:  []observation.Weather{{At: at(0), Temperature: f, Precipitation: f, WindSpeed: nan}},
		}
	}
	write(t, s, batch(1))
	write(t, s, batch(2))
	want := batch(2)
	equal(t, "networks", must[[]observation.Network](t)(s.Networks(ctx)), []observation.Network{*want.Network})
	equal(t, "stations", must[[]observation.Station](t)(s.Stations(ctx, oslo)), want.Stations)
	equal(t, "totals", must[[]observation.Totals](t)(s.Totals(ctx, oslo, time.Time{}, time.Time{})), want.Totals)
	equal(t, "changes", changes(t, s, time.Time{}, time.Time{}), want.Changes)
	equal(t, "weather", must[[]observation.Weather](t)(s.Weather(ctx, oslo, time.Time{}, time.Time{})), want.Weather)
}

// replacesInBatch gives the same keys in one batch: the last one stays.
func replacesInBatch(t *testing.T, s Store) {
	ctx := ctxFor(t)
	var b ingest.Batch
	for n := range int32(3) {
		for _, minute := range []int{1, 0} {
			b.Totals = append(b.Totals, observation.Totals{At: at(minute), Stations: n})
			b.Changes = append(b.Changes, change("b", minute, n, n), change("a", minute, n, n))
			b.Weather = append(b.Weather, observation.Weather{At: at(minute), Temperature: float64(n)})
		}
		b.Stations = append(b.Stations, observation.Station{ID: "b", Capacity: n}, observation.Station{ID: "a", Capacity: n})
	}
	given := b.Changes[0]
	write(t, s, b)
	if b.Changes[0] != given {
		t.Error("Write changed the batch")
	}
	equal(t, "stations", must[[]observation.Station](t)(s.Stations(ctx, oslo)), []observation.Station{{ID: "a", Capacity: 2}, {ID: "b", Capacity: 2}})
	equal(t, "totals", must[[]observation.Totals](t)(s.Totals(ctx, oslo, time.Time{}, time.Time{})),
		[]observation.Totals{{At: at(0), Stations: 2}, {At: at(1), Stations: 2}})
	equal(t, "changes", changes(t, s, time.Time{}, time.Time{}),
		[]observation.Observation{change("a", 0, 2, 2), change("a", 1, 2, 2), change("b", 0, 2, 2), change("b", 1, 2, 2)})
	equal(t, "weather", must[[]observation.Weather](t)(s.Weather(ctx, oslo, time.Time{}, time.Time{})),
		[]observation.Weather{{At: at(0), Temperature: 2}, {At: at(1), Temperature: 2}})
}

// overlappingBatch writes twice in one Update, around and between what is
// stored: some rows are new, some replace, in more than one statement's worth.
func overlappingBatch(t *testing.T, s Store) {
	var even, all []observation.Observation
	for i := range 500 {
		if i%2 == 0 {
			even = append(even, change("a", i, 1, 1))
		}
		all = append(all, change("a", i, 2, int32(i)))
	}
	write(t, s, ingest.Batch{Changes: even})
	update(t, s, func(tx ingest.Tx) error {
		if err := tx.Write(t.Context(), oslo, ingest.Batch{Changes: all[:300]}); err != nil {
			return err
		}
		return tx.Write(t.Context(), oslo, ingest.Batch{Changes: all[200:]})
	})
	equal(t, "changes", changes(t, s, time.Time{}, time.Time{}), all)
}

func statesAsOf(t *testing.T, s Store) {
	offline := observation.Observation{StationID: "b", At: at(20), State: observation.Gone}
	write(t, s, ingest.Batch{
		Stations: []observation.Station{{ID: "never observed"}},
		Changes:  []observation.Observation{change("a", 0, 1, 9), change("a", 10, 2, 8), change("b", 5, 4, 4), offline},
	})
	tests := []struct {
		at   time.Time
		want map[string]observation.State
	}{
		{time.Time{}, nil},
		{at(0).Add(-time.Second), nil},
		{at(0), map[string]observation.State{"a": state(1, 9)}},
		{at(0).Add(time.Nanosecond), map[string]observation.State{"a": state(1, 9)}},
		{at(9), map[string]observation.State{"a": state(1, 9), "b": state(4, 4)}},
		{at(10), map[string]observation.State{"a": state(2, 8), "b": state(4, 4)}},
		{at(1e6), map[string]observation.State{"a": state(2, 8), "b": observation.Gone}},
	}
	for _, tt := range tests {
		equal(t, fmt.Sprintf("states as of %v", tt.at), states(t, s, tt.at), tt.want)
	}
	update(t, s, func(tx ingest.Tx) error {
		if err := tx.Write(t.Context(), oslo, ingest.Batch{Changes: []observation.Observation{change("a", 30, 5, 5)}}); err != nil {
			return err
		}
		got, err := tx.States(t.Context(), oslo, at(30))
		equal(t, "states of what this Update wrote", got, map[string]observation.State{"a": state(5, 5), "b": observation.Gone})
		return err
	})
}

func farDates(t *testing.T, s Store) {
	ctx := ctxFor(t)
	times := []time.Time{
		time.Date(1, 1, 1, 0, 0, 1, 0, time.UTC),
		time.Date(1582, 10, 10, 0, 0, 0, 0, time.UTC),
		time.Date(1969, 12, 31, 23, 59, 59, 0, time.UTC),
		time.Unix(0, 0).UTC(),
		time.Date(1999, 12, 31, 23, 59, 59, 0, time.UTC),
		time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC),
		time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC),
	}
	var b ingest.Batch
	for i, at := range times {
		b.Totals = append(b.Totals, observation.Totals{At: at, Stations: int32(i)})
		b.Weather = append(b.Weather, observation.Weather{At: at, Temperature: float64(i)})
		b.Changes = append(b.Changes, observation.Observation{StationID: "a", At: at, State: state(int32(i), 0)})
	}
	write(t, s, b)
	equal(t, "totals", must[[]observation.Totals](t)(s.Totals(ctx, oslo, time.Time{}, time.Time{})), b.Totals)
	equal(t, "weather", must[[]observation.Weather](t)(s.Weather(ctx, oslo, time.Time{}, time.Time{})), b.Weather)
	equal(t, "changes", changes(t, s, time.Time{}, time.Time{}), b.Changes)
	equal(t, "changes until 1970", changes(t, s, time.Time{}, times[3]), b.Changes[:4])
	for i, at := range times {
		equal(t, fmt.Sprintf("state as of %v", at), states(t, s, at), map[string]observation.State{"a": state(int32(i), 0)})
	}
}

// wholeSeconds gives parts of seconds, which are cut off, and other zones.
func wholeSeconds(t *testing.T, s Store) {
	late := at(0).Add(999_999_999 * time.Nanosecond).In(time.FixedZone("", 3600))
	write(t, s, ingest.Batch{
		Totals:  []observation.Totals{{At: late, Stations: 1}},
		Weather: []observation.Weather{{At: late, Temperature: 1}},
		Changes: []observation.Observation{{StationID: "a", At: late, State: state(1, 1)}},
	})
	ctx := ctxFor(t)
	equal(t, "totals", must[[]observation.Totals](t)(s.Totals(ctx, oslo, at(0), at(0))), []observation.Totals{{At: at(0), Stations: 1}})
	equal(t, "weather", must[[]observation.Weather](t)(s.Weather(ctx, oslo, at(0), at(0))), []observation.Weather{{At: at(0), Temperature: 1}})
	equal(t, "changes", changes(t, s, at(0), at(0)), []observation.Observation{change("a", 0, 1, 1)})
}

func manyChanges(t *testing.T, s Store) {
	b := bulk(100_000)
	write(t, s, b)
	got := changes(t, s, time.Time{}, time.Time{})
	if len(got) != len(b.Changes) {
		t.Fatalf("%d changes, want %d", len(got), len(b.Changes))
	}
	want := map[observation.Observation]bool{}
	for _, c := range b.Changes {
		want[c] = true
	}
	for i, c := range got {
		if !want[c] {
			t.Fatalf("change %d is %v, which was not written", i, c)
		}
	}
	// The whole batch once more changes nothing.
	write(t, s, b)
	equal(t, "changes after writing them again", len(changes(t, s, time.Time{}, time.Time{})), len(got))
}

// bulk makes changes as an import does: by time, some stations at each.
func bulk(n int) ingest.Batch {
	const stations = 271
	var b ingest.Batch
	for i := range n {
		id := fmt.Sprintf("station-%d", i%stations)
		b.Changes = append(b.Changes, change(id, i/stations*20, int32(i%31), int32(i%17)))
	}
	for i := range n / stations {
		b.Totals = append(b.Totals, observation.Totals{At: at(i * 20), Stations: stations, FreeBikes: int32(i), EmptySlots: 9})
	}
	return b
}

func badBatches(t *testing.T, s Store) {
	var never time.Time
	good := change("a", 0, 1, 1)
	tests := []struct {
		name, refusal string
		batch         ingest.Batch
	}{
		{"another network", "elsewhere", ingest.Batch{Network: &observation.Network{ID: "elsewhere"}}},
		{"no station", "station ID", ingest.Batch{Changes: []observation.Observation{good, {At: at(0)}}}},
		{"station not UTF-8", "UTF-8", ingest.Batch{Changes: []observation.Observation{good, {StationID: "\xff", At: at(0)}}}},
		{"station with NUL", "U+0000", ingest.Batch{Stations: []observation.Station{{ID: "a\x00"}}}},
		{"name not UTF-8", `"a"`, ingest.Batch{Stations: []observation.Station{{ID: "a", Name: "\xff"}}}},
		{"no time of a change", "no time", ingest.Batch{Changes: []observation.Observation{good, {StationID: "a", At: never}}}},
		{"no time of totals", "no time", ingest.Batch{Totals: []observation.Totals{{At: never}}}},
		{"no time of weather", "no time", ingest.Batch{Weather: []observation.Weather{{At: never}}}},
		{"year 10000", "9999", ingest.Batch{Changes: []observation.Observation{good, {StationID: "a", At: time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)}}}},
		{"year 0", "9999", ingest.Batch{Totals: []observation.Totals{{At: time.Date(0, 1, 1, 0, 0, 0, 0, time.UTC)}}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := s.Update(ctxFor(t), []string{oslo}, func(tx ingest.Tx) error { return tx.Write(t.Context(), oslo, tt.batch) })
			refused(t, err, tt.refusal)
		})
	}
	equal(t, "changes", changes(t, s, never, never), nil)
}
