package dataset

import (
	"context"
	"errors"
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
		{"a clock that goes back", task, "here", 30 * time.Second, 7},
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
