package ingest

import (
	"context"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/parquet-go/parquet-go"

	"livelab/pipeline/observation"
)

// maxHistoryRows bounds the rows of one month; a table of them has 12 bytes a
// row.
const maxHistoryRows = 50_000_000

// monthHistory is what a month's file of history has: one row for each change
// of a station's status.
type monthHistory struct {
	start    time.Time // of the month; ticks are milliseconds from there
	table    readingTable
	stations map[string]observation.Station
	rows     int64
	ids      map[string]string // see HistorySource.StationIDs
	scratch  []byte
	dropped  int64 // rows without a station, without a time or of another month
}

var historyColumns = []string{"nuid", "name", "latitude", "longitude", "bikes", "free", "timestamp"}

// readHistory reads a CityBikes history file of the month that starts then.
// Stations whose name is in ids go by the ID that is there.
func readHistory(ctx context.Context, r io.ReaderAt, size int64, start time.Time, ids map[string]string) (*monthHistory, error) {
	table, err := openParquet(r, size)
	if err != nil {
		return nil, err
	}
	wanted := make([]int, len(historyColumns))
	for i, name := range historyColumns {
		if wanted[i] = slices.Index(table.columns, name); wanted[i] < 0 {
			return nil, fmt.Errorf("the file has no column %q, only %s; its format has changed", name, strings.Join(table.columns, ", "))
		}
	}
	h := &monthHistory{start: start, ids: ids, stations: map[string]observation.Station{}}
	h.table.network([]byte("history"))
	unit := table.timeUnit(wanted[len(wanted)-1])
	err = table.each(wanted, func(row int64, values []parquet.Value) error {
		if row > maxHistoryRows {
			return fmt.Errorf("the file has more than %d rows", maxHistoryRows)
		}
		h.add(values, unit)
		if row%100_000 == 0 {
			return ctx.Err()
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	h.table.sort()
	return h, nil
}

// add takes in one row, with the values in the order of historyColumns.
func (h *monthHistory) add(v []parquet.Value, unit time.Duration) {
	h.rows++
	h.scratch = appendCell(h.scratch[:0], v[0])
	id := trimCell(h.scratch)
	if live, ok := h.ids[string(id)]; ok {
		h.scratch = append(h.scratch[:0], live...)
		id = h.scratch
	}
	at, ok := timeOf(v[6], unit)
	offset := at.Sub(h.start).Milliseconds()
	if !ok || badName(id) != "" || offset < 0 || !at.Before(h.start.AddDate(0, 1, 0)) {
		h.dropped++
		return
	}
	station, added := h.table.station(0, id)
	free, slots := historyCount(v[4]), historyCount(v[5])
	if added || h.stations[string(id)].Capacity < sumOrUnknown(int32(free), int32(slots)) {
		h.describe(string(id), v, free, slots)
	}
	h.table.rows = append(h.table.rows, compactReading{at: uint32(offset), station: station, free: free, slots: slots})
}

// describe keeps a station's name, place and the most docks that it showed.
func (h *monthHistory) describe(id string, v []parquet.Value, free, slots int16) {
	name, _ := cleanText(string(appendCell(nil, v[1])))
	var ignored bikesDecoder
	lat, lon := ignored.coordinates(historyNumber(v[2]), historyNumber(v[3]))
	h.stations[id] = observation.Station{ID: id, Name: name, Latitude: lat, Longitude: lon,
		Capacity: sumOrUnknown(int32(free), int32(slots))}
}

// historyNumber reads a number of any type, or as text.
func historyNumber(v parquet.Value) number {
	switch v.Kind() {
	case parquet.Int32:
		return number{value: float64(v.Int32()), given: true, ok: true}
	case parquet.Int64:
		return number{value: float64(v.Int64()), given: true, ok: true}
	}
	value, ok := parseFloat(appendCell(nil, v))
	return number{value: value, given: ok, ok: ok && !math.IsNaN(value)}
}

// historyCount is a count, Unknown where it is missing or cannot be one.
func historyCount(v parquet.Value) int16 {
	return int16(historyNumber(v).quietCount())
}

// describedStations lists the stations, sorted by ID.
func (h *monthHistory) describedStations() []observation.Station {
	out := make([]observation.Station, 0, len(h.stations))
	for _, s := range h.table.stations {
		out = append(out, h.stations[s.id])
	}
	return out
}
