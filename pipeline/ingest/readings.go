package ingest

import (
	"cmp"
	"iter"
	"maps"
	"slices"
	"time"

	"livelab/pipeline/observation"
)

// compactReading is one station at one time in 12 bytes, so that a file of
// millions of them fits into little memory.
type compactReading struct {
	at      uint32 // in ticks of its table
	station uint32 // index into the stations of its table
	free    int16  // counts, at most maxCount, or observation.Unknown
	slots   int16
}

func (r compactReading) state() observation.State {
	return observation.State{FreeBikes: int32(r.free), EmptySlots: int32(r.slots), InService: true}
}

// readingTable gathers readings of one or more networks in any order. The
// stations, and the networks, are kept once and named by index.
type readingTable struct {
	rows     []compactReading
	networks []string
	stations []tableStation

	networkIndex map[string]uint32
	stationIndex []map[string]uint32 // for each network, by station ID
}

type tableStation struct {
	network uint32
	id      string
}

// network gives the index of a network, which it adds where it is new.
func (t *readingTable) network(name []byte) uint32 {
	if i, ok := t.networkIndex[string(name)]; ok {
		return i
	}
	if t.networkIndex == nil {
		t.networkIndex = map[string]uint32{}
	}
	i := uint32(len(t.networks))
	t.networks = append(t.networks, string(name))
	t.stationIndex = append(t.stationIndex, map[string]uint32{})
	t.networkIndex[string(name)] = i
	return i
}

// station gives the index of a station, and whether it was new.
func (t *readingTable) station(network uint32, id []byte) (index uint32, added bool) {
	ids := t.stationIndex[network]
	if i, ok := ids[string(id)]; ok {
		return i, false
	}
	i := uint32(len(t.stations))
	t.stations = append(t.stations, tableStation{network, string(id)})
	ids[string(id)] = i
	return i, true
}

// sort orders the rows by network, time and station ID and keeps one of each,
// the last that was added. It answers how many rows repeated another, and how
// many contradicted the one that is kept.
func (t *readingTable) sort() (repeated, contradicted int) {
	rank := t.rankStations()
	for i := range t.rows {
		t.rows[i].station = rank[t.rows[i].station]
	}
	// Least significant key first; each pass is stable.
	tmp := make([]compactReading, len(t.rows))
	rows := t.rows
	rows, tmp = radixSort(rows, tmp, func(r compactReading) uint32 { return r.station })
	rows, tmp = radixSort(rows, tmp, func(r compactReading) uint32 { return r.at })
	if len(t.networks) > 1 {
		rows, _ = radixSort(rows, tmp, func(r compactReading) uint32 { return t.stations[r.station].network })
	}
	out := rows[:0]
	for _, r := range rows {
		n := len(out)
		if n == 0 || out[n-1].at != r.at || out[n-1].station != r.station {
			out = append(out, r)
			continue
		}
		if out[n-1] == r {
			repeated++
		} else {
			contradicted++
		}
		out[n-1] = r
	}
	t.rows = out
	return repeated, contradicted
}

// rankStations reorders the stations by network and ID and answers the new
// index of each.
func (t *readingTable) rankStations() []uint32 {
	order := make([]uint32, len(t.stations))
	for i := range order {
		order[i] = uint32(i)
	}
	slices.SortFunc(order, func(a, b uint32) int {
		x, y := t.stations[a], t.stations[b]
		return cmp.Or(cmp.Compare(x.network, y.network), cmp.Compare(x.id, y.id))
	})
	rank := make([]uint32, len(order))
	sorted := make([]tableStation, len(order))
	for to, from := range order {
		rank[from] = uint32(to)
		sorted[to] = t.stations[from]
		t.stationIndex[sorted[to].network][sorted[to].id] = uint32(to)
	}
	t.stations = sorted
	return rank
}

// radixSort sorts by key, stably, 11 bits a pass. It answers the sorted rows
// and the other of the two slices, which must be of equal length.
func radixSort(rows, tmp []compactReading, key func(compactReading) uint32) (sorted, other []compactReading) {
	const bits, mask = 11, 1<<11 - 1
	for shift := 0; shift < 32; shift += bits {
		var starts [1 << bits]int
		for _, r := range rows {
			starts[key(r)>>shift&mask]++
		}
		if slices.Max(starts[:]) == len(rows) {
			continue // all rows agree in these bits
		}
		sum := 0
		for i, n := range starts {
			starts[i] = sum
			sum += n
		}
		for _, r := range rows {
			digit := key(r) >> shift & mask
			tmp[starts[digit]] = r
			starts[digit]++
		}
		rows, tmp = tmp, rows
	}
	return rows, tmp
}

// series gives each network's snapshots, networks in order of name. The table
// must be sorted, its ticks seconds since 1970.
func (t *readingTable) series() []Series {
	var out []Series
	for start := 0; start < len(t.rows); {
		network := t.stations[t.rows[start].station].network
		end := start
		for end < len(t.rows) && t.stations[t.rows[end].station].network == network {
			end++
		}
		out = append(out, Series{Network: t.networks[network], Snapshots: t.snapshots(t.rows[start:end])})
		start = end
	}
	slices.SortFunc(out, func(a, b Series) int { return cmp.Compare(a.Network, b.Network) })
	return out
}

// snapshots groups sorted rows of one network by time. The readings of one
// snapshot are overwritten by the next.
func (t *readingTable) snapshots(rows []compactReading) iter.Seq2[observation.Snapshot, error] {
	return func(yield func(observation.Snapshot, error) bool) {
		var s observation.Snapshot
		for start := 0; start < len(rows); {
			at := rows[start].at
			s.At, s.Readings = time.Unix(int64(at), 0).UTC(), s.Readings[:0]
			for ; start < len(rows) && rows[start].at == at; start++ {
				r := rows[start]
				s.Readings = append(s.Readings, observation.Reading{StationID: t.stations[r.station].id, State: r.state()})
			}
			if !yield(s, nil) {
				return
			}
		}
	}
}

// weatherTable gathers weather of several networks in any order.
type weatherTable struct {
	rows map[string][]observation.Weather
}

func (t *weatherTable) add(network string, row observation.Weather) {
	if t.rows == nil {
		t.rows = map[string][]observation.Weather{}
	}
	t.rows[network] = append(t.rows[network], row)
}

// sort orders each network's rows by time and keeps the last of each time.
// Missing values count as equal when rows are compared.
func (t *weatherTable) sort() (repeated, contradicted int) {
	for network, rows := range t.rows {
		slices.SortStableFunc(rows, func(a, b observation.Weather) int { return a.At.Compare(b.At) })
		for i := 1; i < len(rows); i++ {
			switch a, b := rows[i-1], rows[i]; {
			case !a.At.Equal(b.At):
			case sameFloat(a.Temperature, b.Temperature) && sameFloat(a.Precipitation, b.Precipitation) && sameFloat(a.WindSpeed, b.WindSpeed):
				repeated++
			default:
				contradicted++
			}
		}
		t.rows[network] = tidyWeather(rows)
	}
	return repeated, contradicted
}

func sameFloat(a, b float64) bool { return a == b || a != a && b != b }

func (t *weatherTable) series() []Series {
	var out []Series
	for _, network := range slices.Sorted(maps.Keys(t.rows)) {
		out = append(out, Series{Network: network, Weather: t.rows[network]})
	}
	return out
}
