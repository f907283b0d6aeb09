package ingest

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"livelab/pipeline/observation"
)

var day0 = time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)

func minute(n int) time.Time { return day0.Add(time.Duration(n) * time.Minute) }

func seqOf(snapshots ...observation.Snapshot) iter.Seq2[observation.Snapshot, error] {
	return func(yield func(observation.Snapshot, error) bool) {
		for _, s := range snapshots {
			if !yield(s, nil) {
				return
			}
		}
	}
}

// snap builds a snapshot from "id free slots" triples; free "x" means out of
// service with unknown counts.
func snap(m int, stations ...string) observation.Snapshot {
	s := observation.Snapshot{At: minute(m)}
	for _, spec := range stations {
		var id string
		r := observation.Reading{State: observation.State{InService: true}}
		if _, err := fmt.Sscanf(spec, "%s %d %d", &id, &r.FreeBikes, &r.EmptySlots); err != nil {
			r.State = observation.Gone
		}
		r.StationID = id
		s.Readings = append(s.Readings, r)
	}
	s.Sort()
	return s
}

// TestRecordedSnapshotsHold is the promise of the Recorder against a naive
// model: whatever the order in which blocks of snapshots arrive, every stored
// snapshot can be read back whole.
func TestRecordedSnapshotsHold(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		store := newMemStore()
		rec := &Recorder{Store: store, Origin: observation.OriginReal}
		model := map[time.Time]observation.Snapshot{}
		ids := map[string]bool{}
		for range rapid.IntRange(1, 8).Draw(t, "blocks") {
			minutes := rapid.SliceOfNDistinct(rapid.IntRange(0, 15), 1, 8, rapid.ID[int]).Draw(t, "minutes")
			slices.Sort(minutes)
			var block []observation.Snapshot
			fresh := 0
			for _, m := range minutes {
				s := drawSnapshot(t, m)
				block = append(block, s)
				if _, ok := model[s.At]; !ok {
					model[s.At] = s
					fresh++
				}
				for _, r := range s.Readings {
					ids[r.StationID] = true
				}
			}
			got, err := rec.Record(t.Context(), Series{Network: "n", Snapshots: seqOf(block...)})
			if err != nil {
				t.Fatal(err)
			}
			if got.Snapshots != fresh || got.Skipped != len(block)-fresh {
				t.Fatalf("recorded %+v, want %d new of %d", got, fresh, len(block))
			}
			checkHolds(t, store.networks["n"], model, ids)
		}
	})
}

func drawSnapshot(t *rapid.T, m int) observation.Snapshot {
	s := observation.Snapshot{At: minute(m)}
	for _, id := range []string{"a", "b", "c"} {
		switch n := rapid.Int32Range(-2, 2).Draw(t, id); n {
		case -2: // absent
		case -1:
			s.Readings = append(s.Readings, observation.Reading{StationID: id, State: observation.Gone})
		default:
			s.Readings = append(s.Readings, observation.Reading{StationID: id, State: observation.State{FreeBikes: n, EmptySlots: 5, InService: true}})
		}
	}
	return s
}

// checkHolds compares what is stored with each snapshot of the model. Absent
// and Gone are the same.
func checkHolds(t *rapid.T, n *memNetwork, model map[time.Time]observation.Snapshot, ids map[string]bool) {
	if len(n.totals) != len(model) {
		t.Fatalf("%d totals for %d snapshots", len(n.totals), len(model))
	}
	for at, s := range model {
		if n.totals[at] != s.Totals() {
			t.Fatalf("totals at %s: %+v, want %+v", at, n.totals[at], s.Totals())
		}
		for id := range ids {
			want := observation.Gone
			for _, r := range s.Readings {
				if r.StationID == id {
					want = r.State
				}
			}
			got, ok := n.stateAt(id, at)
			if !ok {
				got = observation.Gone
			}
			if got != want {
				t.Fatalf("station %s at %s: %+v, want %+v", id, at, got, want)
			}
		}
	}
	for id, changes := range n.changes {
		for at := range changes {
			if _, ok := model[at]; !ok {
				t.Fatalf("station %s has a change at %s, where no snapshot is", id, at)
			}
		}
	}
}

