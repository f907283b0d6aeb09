package dataset

import (
	"context"
	"errors"
	"math"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"livelab/pipeline/features"
	"livelab/pipeline/observation"
)

// asOf is a store that holds what was known at a time.
type asOf struct {
	*memory
	now *time.Time
}

func (s asOf) Changes(ctx context.Context, network string, from, to time.Time, yield func(observation.Observation) error) error {
	return s.memory.Changes(ctx, network, from, earlier(to, *s.now), yield)
}

func (s asOf) Totals(ctx context.Context, network string, from, to time.Time) ([]observation.Totals, error) {
	return s.memory.Totals(ctx, network, from, earlier(to, *s.now))
}

func earlier(a, b time.Time) time.Time {
	if a.IsZero() || b.Before(a) {
		return b
	}
	return a
}

// rowsOf makes the rows of a time as training does, from all that there is.
func rowsOf(t *testing.T, m *memory, task features.Task, at time.Time) *features.Frame {
	t.Helper()
	var g gatherer
	for _, c := range m.changes {
		if err := g.add(c); err != nil {
			t.Fatal(err)
		}
	}
	h := features.History{Place: features.PlaceOf(m.networks[0]), Series: features.Series{Points: m.points, Weather: m.weather}}
	var err error
	if h.Stations, err = g.among(m.stations); err != nil {
		t.Fatal(err)
	}
	s, err := features.NewSource(task, h, nil)
	if err != nil {
		t.Fatal(err)
	}
	var f *features.Frame
	if err := s.Blocks(t.Context(), at, at, func(b *features.Frame) error { f = copyOf(b); return nil }); err != nil || f == nil {
		t.Fatalf("no rows at %s: %v", at, err)
	}
	return f
}

func sameRows(t *testing.T, got, want *features.Frame) {
	t.Helper()
	if got.Rows() != want.Rows() || !slices.Equal(got.Entity, want.Entity) {
		t.Fatalf("%d rows of %v, training has %d of %v", got.Rows(), got.Entity, want.Rows(), want.Entity)
	}
	for _, name := range want.Names() {
		for i := range want.Rows() {
			if g, w := got.Value(name, i), want.Value(name, i); math.Float64bits(g) != math.Float64bits(w) && !(g != g && w != w) {
				t.Errorf("%s of station %d at %s is %v, training has %v", name, i, want.At[i], g, w)
			}
		}
	}
}

func town(days int) *memory {
	m := peopled(days)
	slices.SortFunc(m.stations, func(a, b observation.Station) int { return strings.Compare(a.ID, b.ID) })
	return m
}

// TestAllStationsAreTheRowsOfTraining goes forward snapshot by snapshot, for
// longer than what is read once is kept.
func TestAllStationsAreTheRowsOfTraining(t *testing.T) {
	t.Parallel()
	m, task := town(9), stationTask()
	now := start.Add(7 * 24 * time.Hour)
	live := NewLive(asOf{m, &now}, func() time.Time { return now })
	var before *StationRows
	for range 40 {
		rows, err := live.AllStations(t.Context(), task, "")
		if err != nil {
			t.Fatal(err)
		}
		if !rows.AsOf.Equal(now) || rows.Network.ID != "here" || len(rows.Missing) != 4 || rows.WeatherAt.IsZero() {
			t.Fatalf("at %s: rows as of %s with weather of %s", now, rows.AsOf, rows.WeatherAt)
		}
		if now.Minute()%task.StepMinutes == 0 {
			sameRows(t, rows.Frame, rowsOf(t, m, task, now))
		}
		if before != nil && (!before.AsOf.Equal(now.Add(-10*time.Minute)) || !before.Frame.At[0].Equal(before.AsOf)) {
			t.Fatal("an answer was overwritten by the next")
		}
		for i, s := range rows.Stations {
			if (s.ID == "never seen") != (rows.Missing[i] == "it has not been seen yet") || (s.ID == "never seen") != rows.ChangedAt[i].IsZero() {
				t.Errorf("%s: %q, changed at %s", s.ID, rows.Missing[i], rows.ChangedAt[i])
			}
			if why := rows.Missing[i]; (why == "") != !math.IsNaN(rows.Frame.Value("free_bikes", i)) {
				t.Errorf("%s has %v bikes, missing says %q", s.ID, rows.Frame.Value("free_bikes", i), why)
			}
		}
		before, now = rows, now.Add(10*time.Minute)
	}
}

