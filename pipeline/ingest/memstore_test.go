package ingest

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"livelab/pipeline/observation"
)

// memStore is a Store in memory, written for clarity.
type memStore struct {
	mu       sync.Mutex
	origin   observation.Origin
	networks map[string]*memNetwork
	fail     error // of every Write, where set
}

type memNetwork struct {
	network  observation.Network
	stations map[string]observation.Station
	payloads []observation.Payload
	totals   map[time.Time]observation.Totals
	changes  map[string]map[time.Time]observation.State
	weather  map[time.Time]observation.Weather
}

var _ Store = (*memStore)(nil)

func newMemStore() *memStore { return &memStore{networks: map[string]*memNetwork{}} }

func (n *memNetwork) clone() *memNetwork {
	if n == nil {
		return &memNetwork{
			stations: map[string]observation.Station{}, totals: map[time.Time]observation.Totals{},
			changes: map[string]map[time.Time]observation.State{}, weather: map[time.Time]observation.Weather{},
		}
	}
	c := *n
	c.stations, c.totals, c.weather = maps.Clone(n.stations), maps.Clone(n.totals), maps.Clone(n.weather)
	c.payloads = slices.Clone(n.payloads)
	c.changes = map[string]map[time.Time]observation.State{}
	for id, m := range n.changes {
		c.changes[id] = maps.Clone(m)
	}
	return &c
}

// Update works on copies, which replace the originals where fn succeeds.
func (s *memStore) Update(ctx context.Context, networks []string, fn func(Tx) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	tx := &memTx{store: s, origin: s.origin, networks: map[string]*memNetwork{}}
	for _, id := range networks {
		tx.networks[id] = s.networks[id].clone()
	}
	if err := fn(tx); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	s.origin = tx.origin
	maps.Copy(s.networks, tx.networks)
	return nil
}

type memTx struct {
	store    *memStore
	origin   observation.Origin
	networks map[string]*memNetwork
}

func (t *memTx) ClaimOrigin(_ context.Context, origin observation.Origin) (observation.Origin, error) {
	if t.origin == "" {
		t.origin = origin
	}
	return t.origin, nil
}

func (t *memTx) AddPayload(_ context.Context, p observation.Payload) (bool, error) {
	n := t.networks[p.Network]
	for _, old := range n.payloads {
		if old.Kind == p.Kind && string(old.Body) == string(p.Body) {
			return false, nil
		}
	}
	n.payloads = append(n.payloads, p)
	return true, nil
}

func (t *memTx) States(_ context.Context, network string, at time.Time) (map[string]observation.State, error) {
	out := map[string]observation.State{}
	for id := range t.networks[network].changes {
		if state, ok := t.networks[network].stateAt(id, at); ok {
			out[id] = state
		}
	}
	return out, nil
}

// stateAt is the last change of a station not after at.
func (n *memNetwork) stateAt(id string, at time.Time) (state observation.State, ok bool) {
	var newest time.Time
	for when, s := range n.changes[id] {
		if !when.After(at) && !when.Before(newest) {
			newest, state, ok = when, s, true
		}
	}
	return state, ok
}

func (t *memTx) SnapshotTimes(_ context.Context, network string, from, to time.Time) ([]time.Time, error) {
	var out []time.Time
	for at := range t.networks[network].totals {
		if !at.Before(from) && (to.IsZero() || !at.After(to)) {
			out = append(out, at)
		}
	}
	slices.SortFunc(out, time.Time.Compare)
	return out, nil
}

func (t *memTx) Write(_ context.Context, network string, b Batch) error {
	if t.store.fail != nil {
		return t.store.fail
	}
	n := t.networks[network]
	if b.Network != nil {
		n.network = *b.Network
	}
	for _, s := range b.Stations {
		n.stations[s.ID] = s
	}
	for _, row := range b.Totals {
		n.totals[row.At] = row
	}
	for _, c := range b.Changes {
		if n.changes[c.StationID] == nil {
			n.changes[c.StationID] = map[time.Time]observation.State{}
		}
		n.changes[c.StationID][c.At] = c.State
	}
	for _, w := range b.Weather {
		n.weather[w.At] = w
	}
	return nil
}

// changeCount is the number of stored changes of a network.
func (s *memStore) changeCount(network string) int {
	n := 0
	for _, m := range s.networks[network].changes {
		n += len(m)
	}
	return n
}

// stationsOf gives what is stored of a network's stations, by ID.
func (s *memStore) stationsOf(network string) map[string]observation.Station {
	if n := s.networks[network]; n != nil {
		return n.stations
	}
	return nil
}
