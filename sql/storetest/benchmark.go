package storetest

import (
	"fmt"
	"testing"
	"time"

	"livelab/pipeline/ingest"
	"livelab/pipeline/observation"
)

// Benchmark measures what moves many rows. Open is as for Run.
func Benchmark(b *testing.B, open func(b *testing.B) Store) {
	for _, rows := range []int{100_000, 400_000} {
		batch := bulk(rows)
		b.Run(fmt.Sprintf("WriteChanges/rows=%d", rows), func(b *testing.B) { benchmarkWrite(b, open, batch, false) })
	}
	batch := bulk(100_000)
	b.Run("ReplaceChanges/rows=100000", func(b *testing.B) { benchmarkWrite(b, open, batch, true) })
	b.Run("WriteSnapshot/stations=271", func(b *testing.B) { benchmarkSnapshots(b, open(b)) })
	b.Run("ReadChanges/rows=400000", func(b *testing.B) { benchmarkReadChanges(b, open(b), bulk(400_000)) })
	b.Run("NewestChanges/stations=2000/rows=400000", func(b *testing.B) { benchmarkNewestChanges(b, open(b)) })
	b.Run("ReadTotals/rows=7000", func(b *testing.B) { benchmarkReadTotals(b, open(b), bulk(7_000*271)) })
}

func mustWrite(b *testing.B, s Store, batch ingest.Batch) {
	b.Helper()
	err := s.Update(b.Context(), []string{oslo}, func(tx ingest.Tx) error { return tx.Write(b.Context(), oslo, batch) })
	if err != nil {
		b.Fatal(err)
	}
}

// reportRows reports the rate over the time that was measured.
func reportRows(b *testing.B, perRound int) {
	b.ReportMetric(float64(perRound)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
}

func benchmarkWrite(b *testing.B, open func(b *testing.B) Store, batch ingest.Batch, twice bool) {
	b.ReportAllocs()
	for range b.N {
		b.StopTimer()
		s := open(b)
		if twice {
			mustWrite(b, s, batch)
		}
		b.StartTimer()
		mustWrite(b, s, batch)
	}
	reportRows(b, len(batch.Changes))
}

// benchmarkSnapshots writes what the live ingest does: a few changed stations
// and the totals, each snapshot in a transaction of its own.
func benchmarkSnapshots(b *testing.B, s Store) {
	mustWrite(b, s, bulk(100_000))
	b.ResetTimer()
	for i := range b.N {
		minute := 1_000_000 + i
		batch := ingest.Batch{Totals: []observation.Totals{{At: at(minute), Stations: 271}}}
		for j := range 60 {
			batch.Changes = append(batch.Changes, change(fmt.Sprint("station-", j), minute, 1, 1))
		}
		mustWrite(b, s, batch)
	}
}

func benchmarkReadChanges(b *testing.B, s Store, batch ingest.Batch) {
	mustWrite(b, s, batch)
	b.ReportAllocs()
	b.ResetTimer()
	for range b.N {
		n := 0
		err := s.Changes(b.Context(), oslo, time.Time{}, time.Time{}, func(observation.Observation) error {
			n++
			return nil
		})
		if err != nil || n != len(batch.Changes) {
			b.Fatalf("read %d of %d changes: %v", n, len(batch.Changes), err)
		}
	}
	reportRows(b, len(batch.Changes))
}

// benchmarkNewestChanges reads what a new snapshot brought: a change of every
// tenth station, after 200 of each.
func benchmarkNewestChanges(b *testing.B, s Store) {
	const stations, each = 2000, 200
	var batch ingest.Batch
	for i := range stations {
		for minute := range each {
			batch.Changes = append(batch.Changes, change(fmt.Sprint("station-", i), minute*10, int32(minute), 1))
		}
		if i%10 == 0 {
			batch.Changes = append(batch.Changes, change(fmt.Sprint("station-", i), each*10, 1, 1))
		}
	}
	mustWrite(b, s, batch)
	from, to := at(each*10-9), at(each*10)
	b.ReportAllocs()
	for b.Loop() {
		n := 0
		err := s.Changes(b.Context(), oslo, from, to, func(observation.Observation) error {
			n++
			return nil
		})
		if err != nil || n != stations/10 {
			b.Fatalf("read %d changes, want %d: %v", n, stations/10, err)
		}
	}
}

func benchmarkReadTotals(b *testing.B, s Store, batch ingest.Batch) {
	mustWrite(b, s, ingest.Batch{Totals: batch.Totals})
	b.ReportAllocs()
	b.ResetTimer()
	for range b.N {
		totals, err := s.Totals(b.Context(), oslo, time.Time{}, time.Time{})
		if err != nil || len(totals) != len(batch.Totals) {
			b.Fatalf("read %d of %d totals: %v", len(totals), len(batch.Totals), err)
		}
	}
	reportRows(b, len(batch.Totals))
}