// TestAllStationsAreReadAgain fills in data behind, which counts once all is
// read again: after an hour, and where the clock went back.
func TestAllStationsAreReadAgain(t *testing.T) {
	t.Parallel()
	m, task := town(9), stationTask()
	now := start.Add(7 * 24 * time.Hour)
	live := NewLive(asOf{m, &now}, func() time.Time { return now })
	ask := func() *features.Frame {
		t.Helper()
		rows, err := live.AllStations(t.Context(), task, "here")
		if err != nil {
			t.Fatal(err)
		}
		return rows.Frame
	}
	yesterday := func() float64 { return ask().Value("free_bikes_yesterday", 0) }
	fill := func(bikes int32) {
		for i := range m.changes {
			if c := &m.changes[i]; c.StationID == "10" && c.At.Before(start.Add(7*24*time.Hour)) {
				c.State.FreeBikes = bikes
			}
		}
	}
	ask()
	fill(14)
	now = now.Add(40 * time.Minute)
	stored := ask()
	if fresh := rowsOf(t, m, task, now); stored.Value("typical_free_bikes", 0) == fresh.Value("typical_free_bikes", 0) {
		t.Fatal("what was filled in behind counted at once: the past was read again within the hour")
	}
	now = now.Add(20 * time.Minute)
	sameRows(t, ask(), rowsOf(t, m, task, now))
	fill(3)
	if got := yesterday(); got != 14 {
		t.Errorf("right after a reading there were %v bikes yesterday, want the 14 that it found", got)
	}
	now = now.Add(-20 * time.Minute)
	sameRows(t, ask(), rowsOf(t, m, task, now))
	if got := yesterday(); got != 3 {
		t.Errorf("after the clock went back there were %v bikes yesterday, want 3", got)
	}
}

// TestAllStationsFollowTheStations has one appear, one move and one shift a
// little between two snapshots.
func TestAllStationsFollowTheStations(t *testing.T) {
	t.Parallel()
	m, task := town(9), stationTask()
	now := start.Add(7 * 24 * time.Hour)
	live := NewLive(asOf{m, &now}, func() time.Time { return now })
	if _, err := live.AllStations(t.Context(), task, "here"); err != nil {
		t.Fatal(err)
	}
	now = now.Add(20 * time.Minute)
	m.stations = append([]observation.Station{{ID: "0", Latitude: 59.9, Longitude: 10.7, Capacity: 9}}, m.stations...)
	m.changes = append([]observation.Observation{{StationID: "0", At: now, State: observation.State{FreeBikes: 4, EmptySlots: 5, InService: true}}}, m.changes...)
	m.stations[1].Latitude, m.stations[1].MovedAt = 59.99, now.Add(-10*time.Minute)
	rows, err := live.AllStations(t.Context(), task, "here")
	if err != nil {
		t.Fatal(err)
	}
	if rows.Stations[0].ID != "0" || rows.States[0].FreeBikes != 4 || !rows.ChangedAt[0].Equal(now) {
		t.Errorf("the new station came as %+v, %+v since %s", rows.Stations[0], rows.States[0], rows.ChangedAt[0])
	}
	sameRows(t, rows.Frame, rowsOf(t, m, task, now))

	now = now.Add(20 * time.Minute)
	truth := m.stations[3].Latitude
	m.stations[3].Latitude += 1e-5
	rows, err = live.AllStations(t.Context(), task, "here")
	if err != nil || rows.Stations[3].Latitude != m.stations[3].Latitude {
		t.Fatalf("a small shift is not shown: %v", err)
	}
	shifted := m.stations[3].Latitude
	m.stations[3].Latitude = truth
	sameRows(t, rows.Frame, rowsOf(t, m, task, now))
	m.stations[3].Latitude = shifted
	now = now.Add(time.Hour)
	if rows, err = live.AllStations(t.Context(), task, "here"); err != nil {
		t.Fatal(err)
	}
	sameRows(t, rows.Frame, rowsOf(t, m, task, now))
}

