package dataset

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"livelab/pipeline/features"
	"livelab/pipeline/observation"
)

// counted is a store that counts how often it is asked for snapshots, and
// answers once gate lets it; a nil gate is open.
type counted struct {
	*memory
	asked atomic.Int32
	gate  chan struct{}
	fail  error
}

func (c *counted) Totals(ctx context.Context, network string, from, to time.Time) ([]observation.Totals, error) {
	c.asked.Add(1)
	if c.fail != nil {
		return nil, c.fail
	}
	if c.gate != nil {
		select {
		case <-c.gate:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	return c.memory.Totals(ctx, network, from, to)
}

func TestNewestStandsForASecondOfItsMinute(t *testing.T) {
	t.Parallel()
	s, task := &counted{memory: city(30)}, features.NetworkShortage()
	noon := lastAt(s.points)
	now := noon
	live := NewLive(s, func() time.Time { return now })
	longer := task
	longer.HorizonMinutes = 120
	steps := []struct {
		name    string
		task    features.Task
		network string
		after   time.Duration // noon
		asked   int32         // so far
	}{
		{"at first", task, "here", 0, 1},
		{"at once", task, "here", 0, 1},
		{"just within the second", task, "here", time.Second - 1, 1},
		{"another task has an answer of its own", longer, "here", time.Second - 1, 2},
		{"so has the only network, unnamed", task, "", time.Second - 1, 3},
		{"a second on", task, "here", time.Second, 4},
		{"late in the minute", task, "here", time.Minute - 1, 5},
		{"the next minute has a row of its own", task, "here", time.Minute, 6},
		{"late in it", task, "here", time.Minute + 10*time.Second, 7},
		{"a clock that goes back", task, "here", time.Minute + 5*time.Second, 8},
		{"and to another minute", task, "here", 30 * time.Second, 9},
	}
	for _, step := range steps {
		now = noon.Add(step.after)
		row, err := live.Newest(t.Context(), step.task, step.network)
		if err != nil {
			t.Fatalf("%s: %v", step.name, err)
		}
		if got := s.asked.Load(); got != step.asked {
			t.Errorf("%s: the store was asked %d times, want %d", step.name, got, step.asked)
		}
		if want := now.Truncate(time.Minute); !row.builtAt.Equal(want) {
			t.Errorf("%s: the row is of %s, want %s", step.name, row.builtAt, want)
		}
	}
}

func TestNewestIsReadOnceForAllWhoAsk(t *testing.T) {
	t.Parallel()
	s := &counted{memory: city(30), gate: make(chan struct{})}
	now := lastAt(s.points)
	live := NewLive(s, func() time.Time { return now })
	var callers sync.WaitGroup
	for range 50 {
		callers.Go(func() {
			row, err := live.Newest(t.Context(), features.NetworkShortage(), "")
			if err != nil || !row.AsOf.Equal(now) {
				t.Errorf("as of %s: %v", row.AsOf, err)
			}
		})
	}
	close(s.gate)
	callers.Wait()
	if got := s.asked.Load(); got != 1 {
		t.Errorf("the store was asked %d times for 50 callers, want once", got)
	}
}

func TestNewestDoesNotWaitForAStoreThatHangs(t *testing.T) {
	t.Parallel()
	s := &counted{memory: city(30), gate: make(chan struct{})}
	now := lastAt(s.points)
	live := NewLive(s, func() time.Time { return now })
	task := features.NetworkShortage()

	first := make(chan error)
	go func() {
		_, err := live.Newest(t.Context(), task, "")
		first <- err
	}()
	for s.asked.Load() == 0 {
		time.Sleep(time.Millisecond)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if _, err := live.Newest(ctx, task, ""); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a caller behind one who hangs got %v, want its own deadline", err)
	}
	close(s.gate)
	if err := <-first; err != nil {
		t.Errorf("the first caller: %v", err)
	}
}

func TestNewestForgetsErrors(t *testing.T) {
	t.Parallel()
	away := errors.New("the store is away")
	s := &counted{memory: city(30), fail: away}
	now := lastAt(s.points)
	live := NewLive(s, func() time.Time { return now })
	if _, err := live.Newest(t.Context(), features.NetworkShortage(), ""); !errors.Is(err, away) {
		t.Fatalf("the store's error came back as %v", err)
	}
	s.fail = nil
	if row, err := live.Newest(t.Context(), features.NetworkShortage(), ""); err != nil || !row.AsOf.Equal(now) {
		t.Errorf("the store is back, as of %s: %v", row.AsOf, err)
	}
}

// asker gives the row of a time from one Live, whose clock it sets.
func asker(t *testing.T, m *memory) func(task features.Task, now time.Time) Row {
	var clock time.Time
	live := NewLive(m, func() time.Time { return clock })
	return func(task features.Task, now time.Time) Row {
		t.Helper()
		clock = now
		row, err := live.Newest(t.Context(), task, "here")
		if err != nil {
			t.Fatal(err)
		}
		return row
	}
}

// TestNewestSeesWhatIsFilledInBehind leaves three hours of yesterday out until
// later.
func TestNewestSeesWhatIsFilledInBehind(t *testing.T) {
	t.Parallel()
	m, task := city(30), features.NetworkShortage()
	points, now := m.points, lastAt(m.points)
	m.points = slices.DeleteFunc(slices.Clone(points), func(p observation.Totals) bool {
		age := now.Sub(p.At)
		return age > 23*time.Hour && age < 26*time.Hour
	})
	ask := asker(t, m)
	for _, step := range []struct {
		after  time.Duration
		filled bool
		known  bool
	}{
		{0, false, false},
		{time.Minute, true, false},
		{9*time.Minute + 59*time.Second, true, false},
		{10 * time.Minute, true, true},
	} {
		if step.filled {
			m.points = points
		}
		if _, known := ask(task, now.Add(step.after)).Values["free_ratio_yesterday"]; known != step.known {
			t.Errorf("%s later, yesterday is known: %v, want %v", step.after, known, step.known)
		}
	}
}

// TestNewestReadsFurtherForALongerTask asks first for a task that looks back
// nine days.
func TestNewestReadsFurtherForALongerTask(t *testing.T) {
	t.Parallel()
	m, task := city(30), features.NetworkShortage()
	now, brief := lastAt(m.points), task
	brief.ClimatologyDays, brief.Target.WindowDays = 1, 1
	ask := asker(t, m)
	ask(brief, now)
	if got, want := ask(task, now).Values, asker(t, m)(task, now).Values; !maps.Equal(got, want) {
		t.Errorf("after a briefer task the row is %v, want %v", got, want)
	}
}

func TestNewestFollowsAClockThatGoesBack(t *testing.T) {
	t.Parallel()
	m, task := city(30), features.NetworkShortage()
	now := lastAt(m.points)
	ask := asker(t, m)
	ask(task, now)
	if back := now.Add(-2 * time.Hour); !ask(task, back).AsOf.Equal(back) {
		t.Errorf("at %s the row is of %s", back, ask(task, back).AsOf)
	}
}

// TestNewestSeesWhatComesWithinTheMinute stores what is new while the minute,
// and so the row, stays the same.
func TestNewestSeesWhatComesWithinTheMinute(t *testing.T) {
	t.Parallel()
	m, task := city(30), features.NetworkShortage()
	now := lastAt(m.points).Add(5 * time.Minute)
	ask := asker(t, m)
	ask(task, now)

	m.weather = append(m.weather, observation.Weather{At: now.Add(-time.Minute), Temperature: -3.5})
	if row := ask(task, now.Add(2*time.Second)); row.Values["temp_2m"] != -3.5 || !row.WeatherAt.Equal(now.Add(-time.Minute)) {
		t.Errorf("the temperature is %v, of %s", row.Values["temp_2m"], row.WeatherAt)
	}
	for i, at := range []time.Time{now.Add(-time.Minute), now.Add(3 * time.Second)} { // before the row's minute, and within
		m.points = append(m.points, observation.Totals{At: at, Stations: 50, FreeBikes: int32(7 + i), EmptySlots: 93})
		if row := ask(task, now.Add(time.Duration(4+2*i)*time.Second)); row.Values["free_bikes"] != float64(7+i) || !row.AsOf.Equal(at) {
			t.Errorf("%v bikes as of %s, want %d as of %s", row.Values["free_bikes"], row.AsOf, 7+i, at)
		}
	}
}

// TestNewestSeesTheFirstThatIsStored asks an empty store, to which then come a
// snapshot and weather of before the question.
func TestNewestSeesTheFirstThatIsStored(t *testing.T) {
	t.Parallel()
	m, task := city(30), features.NetworkShortage()
	now := lastAt(m.points).Add(5 * time.Minute)
	points := m.points
	m.points, m.weather = nil, nil
	clock := now
	live := NewLive(m, func() time.Time { return clock })
	if _, err := live.Newest(t.Context(), task, "here"); err == nil {
		t.Fatal("an empty store has a row")
	}
	m.points = points
	m.weather = []observation.Weather{{At: now.Add(-10 * time.Minute), Temperature: 4}}
	clock = now.Add(2 * time.Second)
	row, err := live.Newest(t.Context(), task, "here")
	if err != nil || !row.AsOf.Equal(lastAt(points)) || row.Values["temp_2m"] != 4 {
		t.Errorf("as of %s with %v °C: %v", row.AsOf, row.Values["temp_2m"], err)
	}
}

// TestNewestStandsToTheLastMinute is at the very edges of what bikes and
// weather stand for: 60 and 180 minutes.
func TestNewestStandsToTheLastMinute(t *testing.T) {
	t.Parallel()
	m, task := city(30), features.NetworkShortage()
	now := lastAt(m.points).Add(60 * time.Minute)
	m.weather = []observation.Weather{{At: now.Add(-180 * time.Minute), Temperature: 4}}
	row := asker(t, m)(task, now.Add(59*time.Second)) // a row is of its minute
	if row.Values["temp_2m"] != 4 || !row.WeatherAt.Equal(m.weather[0].At) || row.Values["free_bikes"] == 0 {
		t.Errorf("the row is %v, with weather of %s", row.Values, row.WeatherAt)
	}
	m.weather[0].At = m.weather[0].At.Add(-time.Second)
	row = asker(t, m)(task, now)
	if _, there := row.Values["temp_2m"]; there || !row.WeatherAt.IsZero() {
		t.Errorf("weather that is too old is in the row, of %s", row.WeatherAt)
	}
}
