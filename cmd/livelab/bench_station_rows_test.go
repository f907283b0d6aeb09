package main

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"livelab/pipeline/dataset"
	"livelab/pipeline/features"
)

// BenchmarkStationsToMatrix is the way to the rows of all stations, from where
// the data lies: memory, a frozen folder, a store. An observation is one station in one snapshot;
// rows/s counts the rows that are made, one for each station at each step.
func BenchmarkStationsToMatrix(b *testing.B) {
	type way struct {
		name string
		open func(*testing.B) store
		read func(b *testing.B, s store, d *dataset.Dataset, dir string) (*dataset.Dataset, error)
	}
	fromStore := func(b *testing.B, s store, d *dataset.Dataset, _ string) (*dataset.Dataset, error) {
		return dataset.FromStore(b.Context(), s, dataset.Selection{Network: d.Network.ID, Stations: true})
	}
	ways := []way{
		{"memory", openSQLite, func(_ *testing.B, _ store, d *dataset.Dataset, _ string) (*dataset.Dataset, error) { return d, nil }},
		{"parquet", openSQLite, func(_ *testing.B, _ store, _ *dataset.Dataset, dir string) (*dataset.Dataset, error) {
			return dataset.Open(dir)
		}},
	}
	for _, from := range stores {
		ways = append(ways, way{from.name, from.open, fromStore})
	}
	for _, w := range ways {
		var times scaling
		for _, size := range storeSizes {
			b.Run(fmt.Sprintf("%s/observations=%d", w.name, size), func(b *testing.B) {
				s, p := w.open(b), simulatedPast(b, size, matrixUntil)
				p.record(b, s)
				kept, err := dataset.FromStore(b.Context(), s, dataset.Selection{Network: p.network.ID, Stations: true})
				if err != nil {
					b.Fatal(err)
				}
				dir := filepath.Join(b.TempDir(), "frozen")
				if err := kept.Write(dir); err != nil {
					b.Fatal(err)
				}
				rows := 0
				b.ReportAllocs()
				for b.Loop() {
					d, err := w.read(b, s, kept, dir)
					if err != nil {
						b.Fatal(err)
					}
					rows = stationRows(b, d)
				}
				b.ReportMetric(float64(p.observations())*float64(b.N)/b.Elapsed().Seconds(), "observations/s")
				b.ReportMetric(float64(rows)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
				times.add(size, b)
			})
		}
		times.report(b, w.name)
	}
}

// stationRows makes the rows and counts them.
func stationRows(b *testing.B, d *dataset.Dataset) (rows int) {
	b.Helper()
	source, err := features.NewSource(features.StationShortage(0), d.History(), nil)
	if err != nil {
		b.Fatal(err)
	}
	err = source.Blocks(b.Context(), time.Time{}, time.Time{}, func(f *features.Frame) error {
		rows += f.Rows()
		return nil
	})
	if err != nil || rows == 0 {
		b.Fatalf("%d rows: %v", rows, err)
	}
	return rows
}