func TestRecordWritesOneRowAChange(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		blocks [][]observation.Snapshot
		want   int // changes
	}{
		"unchanged":       {[][]observation.Snapshot{{snap(0, "a 1 1", "b 2 2"), snap(1, "a 1 1", "b 2 2")}}, 2},
		"one changes":     {[][]observation.Snapshot{{snap(0, "a 1 1", "b 2 2"), snap(1, "a 1 1", "b 3 1")}}, 3},
		"gone once":       {[][]observation.Snapshot{{snap(0, "a 1 1", "b 2 2"), snap(1, "a 1 1"), snap(2, "a 1 1"), snap(3, "a 1 1")}}, 3},
		"back again":      {[][]observation.Snapshot{{snap(0, "b 2 2"), snap(1), snap(2, "b 2 2")}}, 3},
		"live, one each":  {[][]observation.Snapshot{{snap(0, "b 2 2")}, {snap(1, "b 2 2")}, {snap(2, "b 1 3")}}, 2},
		"new in between":  {[][]observation.Snapshot{{snap(0, "b 2 2"), snap(1, "a 1 1", "b 2 2", "c 0 1")}}, 3},
		"older, same":     {[][]observation.Snapshot{{snap(5, "b 2 2")}, {snap(1, "b 2 2")}}, 2},
		"gap, restored":   {[][]observation.Snapshot{{snap(0, "b 2 2"), snap(9, "b 2 2")}, {snap(4, "b 0 4")}}, 3},
		"same once more":  {[][]observation.Snapshot{{snap(0, "b 2 2")}, {snap(0, "b 0 4")}}, 1},
		"no stations yet": {[][]observation.Snapshot{{snap(0)}}, 0},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			store := newMemStore()
			rec := &Recorder{Store: store, Origin: observation.OriginReal}
			for _, b := range tc.blocks {
				if _, err := rec.Record(t.Context(), Series{Network: "n", Snapshots: seqOf(b...)}); err != nil {
					t.Fatal(err)
				}
			}
			if got := store.changeCount("n"); got != tc.want {
				t.Errorf("%d changes, want %d: %v", got, tc.want, store.networks["n"].changes)
			}
		})
	}
}

func TestRecordRefusesDisorder(t *testing.T) {
	t.Parallel()
	boom := errors.New("boom")
	twice := snap(1, "a 1 1", "a 2 2")
	failing := func(yield func(observation.Snapshot, error) bool) {
		_ = yield(snap(1, "a 1 1"), nil) && yield(observation.Snapshot{}, boom)
	}
	tests := map[string]struct {
		seq  iter.Seq2[observation.Snapshot, error]
		want string
	}{
		"descending":    {seqOf(snap(2, "a 1 1"), snap(1, "a 1 1")), "must ascend"},
		"same time":     {seqOf(snap(1, "a 1 1"), snap(1, "a 1 1")), "must ascend"},
		"station twice": {seqOf(twice), "sorted and each be there once"},
		"its own error": {failing, "boom"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			store := newMemStore()
			rec := &Recorder{Store: store, Origin: observation.OriginReal}
			_, err := rec.Record(t.Context(), Series{Network: "n", Snapshots: tc.seq})
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("error %v, want one with %q", err, tc.want)
			}
			if len(store.networks) != 0 {
				t.Error("something was stored")
			}
		})
	}
}

func TestRecordPayloads(t *testing.T) {
	t.Parallel()
	store := newMemStore()
	rec := &Recorder{Store: store, Origin: observation.OriginReal}
	payload := observation.Payload{Kind: observation.KindBikes, Network: "n", FetchedAt: minute(1), Body: []byte(`{"a":"\u0000"}`)}
	bikes := Bikes{
		Network:  observation.Network{ID: "n", Name: "N", Latitude: math.NaN(), Longitude: math.NaN()},
		Stations: []observation.Station{{ID: "a", Capacity: 2}},
		Snapshot: snap(0, "a 1 1"),
	}
	first, err := rec.RecordBikes(t.Context(), payload, bikes)
	if err != nil || first.Snapshots != 1 || first.Changes != 1 || first.Duplicate {
		t.Fatalf("first: %+v, %v", first, err)
	}
	if again, err := rec.RecordBikes(t.Context(), payload, bikes); err != nil || !again.Duplicate || again.Snapshots != 0 {
		t.Fatalf("again: %+v, %v", again, err)
	}
	if got := string(store.networks["n"].payloads[0].Body); got != `{"a":"\ufffd"}` {
		t.Errorf("stored body %s", got)
	}
	payload.Body = []byte(`{"a":2}`) // a feed that stands still in another wrapping
	if same, err := rec.RecordBikes(t.Context(), payload, bikes); err != nil || same.Skipped != 1 || same.Snapshots != 0 {
		t.Fatalf("same time: %+v, %v", same, err)
	}
	w := observation.Payload{Kind: observation.KindWeather, Network: "n", FetchedAt: minute(1), Body: []byte(`{}`)}
	if got, err := rec.RecordWeather(t.Context(), w, Weather{Rows: []observation.Weather{{At: minute(0)}}}); err != nil || got.Weather != 1 {
		t.Fatalf("weather: %+v, %v", got, err)
	}
	bikes.Network.ID = "other"
	if _, err := rec.RecordBikes(t.Context(), payload, bikes); err == nil || !strings.Contains(err.Error(), `"other"`) {
		t.Errorf("a payload of another network: %v", err)
	}
}