func TestNewestOf(t *testing.T) {
	t.Parallel()
	m, task := town(9), stationTask()
	now := start.Add(8*24*time.Hour + 10*time.Minute)
	s := &counted{memory: m}
	live := NewLive(s, func() time.Time { return now })
	rows, err := live.AllStations(t.Context(), task, "here")
	if err != nil {
		t.Fatal(err)
	}
	asked := s.asked.Load()
	row, err := live.NewestOf(t.Context(), task, "here", "10")
	if err != nil || !row.AsOf.Equal(rows.AsOf) || !row.WeatherAt.Equal(rows.WeatherAt) {
		t.Fatalf("row as of %s: %v", row.AsOf, err)
	}
	i, _ := find(rows.Stations, "10")
	known := 0
	for _, name := range rows.Frame.Names() {
		want := rows.Frame.Value(name, i)
		if v, there := row.Values[name]; there != (want == want) || there && v != want {
			t.Errorf("%s is %v (there: %v), want %v", name, v, there, want)
		}
		if want == want {
			known++
		}
	}
	if known < 20 || s.asked.Load() != asked {
		t.Errorf("%d columns are known, the store was asked %d times more", known, s.asked.Load()-asked)
	}
	var missing *MissingError
	if _, err := live.NewestOf(t.Context(), task, "here", "never seen"); !errors.As(err, &missing) || !strings.Contains(err.Error(), `station "never seen" of the network "here": it has not been seen yet`) {
		t.Errorf("a station without a forecast: %v", err)
	}
	var unknown *StationError
	if _, err := live.NewestOf(t.Context(), task, "here", "quay"); !errors.As(err, &unknown) || err.Error() != `the network "here" has no station "quay" among its 4; did you mean 9?` {
		t.Errorf("an unknown station: %v", err)
	}
	if _, err := live.NewestOf(t.Context(), task, "here", ""); !errors.As(err, &unknown) || len(unknown.Close) != 0 {
		t.Errorf("no station: %v", err)
	}
	var network *NetworkError
	if _, err := live.NewestOf(t.Context(), task, "there", "10"); !errors.As(err, &network) {
		t.Errorf("an unknown network: %v", err)
	}
	now = now.Add(200 * 24 * time.Hour)
	if _, err := live.AllStations(t.Context(), task, "here"); !errors.As(err, &missing) {
		t.Errorf("a store of long ago: %v", err)
	}
}

// TestAllStationsTogether has many ask at once, and one who gives up.
func TestAllStationsTogether(t *testing.T) {
	t.Parallel()
	m, task := town(9), stationTask()
	now := start.Add(8 * 24 * time.Hour)
	s := &counted{memory: m, gate: make(chan struct{})}
	live := NewLive(s, func() time.Time { return now })
	ctx, cancel := context.WithCancel(t.Context())
	gone := make(chan error)
	go func() {
		_, err := live.AllStations(ctx, task, "here")
		gone <- err
	}()
	cancel()
	if err := <-gone; !errors.Is(err, context.Canceled) {
		t.Errorf("who gave up got %v", err)
	}
	close(s.gate)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if rows, err := live.AllStations(t.Context(), task, "here"); err != nil || rows.Frame.Rows() != 4 {
				t.Error(err)
			}
			if _, err := live.NewestOf(t.Context(), task, "here", "10"); err != nil && !strings.Contains(err.Error(), "out of service") {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}

// TestAllStationsAfterAFailure goes on from what was known.
func TestAllStationsAfterAFailure(t *testing.T) {
	t.Parallel()
	m, task := town(9), stationTask()
	now := start.Add(7 * 24 * time.Hour)
	s := &counted{memory: m}
	live := NewLive(s, func() time.Time { return now })
	broken := errors.New("the cable is out")
	for step := range 3 {
		s.fail = nil
		if step == 1 {
			s.fail = broken
		}
		if _, err := live.AllStations(t.Context(), task, "here"); !errors.Is(err, s.fail) {
			t.Fatalf("step %d: %v", step, err)
		}
		now = now.Add(20 * time.Minute)
	}
	now = now.Add(-20 * time.Minute)
	rows, err := live.AllStations(t.Context(), task, "here")
	if err != nil {
		t.Fatal(err)
	}
	sameRows(t, rows.Frame, rowsOf(t, m, task, now))
}
