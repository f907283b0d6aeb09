package main

import (
	"fmt"
	"testing"
	"time"

	"livelab/pipeline/dataset"
	"livelab/pipeline/features"
	"livelab/pipeline/ingest"
	"livelab/pipeline/ingest/sim"
	"livelab/pipeline/observation"
)

// BenchmarkAllStations is the way from a new snapshot in the store to a row of
// every station: a simulated city of so many stations that is seen every ten
// minutes, with a week in the store. The first reading is not measured, nor is
// the writing of the snapshots.
func BenchmarkAllStations(b *testing.B) {
	for _, from := range stores {
		for _, stations := range []int{500, 2000} {
			b.Run(fmt.Sprintf("%s/stations=%d", from.name, stations), func(b *testing.B) {
				benchmarkAllStations(b, from.open(b), stations)
			})
		}
	}
}

func benchmarkAllStations(b *testing.B, s store, stations int) {
	record := cityInto(b, s, stations)
	now := matrixUntil
	record(now.Add(-7*24*time.Hour), now)
	live := dataset.NewLive(s, func() time.Time { return now })
	ask := func() {
		rows, err := live.AllStations(b.Context(), features.StationShortage(0), "")
		if err != nil {
			b.Fatal(err)
		}
		if rows.Frame.Rows() != stations || !rows.AsOf.Equal(now) {
			b.Fatalf("%d rows as of %s, want %d as of %s", rows.Frame.Rows(), rows.AsOf, stations, now)
		}
	}
	start := time.Now()
	ask()
	first := time.Since(start)
	var slowest time.Duration
	b.ReportAllocs()
	b.ResetTimer()
	for range b.N {
		b.StopTimer()
		now = now.Add(benchStep)
		record(now, now)
		b.StartTimer()
		asked := time.Now()
		ask()
		slowest = max(slowest, time.Since(asked))
	}
	b.ReportMetric(first.Seconds(), "s/first")
	b.ReportMetric(slowest.Seconds()*1e3, "ms/slowest")
}

// benchStep lies between two snapshots of a benchmark's city.
const benchStep = 10 * time.Minute

// cityInto gives what records the snapshots of a simulated city of so many
// stations, both times included.
func cityInto(b *testing.B, s store, stations int) (record func(from, to time.Time)) {
	b.Helper()
	city, err := sim.NewCity(sim.Config{Stations: stations})
	if err != nil {
		b.Fatal(err)
	}
	r := ingest.Recorder{Store: s, Origin: observation.OriginSimulated}
	return func(from, to time.Time) {
		snapshots := func(yield func(observation.Snapshot, error) bool) {
			for s := range city.History(from, to, benchStep) {
				if !yield(s, nil) {
					return
				}
			}
		}
		series := ingest.Series{
			Network: city.Network().ID, Stations: city.Stations(), SeenAt: to, Snapshots: snapshots,
			Weather: city.WeatherHistory(from, to),
		}
		if _, err := r.Record(b.Context(), series); err != nil {
			b.Fatal(err)
		}
	}
}
