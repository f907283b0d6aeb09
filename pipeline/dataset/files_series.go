package dataset

import (
	"fmt"
	"math"
	"path/filepath"
	"time"

	"github.com/parquet-go/parquet-go"

	"livelab/pipeline/features"
	"livelab/pipeline/observation"
)

type snapshotRow struct {
	TS         int64 `parquet:"ts,delta"` // Unix seconds
	Stations   int32 `parquet:"stations_count"`
	FreeBikes  int32 `parquet:"free_bikes"`
	EmptySlots int32 `parquet:"empty_slots"`
}

type weatherRow struct {
	TS            int64    `parquet:"ts,delta"` // Unix seconds
	Temperature   *float64 `parquet:"temp_2m,optional"`
	Precipitation *float64 `parquet:"precipitation,optional"`
	WindSpeed     *float64 `parquet:"wind_speed_10m,optional"`
}

func writeSeries(dir string, s features.Series) error {
	snapshots := make([]snapshotRow, len(s.Points))
	for i, p := range s.Points {
		snapshots[i] = snapshotRow{TS: p.At.Unix(), Stations: p.Stations, FreeBikes: p.FreeBikes, EmptySlots: p.EmptySlots}
	}
	weather := make([]weatherRow, len(s.Weather))
	for i, w := range s.Weather {
		weather[i] = weatherRow{TS: w.At.Unix(), Temperature: known(w.Temperature), Precipitation: known(w.Precipitation), WindSpeed: known(w.WindSpeed)}
	}
	if err := parquet.WriteFile(filepath.Join(dir, snapshotsFile), snapshots, parquet.Compression(&parquet.Zstd)); err != nil {
		return err
	}
	return parquet.WriteFile(filepath.Join(dir, weatherFile), weather, parquet.Compression(&parquet.Zstd))
}

func readSeries(dir string) (features.Series, error) {
	var s features.Series
	snapshots, err := parquet.ReadFile[snapshotRow](filepath.Join(dir, snapshotsFile))
	if err != nil {
		return s, fmt.Errorf("read %s: %w", snapshotsFile, err)
	}
	weather, err := parquet.ReadFile[weatherRow](filepath.Join(dir, weatherFile))
	if err != nil {
		return s, fmt.Errorf("read %s: %w", weatherFile, err)
	}
	s.Points = make([]observation.Totals, len(snapshots))
	s.Weather = make([]observation.Weather, len(weather))
	for i, r := range snapshots {
		s.Points[i] = observation.Totals{At: time.Unix(r.TS, 0).UTC(), Stations: r.Stations, FreeBikes: r.FreeBikes, EmptySlots: r.EmptySlots}
	}
	for i, r := range weather {
		s.Weather[i] = observation.Weather{
			At: time.Unix(r.TS, 0).UTC(), Temperature: orNaN(r.Temperature), Precipitation: orNaN(r.Precipitation), WindSpeed: orNaN(r.WindSpeed),
		}
	}
	return s, nil
}

func known(v float64) *float64 {
	if math.IsNaN(v) {
		return nil
	}
	return &v
}

func orNaN(v *float64) float64 {
	if v == nil {
		return math.NaN()
	}
	return *v
}
