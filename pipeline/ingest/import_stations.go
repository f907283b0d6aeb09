package ingest

import (
	"maps"
	"slices"
	"strings"

	"livelab/pipeline/observation"
)

// KindStations is what an import of stations has.
const KindStations observation.Kind = "stations"

// stationTable gathers stations of several networks in any order.
type stationTable struct {
	rows                   map[string]map[string]observation.Station // by network and ID
	repeated, contradicted int
}

// add keeps the last row of each station.
func (t *stationTable) add(network string, s observation.Station) {
	if t.rows == nil {
		t.rows = map[string]map[string]observation.Station{}
	}
	if t.rows[network] == nil {
		t.rows[network] = map[string]observation.Station{}
	}
	switch was, there := t.rows[network][s.ID]; {
	case !there:
	case was.Name == s.Name && was.Capacity == s.Capacity && sameFloat(was.Latitude, s.Latitude) && sameFloat(was.Longitude, s.Longitude):
		t.repeated++
	default:
		t.contradicted++
	}
	t.rows[network][s.ID] = s
}

func (t *stationTable) count() int {
	n := 0
	for _, stations := range t.rows {
		n += len(stations)
	}
	return n
}

// series have no time: a file corrects what is stored.
func (t *stationTable) series() []Series {
	var out []Series
	for _, network := range slices.Sorted(maps.Keys(t.rows)) {
		stations := slices.SortedFunc(maps.Values(t.rows[network]), func(a, b observation.Station) int {
			return strings.Compare(a.ID, b.ID)
		})
		out = append(out, Series{Network: network, Stations: stations})
	}
	return out
}

// addStation takes in one row of stations. Cells of columns that the file does
// not have are nil.
func (r *rowReader) addStation(id, name, lat, lon, capacity []byte) error {
	id = trimCell(id)
	if problem := badName(id); problem != "" {
		return r.fail(fieldStation, id, problem)
	}
	s := observation.Station{ID: string(id)}
	if name = trimCell(name); len(name) > 0 {
		if problem := badName(name); problem != "" {
			return r.fail(fieldName, name, problem)
		}
		s.Name = string(name)
	}
	for _, v := range []struct {
		field field
		cell  []byte
		limit float64
		to    *float64
	}{{fieldLatitude, lat, 90, &s.Latitude}, {fieldLongitude, lon, 180, &s.Longitude}} {
		value, ok := parseFloat(v.cell)
		if !ok || value < -v.limit || value > v.limit {
			return r.fail(v.field, v.cell, "is not a number from "+formatFloat(-v.limit)+" to "+formatFloat(v.limit)+" (leave the cell empty where it is unknown)")
		}
		*v.to = value
	}
	if problem := badPlace(s.Latitude, s.Longitude); problem != "" {
		return r.fail(-1, nil, problem)
	}
	docks, ok := parseCount(capacity)
	if !ok {
		return r.fail(fieldCapacity, capacity, notACount)
	}
	s.Capacity = int32(docks)
	r.im.stations.add(r.im.bikes.networks[r.network], s)
	return nil
}

// badPlace says what is wrong with coordinates that could each be right.
func badPlace(lat, lon float64) string {
	switch {
	case lat == 0 && lon == 0:
		return "the coordinates 0, 0 are in the sea off Africa (leave the cells empty where they are unknown)"
	case (lat != lat) != (lon != lon):
		return "it has one coordinate without the other"
	}
	return ""
}
