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
	fieldCount
)

var fieldNames = [fieldCount]string{"ts", "network", "station_id", "free_bikes", "empty_slots", "temp_2m", "precipitation", "wind_speed_10m"}

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
	needed := []field{fieldTime, fieldTemperature, fieldPrecipitation, fieldWind}
	if l.column[fieldStation] >= 0 || l.column[fieldFree] >= 0 || l.column[fieldSlots] >= 0 {
		l.kind = observation.KindBikes
		needed = []field{fieldTime, fieldStation, fieldFree, fieldSlots}
	}
	return l.complete(needed)
}

// complete checks that the needed columns are there, and drops the fields
// that belong to the other kind.
func (l layout) complete(needed []field) (layout, error) {
	for _, f := range needed {
		if l.column[f] < 0 {
			return l, fmt.Errorf("the header has no column %q; bikes need ts,network,station_id,free_bikes,empty_slots and weather needs ts,temp_2m,precipitation,wind_speed_10m", fieldNames[f])
		}
	}
	for f := range l.column {
		if l.column[f] >= 0 && field(f) != fieldNetwork && !slices.Contains(needed, field(f)) {
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
