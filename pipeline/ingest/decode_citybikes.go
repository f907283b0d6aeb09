package ingest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"livelab/pipeline/observation"
)

const (
	// maxStations bounds what one payload may make us keep. The largest
	// networks have a few thousand stations.
	maxStations = 50_000
	// maxStationID bounds an ID, which becomes part of an index.
	maxStationID = 256
	// staleAfter is how far a station may lag behind the newest of its
	// payload before it counts as out of service.
	staleAfter = 24 * time.Hour
)

// Bikes is a decoded CityBikes payload.
type Bikes struct {
	Network  observation.Network
	Stations []observation.Station // sorted by ID, each once
	Snapshot observation.Snapshot  // its time is the stations' own newest
	Oddities Oddities
}

// bikesBody is the answer of /v2/networks/{id}.
type bikesBody struct {
	Network *struct {
		ID       text `json:"id"`
		Name     text `json:"name"`
		Location object[struct {
			City      text   `json:"city"`
			Country   text   `json:"country"`
			Latitude  number `json:"latitude"`
			Longitude number `json:"longitude"`
		}] `json:"location"`
		Stations stationList `json:"stations"`
	} `json:"network"`
}

// stationBody is one entry of its stations.
type stationBody struct {
	ID         text   `json:"id"`
	Name       text   `json:"name"`
	Latitude   number `json:"latitude"`
	Longitude  number `json:"longitude"`
	FreeBikes  number `json:"free_bikes"`
	EmptySlots number `json:"empty_slots"`
	Timestamp  text   `json:"timestamp"`
	Extra      object[struct {
		Slots   number `json:"slots"`
		Status  text   `json:"status"`
		Online  text   `json:"online"`
		Renting text   `json:"renting"`
		Closed  text   `json:"closed"`
		UID     text   `json:"uid"`
	}] `json:"extra"`
}

// stationList decodes station by station, so that a body of millions of tiny
// entries does not become gigabytes.
type stationList struct {
	stations  []stationBody
	malformed int
}

var errTooManyStations = fmt.Errorf("it lists more than %d stations", maxStations)

func (l *stationList) UnmarshalJSON(raw []byte) error {
	if raw[0] != '[' {
		return nil
	}
	dec := json.NewDecoder(bytes.NewReader(raw))
	if _, err := dec.Token(); err != nil {
		return err
	}
	for dec.More() {
		var s object[stationBody]
		if err := dec.Decode(&s); err != nil {
			return err
		}
		if s.v == (stationBody{}) {
			l.malformed++
			continue
		}
		if len(l.stations) == maxStations {
			return errTooManyStations
		}
		l.stations = append(l.stations, s.v)
	}
	return nil
}

// DecodeBikes decodes the answer of CityBikes for one network, fetched at the
// given time. What can be mended is mended and counted; what cannot is a
// *DecodeError.
func DecodeBikes(body []byte, fetchedAt time.Time) (Bikes, error) {
	body = trimBody(body)
	fail := func(problem, hint string) (Bikes, error) {
		return Bikes{}, &DecodeError{Source: "CityBikes", Problem: problem, Excerpt: excerpt(body), Hint: hint}
	}
	if problem, hint := checkJSON(body); problem != "" {
		return fail(problem, hint)
	}
	var parsed bikesBody
	err := json.Unmarshal(body, &parsed)
	switch {
	case errors.Is(err, errTooManyStations):
		return fail(err.Error(), "check the base URL in the configuration")
	case err != nil || parsed.Network == nil:
		return fail("it has no network in it", "check the base URL, and the network's ID against /v2/networks")
	case len(parsed.Network.Stations.stations) == 0:
		return fail("it lists no stations", "the network may be out of season; ask again later or choose another network")
	}
	d := bikesDecoder{fetchedAt: fetchedAt}
	d.odd[OddNoStation] = parsed.Network.Stations.malformed
	rows := d.rows(parsed.Network.Stations.stations)
	if len(rows) == 0 {
		return fail("none of its stations has an ID", "ask again later or choose another network")
	}
	newest := newestOf(rows)
	if newest.IsZero() {
		return fail(d.timeProblem(), "check this machine's clock; where it is right, the feed is broken: ask again later or choose another network")
	}
	return d.assemble(parsed, rows, newest), nil
}

// bikesDecoder carries what every station needs: the clock and the tally.
type bikesDecoder struct {
	fetchedAt time.Time
	odd       Oddities
	future    time.Time // one of the times that lie ahead, for the error
}

// stationRow is a station on its way to become a Station and a Reading.
type stationRow struct {
	station observation.Station
	state   observation.State
	at      time.Time // zero where the station has no sane time
}