func TestRecordRefusesOtherOrigin(t *testing.T) {
	t.Parallel()
	store := newMemStore()
	real := &Recorder{Store: store, Origin: observation.OriginReal}
	if _, err := real.Record(t.Context(), Series{Network: "n", Snapshots: seqOf(snap(0, "a 1 1"))}); err != nil {
		t.Fatal(err)
	}
	sim := &Recorder{Store: store, Origin: observation.OriginSimulated}
	_, err := sim.Record(t.Context(), Series{Network: "m", Snapshots: seqOf(snap(0, "a 1 1"))})
	if !errors.Is(err, ErrOrigin) || !strings.Contains(err.Error(), "--store") {
		t.Errorf("error %v, want ErrOrigin with what to do", err)
	}
	if store.networks["m"] != nil {
		t.Error("something was stored")
	}
}

func TestRecordStoresNothingOnFailure(t *testing.T) {
	t.Parallel()
	store := newMemStore()
	store.fail = errors.New("disk full")
	rec := &Recorder{Store: store, Origin: observation.OriginReal}
	payload := observation.Payload{Kind: observation.KindBikes, Network: "n", Body: []byte(`{}`)}
	if _, err := rec.RecordBikes(t.Context(), payload, Bikes{Snapshot: snap(0, "a 1 1")}); !errors.Is(err, store.fail) {
		t.Errorf("error %v", err)
	}
	if len(store.networks) != 0 || store.origin != "" {
		t.Error("something was stored")
	}
}

// discard is a store that forgets, to measure the Recorder alone.
type discard struct{ memTx }

func (d *discard) Update(_ context.Context, _ []string, fn func(Tx) error) error { return fn(d) }
func (d *discard) ClaimOrigin(_ context.Context, o observation.Origin) (observation.Origin, error) {
	return o, nil
}
func (d *discard) States(context.Context, string, time.Time) (map[string]observation.State, error) {
	return map[string]observation.State{}, nil
}
func (d *discard) SnapshotTimes(context.Context, string, time.Time, time.Time) ([]time.Time, error) {
	return nil, nil
}
func (d *discard) Write(context.Context, string, Batch) error { return nil }

// BenchmarkRecordSnapshots turns snapshots into changes; one in eight
// stations changes from one to the next.
func BenchmarkRecordSnapshots(b *testing.B) {
	const stations = 250
	for _, readings := range []int{100_000, 1_000_000} {
		b.Run(fmt.Sprintf("readings=%d", readings), func(b *testing.B) {
			rec := &Recorder{Store: &discard{}, Origin: observation.OriginReal}
			s := observation.Snapshot{}
			for i := range stations {
				s.Readings = append(s.Readings, observation.Reading{StationID: fmt.Sprintf("%08d", i), State: observation.State{InService: true}})
			}
			b.ReportAllocs()
			for b.Loop() {
				_, err := rec.Record(b.Context(), Series{Network: "n", Snapshots: func(yield func(observation.Snapshot, error) bool) {
					for m := range readings / stations {
						s.At = minute(m)
						for i := m % 8; i < stations; i += 8 {
							s.Readings[i].FreeBikes = int32(m % 20)
						}
						if !yield(s, nil) {
							return
						}
					}
				}})
				if err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(readings)*float64(b.N)/b.Elapsed().Seconds(), "readings/s")
		})
	}
}
