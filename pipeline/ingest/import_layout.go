package ingest

import (
	"fmt"
	"slices"
	"strings"

	"livelab/pipeline/observation"
)

// field is a column that an import knows.
type field int

const (
	fieldTime field = iota
	fieldNetwork
	fieldStation
	fieldFree
	fieldSlots
	fieldTemperature
	fieldPrecipitation
	fieldWind
	fieldName
	fieldLatitude
	fieldLongitude
	fieldCapacity
	fieldCount
)

var fieldNames = [fieldCount]string{"ts", "network", "station_id", "free_bikes", "empty_slots", "temp_2m", "precipitation", "wind_speed_10m",
	"name", "lat", "lon", "capacity"}

// fieldAliases are other names of columns.
var fieldAliases = map[string]string{"latitude": "lat", "longitude": "lon"}

// layout says which column of the file holds which field.
type layout struct {
	kind    observation.Kind
	width   int             // columns of the file
	column  [fieldCount]int // of each field, -1 where the file has none
	ignored []string
}

// newLayout reads a header. Order does not matter, nor do capital letters.
func newLayout(header []string) (layout, error) {
	l := layout{width: len(header), kind: observation.KindWeather}
	for f := range l.column {
		l.column[f] = -1
	}
	for i, name := range header {
		name = strings.ToLower(strings.TrimSpace(name))
		if other, ok := fieldAliases[name]; ok {
			name = other
		}
		f := slices.Index(fieldNames[:], name)
		switch {
		case f < 0:
			l.ignored = append(l.ignored, name)
		case l.column[f] >= 0:
			return l, fmt.Errorf("the header names column %q twice", name)
		default:
			l.column[f] = i
		}
	}
	switch {
	case l.has(fieldStation) && !l.has(fieldFree) && !l.has(fieldSlots) && (l.has(fieldLatitude) || l.has(fieldLongitude)):
		l.kind = KindStations
		return l.complete([]field{fieldStation, fieldLatitude, fieldLongitude}, fieldNetwork, fieldName, fieldCapacity)
	case l.has(fieldStation) || l.has(fieldFree) || l.has(fieldSlots):
		l.kind = observation.KindBikes
		return l.complete([]field{fieldTime, fieldStation, fieldFree, fieldSlots}, fieldNetwork)
	}
	return l.complete([]field{fieldTime, fieldTemperature, fieldPrecipitation, fieldWind}, fieldNetwork)
}

func (l layout) has(f field) bool { return l.column[f] >= 0 }

// cell gives a field of a row, nil where the file has no such column.
func (l *layout) cell(fields [][]byte, f field) []byte {
	if i := l.column[f]; i >= 0 {
		return fields[i]
	}
	return nil
}

// complete checks that the needed columns are there, and drops the fields
// that belong to another kind.
func (l layout) complete(needed []field, optional ...field) (layout, error) {
	for _, f := range needed {
		if !l.has(f) {
			return l, fmt.Errorf("the header has no column %q; bikes need ts,network,station_id,free_bikes,empty_slots, weather needs ts,temp_2m,precipitation,wind_speed_10m and stations need station_id,name,lat,lon,capacity", fieldNames[f])
		}
	}
	for f := range l.column {
		if l.has(field(f)) && !slices.Contains(optional, field(f)) && !slices.Contains(needed, field(f)) {
			l.ignored = append(l.ignored, fieldNames[f])
			l.column[f] = -1
		}
	}
	return l, nil
}

// setLayout takes a header in.
func (im *importer) setLayout(header []string) (err error) {
	if im.layout, err = newLayout(header); err != nil {
		return fmt.Errorf("%s: %w", im.name, err)
	}
	if im.layout.column[fieldNetwork] < 0 && im.opts.Network == "" {
		return fmt.Errorf("%s has no column \"network\"; say which network it is of (--network)", im.name)
	}
	im.result.Ignored = im.layout.ignored
	if len(im.layout.ignored) > 0 {
		im.opts.Logger.Warn("columns ignored", "file", im.name, "columns", im.layout.ignored)
	}
	return nil
}
