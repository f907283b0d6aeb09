package ingest

import (
	"bytes"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"livelab/pipeline/observation"
)

// rowReader turns rows of text into rows of the importer's tables. It
// remembers the last time and network, for neighbouring rows mostly share
// them, and allocates nothing for a row whose station is known.
type rowReader struct {
	im     *importer
	unit   string // what number counts: "line" or "row"
	number int64

	lastText    []byte
	lastAt      int64
	lastNetwork []byte
	network     uint32
	haveNetwork bool
}

// fail names the field that is wrong, or the row where field is negative.
func (r *rowReader) fail(f field, value []byte, problem string) error {
	e := &RowError{File: r.im.name, Unit: r.unit, Row: r.number, Value: string(value), Problem: problem}
	if f >= 0 {
		e.Column = fieldNames[f]
	}
	return e
}

// add takes in one row, whose fields are in the order of the layout.
func (r *rowReader) add(fields [][]byte) error {
	l := &r.im.layout
	if l.kind == KindStations {
		if err := r.setNetwork(l.cell(fields, fieldNetwork)); err != nil {
			return err
		}
		return r.addStation(l.cell(fields, fieldStation), l.cell(fields, fieldName),
			l.cell(fields, fieldLatitude), l.cell(fields, fieldLongitude), l.cell(fields, fieldCapacity))
	}
	column := &l.column
	at, err := r.time(fields[column[fieldTime]])
	if err != nil {
		return err
	}
	if err := r.setNetwork(l.cell(fields, fieldNetwork)); err != nil {
		return err
	}
	if r.im.layout.kind == observation.KindBikes {
		return r.addReading(at, fields[column[fieldStation]], fields[column[fieldFree]], fields[column[fieldSlots]])
	}
	return r.addWeather(at, fields[column[fieldTemperature]], fields[column[fieldPrecipitation]], fields[column[fieldWind]])
}

func (r *rowReader) addReading(at int64, id, free, slots []byte) error {
	id = trimCell(id)
	station, added := r.im.bikes.station(r.network, id)
	if added {
		if problem := badName(id); problem != "" {
			return r.fail(fieldStation, id, problem)
		}
	}
	freeBikes, ok := parseCount(free)
	if !ok {
		return r.fail(fieldFree, free, notACount)
	}
	emptySlots, ok := parseCount(slots)
	if !ok {
		return r.fail(fieldSlots, slots, notACount)
	}
	r.im.bikes.rows = append(r.im.bikes.rows, compactReading{at: uint32(at), station: station, free: freeBikes, slots: emptySlots})
	return nil
}

func (r *rowReader) addWeather(at int64, temperature, precipitation, wind []byte) error {
	row := observation.Weather{At: time.Unix(at, 0).UTC()}
	for _, v := range []struct {
		field     field
		cell      []byte
		low, high float64
		to        *float64
	}{
		{fieldTemperature, temperature, -95, 65, &row.Temperature},
		{fieldPrecipitation, precipitation, 0, 1000, &row.Precipitation},
		{fieldWind, wind, 0, 500, &row.WindSpeed},
	} {
		value, ok := parseFloat(v.cell)
		if !ok || value < v.low || value > v.high {
			return r.fail(v.field, v.cell, "is not a number from "+formatFloat(v.low)+" to "+formatFloat(v.high)+" (leave the cell empty where it is unknown)")
		}
		*v.to = value
	}
	r.im.weather.add(r.im.bikes.networks[r.network], row)
	return nil
}

const (
	notACount = "is not a whole number from 0 to 10000 (leave the cell empty where it is unknown)"
	notATime  = "is not a time; write it as 2024-08-23T12:47:30Z, or as Unix seconds"
	badRange  = "lies before the year 2000 or in the future"
)

// time reads a time as Unix seconds.
func (r *rowReader) time(cell []byte) (int64, error) {
	if len(cell) > 0 && bytes.Equal(cell, r.lastText) {
		return r.lastAt, nil
	}
	at, ok := parseUnix(trimCell(cell))
	if !ok {
		return 0, r.fail(fieldTime, cell, notATime)
	}
	if at < earliest.Unix() || at > r.im.latest || at > math.MaxUint32 {
		return 0, r.fail(fieldTime, cell, badRange)
	}
	r.lastText, r.lastAt = append(r.lastText[:0], cell...), at
	return at, nil
}