// rows decodes the stations that have an ID, each once, sorted by ID.
func (d *bikesDecoder) rows(bodies []stationBody) []stationRow {
	rows := make([]stationRow, 0, len(bodies))
	for i := range bodies {
		id, _ := cleanText(string(bodies[i].ID))
		if id == "" || len(id) > maxStationID {
			d.odd[OddNoID]++
			continue
		}
		rows = append(rows, d.row(id, &bodies[i]))
	}
	// Stable, newest first: the first of each ID is the one that counts.
	slices.SortStableFunc(rows, func(a, b stationRow) int {
		if c := strings.Compare(a.station.ID, b.station.ID); c != 0 {
			return c
		}
		return b.at.Compare(a.at)
	})
	unique := slices.CompactFunc(rows, func(a, b stationRow) bool { return a.station.ID == b.station.ID })
	d.odd[OddDuplicate] += len(bodies) - d.odd[OddNoID] - len(unique)
	return unique
}

func (d *bikesDecoder) row(id string, b *stationBody) stationRow {
	name, mended := cleanText(string(b.Name))
	if mended {
		d.odd[OddName]++
	}
	lat, lon := d.coordinates(b.Latitude, b.Longitude)
	free, slots, capacity := d.counts(b)
	return stationRow{
		station: observation.Station{ID: id, Name: name, Latitude: lat, Longitude: lon, Capacity: capacity},
		state:   observation.State{FreeBikes: free, EmptySlots: slots, InService: inService(b)},
		at:      d.time(string(b.Timestamp)),
	}
}

// counts gives free bikes, empty slots and capacity. Where the source leaves
// the empty slots out but gives the capacity, they are the difference.
func (d *bikesDecoder) counts(b *stationBody) (free, slots, capacity int32) {
	free = b.FreeBikes.count(&d.odd)
	capacity = b.Extra.v.Slots.quietCount()
	if !b.EmptySlots.given && free >= 0 && capacity >= free {
		d.odd[OddDerivedSlots]++
		return free, capacity - free, capacity
	}
	slots = b.EmptySlots.count(&d.odd)
	if capacity <= 0 {
		capacity = sumOrUnknown(free, slots)
	}
	return free, slots, capacity
}

// sumOrUnknown is the capacity of a station by what it shows.
func sumOrUnknown(free, slots int32) int32 {
	if free < 0 || slots < 0 {
		return observation.Unknown
	}
	return free + slots
}

func (d *bikesDecoder) coordinates(lat, lon number) (float64, float64) {
	nowhere := lat.value == 0 && lon.value == 0 // in the sea off Africa
	if !lat.ok || !lon.ok || nowhere || math.Abs(lat.value) > 90 || math.Abs(lon.value) > 180 {
		d.odd[OddCoordinates]++
		return math.NaN(), math.NaN()
	}
	return lat.value, lon.value
}

// time is the station's own time in whole seconds, zero where it has none
// that can be true.
func (d *bikesDecoder) time(s string) time.Time {
	t, ok := parseTime(s, time.UTC)
	switch {
	case !ok || t.Before(earliest):
		d.odd[OddMissingTime]++
		return time.Time{}
	case t.After(d.fetchedAt.Add(futureSlack)):
		d.odd[OddFutureTime]++
		d.future = t
		return time.Time{}
	}
	return t.Truncate(time.Second)
}

func (d *bikesDecoder) timeProblem() string {
	if d.future.IsZero() {
		return "none of its stations has a readable timestamp"
	}
	return fmt.Sprintf("its timestamps lie in the future, e.g. %s while it was fetched at %s",
		d.future.Format(time.RFC3339), d.fetchedAt.UTC().Format(time.RFC3339))
}

func newestOf(rows []stationRow) time.Time {
	var newest time.Time
	for _, r := range rows {
		if r.at.After(newest) {
			newest = r.at
		}
	}
	return newest
}

func (d *bikesDecoder) assemble(parsed bikesBody, rows []stationRow, newest time.Time) Bikes {
	out := Bikes{Network: d.network(parsed), Snapshot: observation.Snapshot{At: newest}}
	out.Stations = make([]observation.Station, len(rows))
	out.Snapshot.Readings = make([]observation.Reading, len(rows))
	for i, r := range rows {
		if !r.at.IsZero() && newest.Sub(r.at) > staleAfter {
			d.odd[OddStale]++
			r.state.InService = false
		}
		out.Stations[i] = r.station
		out.Snapshot.Readings[i] = observation.Reading{StationID: r.station.ID, State: r.state}
	}
	out.Oddities = d.odd
	return out
}
