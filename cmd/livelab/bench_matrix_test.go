package main

import (
	"context"
	"fmt"
	"testing"
	"time"

	"livelab/pipeline/dataset"
	"livelab/pipeline/features"
	"livelab/pipeline/ingest"
	"livelab/pipeline/observation"
)

// The way from what was observed to the matrix. An observation is one station
// in one snapshot: what a source says of a station each time that it is asked.
// A store keeps it as a row where the station changed, and in the snapshot's
// totals where it did not. Rates are of observations; rows/s counts the rows
// that were read from the store, changes and totals.
//
// The city is the simulator's default one, seen every ten minutes; the matrix
// has every column of the catalogue.
var (
	storeSizes  = []int{100_000, 400_000, 1_600_000}
	memorySizes = []int{400_000, 1_600_000, 6_400_000}
)

// matrixUntil is fixed, so that every run builds the same.
var matrixUntil = time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)

// BenchmarkMemoryToMatrix takes decoded snapshots through the recorder, which
// finds the changes and the totals, and builds the matrix from these.
func BenchmarkMemoryToMatrix(b *testing.B) {
	var times scaling
	for _, size := range memorySizes {
		b.Run(fmt.Sprintf("observations=%d", size), func(b *testing.B) {
			p := simulatedPast(b, size, matrixUntil)
			b.ReportAllocs()
			for b.Loop() {
				var kept keeper
				r := ingest.Recorder{Store: &kept, Origin: observation.OriginSimulated}
				if _, err := r.Record(b.Context(), ingest.Series{Network: p.network.ID, Snapshots: p.each()}); err != nil {
					b.Fatal(err)
				}
				toMatrix(b, features.Series{Points: kept.totals, Weather: p.weather})
			}
			b.ReportMetric(float64(p.observations())*float64(b.N)/b.Elapsed().Seconds(), "observations/s")
			times.add(size, b)
		})
	}
	times.report(b, "all")
}

// BenchmarkStoreToMatrix reads all that a store holds of a network, its totals
// and each change of its stations, and builds the matrix. Totals alone, which
// is what `train` of network-shortage reads, is the second half of it.
func BenchmarkStoreToMatrix(b *testing.B) {
	for _, from := range stores {
		for _, way := range []string{"changes+totals", "totals"} {
			var times scaling
			for _, size := range storeSizes {
				b.Run(fmt.Sprintf("%s/%s/observations=%d", from.name, way, size), func(b *testing.B) {
					benchmarkStoreToMatrix(b, from.open(b), size, way == "totals")
					times.add(size, b)
				})
			}
			times.report(b, from.name+"/"+way)
		}
	}
}

func benchmarkStoreToMatrix(b *testing.B, s store, size int, totalsAlone bool) {
	p := simulatedPast(b, size, matrixUntil)
	p.record(b, s)
	rows := 0
	b.ReportAllocs()
	for b.Loop() {
		rows = 0
		if !totalsAlone {
			err := s.Changes(b.Context(), p.network.ID, time.Time{}, time.Time{}, func(observation.Observation) error {
				rows++
				return nil
			})
			if err != nil {
				b.Fatal(err)
			}
		}
		d, err := dataset.FromStore(b.Context(), s, dataset.Selection{Network: p.network.ID})
		if err != nil {
			b.Fatal(err)
		}
		rows += len(d.Series.Points)
		toMatrix(b, d.Series)
	}
	b.ReportMetric(float64(p.observations())*float64(b.N)/b.Elapsed().Seconds(), "observations/s")
	b.ReportMetric(float64(rows)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
}

func toMatrix(b *testing.B, s features.Series) {
	task := features.NetworkShortage()
	f, err := features.Build(task, features.Place{}, s, features.RowTimes(task, s))
	if err != nil {
		b.Fatal(err)
	}
	if f.Rows() == 0 {
		b.Fatal("the matrix has no rows")
	}
}

// keeper is a store that keeps the totals and drops the rest.
type keeper struct {
	totals []observation.Totals
}

func (k *keeper) Update(_ context.Context, _ []string, fn func(ingest.Tx) error) error { return fn(k) }

func (k *keeper) ClaimOrigin(_ context.Context, o observation.Origin) (observation.Origin, error) {
	return o, nil
}

func (k *keeper) AddPayload(context.Context, observation.Payload) (bool, error) { return true, nil }

func (k *keeper) States(context.Context, string, time.Time) (map[string]observation.State, error) {
	return map[string]observation.State{}, nil
}

func (k *keeper) SnapshotTimes(context.Context, string, time.Time, time.Time) ([]time.Time, error) {
	return nil, nil
}

func (k *keeper) Write(_ context.Context, _ string, batch ingest.Batch) error {
	k.totals = append(k.totals, batch.Totals...)
	return nil
}