// setNetwork makes the row's network the current one.
func (r *rowReader) setNetwork(cell []byte) error {
	if r.haveNetwork && bytes.Equal(cell, r.lastNetwork) {
		return nil
	}
	name := trimCell(cell)
	if len(name) == 0 {
		name = []byte(r.im.opts.Network)
	}
	if problem := badName(name); problem != "" {
		return r.fail(fieldNetwork, cell, problem)
	}
	r.network, r.haveNetwork = r.im.bikes.network(name), true
	r.lastNetwork = append(r.lastNetwork[:0], cell...)
	return nil
}

// badName says what is wrong with the name of a network or station.
func badName(name []byte) string {
	switch {
	case len(name) == 0:
		return "is empty"
	case len(name) > maxStationID:
		return "is longer than 256 bytes"
	case !utf8.Valid(name) || bytes.ContainsFunc(name, unicode.IsControl):
		return "is not printable UTF-8"
	}
	return ""
}

// trimCell drops the blanks around a cell.
func trimCell(cell []byte) []byte {
	for len(cell) > 0 && cell[0] == ' ' {
		cell = cell[1:]
	}
	for len(cell) > 0 && cell[len(cell)-1] == ' ' {
		cell = cell[:len(cell)-1]
	}
	return cell
}

// parseCount reads a count, Unknown where the cell is empty. A whole number
// may be written as a decimal, as pandas does in columns with gaps.
func parseCount(cell []byte) (int16, bool) {
	cell = trimCell(cell)
	if len(cell) == 0 {
		return int16(observation.Unknown), true
	}
	n := 0
	for _, c := range cell {
		if c < '0' || c > '9' || len(cell) > 5 {
			return parseDecimalCount(cell)
		}
		n = n*10 + int(c-'0')
	}
	return int16(n), n <= maxCount
}

func parseDecimalCount(cell []byte) (int16, bool) {
	v, err := strconv.ParseFloat(string(cell), 64)
	if err != nil || v != math.Trunc(v) || v < 0 || v > maxCount {
		return 0, false
	}
	return int16(v), true
}

// parseFloat reads a finite number, NaN where the cell is empty.
func parseFloat(cell []byte) (float64, bool) {
	cell = trimCell(cell)
	if len(cell) == 0 {
		return math.NaN(), true
	}
	v, err := strconv.ParseFloat(string(cell), 64)
	return v, err == nil && !math.IsNaN(v) && !math.IsInf(v, 0)
}

func formatFloat(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }

// parseUnix reads RFC 3339, with a T or a space, or whole Unix seconds. The
// form 2024-08-23T12:47:30Z takes a short cut.
func parseUnix(cell []byte) (int64, bool) {
	if at, ok := parseUTC(cell); ok {
		return at, true
	}
	s := string(cell)
	if at, err := strconv.ParseInt(s, 10, 64); err == nil {
		return at, true
	}
	if len(s) > 10 && s[10] == ' ' {
		s = s[:10] + "T" + s[11:]
	}
	t, err := time.Parse(time.RFC3339, strings.ToUpper(s))
	return t.Unix(), err == nil
}

// parseUTC reads exactly 2024-08-23T12:47:30Z.
func parseUTC(s []byte) (int64, bool) {
	if len(s) != 20 || s[4] != '-' || s[7] != '-' || s[10] != 'T' || s[13] != ':' || s[16] != ':' || s[19] != 'Z' {
		return 0, false
	}
	year, ok1 := digits(s[0:4])
	month, ok2 := digits(s[5:7])
	day, ok3 := digits(s[8:10])
	hour, ok4 := digits(s[11:13])
	minute, ok5 := digits(s[14:16])
	second, ok6 := digits(s[17:19])
	if !(ok1 && ok2 && ok3 && ok4 && ok5 && ok6) || hour > 23 || minute > 59 || second > 59 {
		return 0, false
	}
	t := time.Date(year, time.Month(month), day, hour, minute, second, 0, time.UTC)
	return t.Unix(), int(t.Month()) == month && t.Day() == day
}

func digits(s []byte) (int, bool) {
	n := 0
	for _, c := range s {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + int(c-'0')
	}
	return n, true
}
