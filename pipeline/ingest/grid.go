package ingest

import (
	"cmp"
	"iter"
	"slices"
	"time"

	"livelab/pipeline/observation"
)

// grid turns changes into snapshots at regular times. It goes through the
// months one after the other and carries along what stations showed last.
type grid struct {
	step     time.Duration
	maxAge   time.Duration // of a station's last change, for the station to be there
	maxQuiet time.Duration // without any change, for the network to be seen
	next     time.Time     // the next time of the grid
	end      time.Time     // the grid ends before it

	newest   time.Time     // last change of any station
	stations []gridStation // sorted by ID
}

// gridStation is what a station showed last; a zero time means nothing yet.
type gridStation struct {
	id    string
	at    time.Time
	state observation.State
}

func newGrid(from, to time.Time, cfg BackfillConfig) *grid {
	first := from.UTC().Truncate(cfg.Step)
	if first.Before(from) {
		first = first.Add(cfg.Step)
	}
	return &grid{step: cfg.Step, maxAge: cfg.MaxAge, maxQuiet: cfg.MaxQuiet, next: first, end: to}
}

// month yields the snapshots that lie before the end of a month, and can be
// walked once. A nil history is a month without data. The readings of one
// snapshot are overwritten by the next.
func (g *grid) month(start time.Time, h *monthHistory) iter.Seq2[observation.Snapshot, error] {
	return func(yield func(observation.Snapshot, error) bool) {
		monthEnd := start.AddDate(0, 1, 0)
		rows := g.admit(h)
		var readings []observation.Reading
		for ; g.next.Before(monthEnd) && g.next.Before(g.end); g.next = g.next.Add(g.step) {
			rows.advance(g.next)
			readings = g.readings(readings[:0])
			if len(readings) > 0 && !yield(observation.Snapshot{At: g.next, Readings: readings}, nil) {
				return
			}
		}
		rows.advance(monthEnd)
	}
}

// readings is what held at the next time of the grid; none where the network
// cannot be said to have been seen then.
func (g *grid) readings(out []observation.Reading) []observation.Reading {
	if g.newest.IsZero() || g.next.Sub(g.newest) > g.maxQuiet {
		return out
	}
	for i := range g.stations {
		if s := &g.stations[i]; !s.at.IsZero() && g.next.Sub(s.at) <= g.maxAge {
			out = append(out, observation.Reading{StationID: s.id, State: s.state})
		}
	}
	return out
}

// monthRows walks along the changes of a month.
type monthRows struct {
	grid     *grid
	history  *monthHistory
	position []int // of each station of the month in the grid
	next     int   // row
}

// admit makes room for the stations of a month among those carried along.
func (g *grid) admit(h *monthHistory) *monthRows {
	rows := &monthRows{grid: g, history: h}
	if h == nil {
		return rows
	}
	for _, s := range h.table.stations {
		g.stations = append(g.stations, gridStation{id: s.id})
	}
	// Stable, so that a station which was there stays before its double.
	slices.SortStableFunc(g.stations, func(a, b gridStation) int { return cmp.Compare(a.id, b.id) })
	g.stations = slices.CompactFunc(g.stations, func(a, b gridStation) bool { return a.id == b.id })
	rows.position = make([]int, len(h.table.stations))
	for i, s := range h.table.stations {
		rows.position[i], _ = slices.BinarySearchFunc(g.stations, s.id, func(g gridStation, id string) int { return cmp.Compare(g.id, id) })
	}
	return rows
}

// advance takes in the changes up to a time, that included.
func (m *monthRows) advance(to time.Time) {
	if m.history == nil {
		return
	}
	for ; m.next < len(m.history.table.rows); m.next++ {
		r := m.history.table.rows[m.next]
		at := m.history.start.Add(time.Duration(r.at) * time.Millisecond)
		if at.After(to) {
			return
		}
		s := &m.grid.stations[m.position[r.station]]
		s.at, s.state = at, r.state()
		m.grid.newest = at
	}
}
