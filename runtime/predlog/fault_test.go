package predlog

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"livelab/runtime/predlog/spool"
)

// odd is a store that does what it is told to, and then what a good one does.
type odd struct {
	fakeStore
	before func(call int, ps []Prediction) error
	after  func(call int) error
	made   int
}

func (o *odd) AddPredictions(ctx context.Context, ps []Prediction) error {
	o.made++
	if o.before != nil {
		if err := o.before(o.made, ps); err != nil {
			return err
		}
	}
	err := o.fakeStore.AddPredictions(ctx, ps)
	if err == nil && o.after != nil {
		err = o.after(o.made)
	}
	return err
}

// named adds predictions from-1 to to-1, in calls of one each.
func named(w *Writer, from, to int) {
	for i := from; i < to; i++ {
		w.Add([]Prediction{{ID: fmt.Sprintf("id %05d", i), At: time.Unix(int64(i), 0).UTC()}})
	}
}

// wantStored checks that exactly these predictions are stored.
func wantStored(t *testing.T, m *fakeStore, from, to int, without ...int) {
	t.Helper()
	m.mu.Lock()
	defer m.mu.Unlock()
	missing := 0
	for i := from; i < to; i++ {
		if _, ok := m.stored[fmt.Sprintf("id %05d", i)]; !ok && !slices.Contains(without, i) {
			missing++
		}
	}
	if missing > 0 || len(m.stored) != to-from-len(without) {
		t.Errorf("%d stored, want %d; %d are missing", len(m.stored), to-from-len(without), missing)
	}
}

func TestRefusedPredictionsAreLeftOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bad := []int{0, 777, 778, 999}
		var log strings.Builder
		o := &odd{before: func(_ int, ps []Prediction) error {
			for _, p := range ps {
				for _, i := range bad {
					if p.ID == fmt.Sprintf("id %05d", i) {
						return fmt.Errorf("add: %w: the probability is NaN", ErrRefused)
					}
				}
			}
			return nil
		}}
		w := setup(t, Config{Store: o, Spool: spool.Config{Dir: t.TempDir()}, Logger: slog.New(slog.NewTextHandler(&log, nil))})
		w.Start()
		named(w, 0, 1000)
		if err := w.Stop(within(time.Minute)); err != nil {
			t.Error(err)
		}
		wantStored(t, &o.fakeStore, 0, 1000, bad...)
		if n := dropped(w, dropRefused); n != 4 || dropped(w) != 4 {
			t.Errorf("%v refused of %v dropped, want 4", n, dropped(w))
		}
		if o.made > 150 {
			t.Errorf("%d offers to find four of a thousand", o.made)
		}
		if !strings.Contains(log.String(), "id 00000") {
			t.Errorf("the log does not name the first one:\n%s", &log)
		}
	})
}

// TestFailuresThatAreNone has a store that commits and then reports a failure,
// as one does whose answer is lost.
func TestFailuresThatAreNone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := &odd{after: func(call int) error {
			if call%2 == 1 {
				return errors.New("connection reset")
			}
			return nil
		}}
		w := setup(t, Config{Store: o, Batch: 10, Spool: spool.Config{Dir: t.TempDir()}})
		w.Start()
		named(w, 0, 100)
		time.Sleep(time.Minute)
		if err := w.Stop(within(time.Minute)); err != nil {
			t.Error(err)
		}
		wantStored(t, &o.fakeStore, 0, 100)
		if n := testutil.ToFloat64(w.metrics.written); n != 100 || dropped(w) != 0 {
			t.Errorf("%v counted as written and %v dropped", n, dropped(w))
		}
	})
}

// TestSlowStore takes a millisecond for each prediction, so that a whole batch
// takes longer than a write may.
func TestSlowStore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := &odd{before: func(_ int, ps []Prediction) error {
			if len(ps) > 300 {
				time.Sleep(time.Second)
				return fmt.Errorf("add: %w", context.DeadlineExceeded)
			}
			time.Sleep(time.Duration(len(ps)) * time.Millisecond)
			return nil
		}}
		w := setup(t, Config{Store: o, WriteTimeout: time.Second, Spool: spool.Config{Dir: t.TempDir()}})
		w.Start()
		named(w, 0, 3000)
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		wantStored(t, &o.fakeStore, 0, 3000)
		if err := w.Stop(within(time.Minute)); err != nil {
			t.Error(err)
		}
	})
}

// TestSpoolOutlivesStop stops while the store is away, and begins again.
func TestSpoolOutlivesStop(t *testing.T) {
	for name, m := range map[string]*fakeStore{"away": {away: true}, "hangs": {hang: true}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var log strings.Builder
				cfg := Config{Store: m, Spool: spool.Config{Dir: t.TempDir()}, Logger: slog.New(slog.NewTextHandler(&log, nil))}
				w := setup(t, cfg)
				named(w, 0, 5) // before Start, which nothing waits for
				w.Start()
				named(w, 5, 40)
				time.Sleep(time.Second)
				start := time.Now()
				if err := w.Stop(within(3 * time.Second)); err != nil {
					t.Errorf("nothing is lost, and yet: %v", err)
				}
				if took := time.Since(start); m.away && took > time.Second {
					t.Errorf("waited %v for a store that is away, with all in the spool", took)
				}
				if !strings.Contains(log.String(), "predictions=40") || dropped(w) != 0 {
					t.Errorf("%v dropped; log: %s", dropped(w), &log)
				}
				m.away, m.hang = false, false
				w = setup(t, cfg)
				if n := testutil.ToFloat64(w.metrics.written); n != 0 {
					t.Error(n)
				}
				w.Start()
				time.Sleep(time.Second)
				synctest.Wait()
				wantStored(t, m, 0, 40)
				if err := w.Stop(t.Context()); err != nil {
					t.Error(err)
				}
			})
		})
	}
}

// TestStopBeforeStartKeeps has what was added before a Start that never came.
func TestStopBeforeStartKeeps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &fakeStore{}
		cfg := Config{Store: m, Spool: spool.Config{Dir: t.TempDir()}}
		w := setup(t, cfg)
		named(w, 0, 3)
		if err := w.Stop(t.Context()); err != nil {
			t.Error(err)
		}
		w = setup(t, cfg)
		w.Start()
		if err := w.Stop(t.Context()); err != nil {
			t.Error(err)
		}
		wantStored(t, m, 0, 3)
	})
}

// TestHungDisk has a write that does not come back for a while.
func TestHungDisk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &fakeStore{}
		w := setup(t, Config{Store: m, Memory: 2000, Spool: spool.Config{Dir: t.TempDir()}})
		hung := make(chan struct{})
		w.commit.write = func(g *group) {
			<-hung
			w.writeGroup(g)
		}
		w.Start()
		start := time.Now()
		named(w, 0, 1)
		if took := time.Since(start); took != w.cfg.Wait/2 {
			t.Errorf("Add waited %v for a hung disk, want half of Wait", took)
		}
		named(w, 1, 10)
		if took := time.Since(start); took != w.cfg.Wait/2 {
			t.Errorf("the others waited, too: %v", took)
		}
		named(w, 10, 100) // more than memory holds
		if late := testutil.ToFloat64(w.metrics.late); late+dropped(w, dropMemory) != 100 || late < 10 || dropped(w) < 10 {
			t.Errorf("%v late and %v dropped of 100", late, dropped(w))
		}
		close(hung)
		time.Sleep(time.Second)
		named(w, 100, 101)
		synctest.Wait()
		late := testutil.ToFloat64(w.metrics.late)
		time.Sleep(time.Second)
		if err := w.Stop(t.Context()); err != nil {
			t.Error(err)
		}
		if m.count() != int(late)+1 {
			t.Errorf("%d stored, want the %v that were late and one", m.count(), late)
		}
	})
}

// TestHungDiskNowAndThen has the disk hang at any time after writes that went
// well: the time to wait is that of the write, whenever its watch was set.
func TestHungDiskNowAndThen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &fakeStore{}
		w := setup(t, Config{Store: m, Wait: 100 * time.Millisecond, Spool: spool.Config{Dir: t.TempDir()}})
		var hang atomic.Int64
		w.commit.write = func(g *group) {
			time.Sleep(time.Duration(hang.Load()))
			w.writeGroup(g)
		}
		w.Start()
		n := 0
		for _, quiet := range []time.Duration{0, 1, 30, 49, 50, 51, 80, 99, 100, 101, 3000} {
			named(w, n, n+1)
			time.Sleep(quiet * time.Millisecond)
			hang.Store(int64(time.Second))
			start := time.Now()
			named(w, n+1, n+2)
			if took := time.Since(start); took != 50*time.Millisecond {
				t.Errorf("%d ms after another write: Add waited %v for a hung disk, want half of Wait", quiet, took)
			}
			time.Sleep(time.Duration(hang.Load()))
			hang.Store(0)
			n += 2
		}
		if late := testutil.ToFloat64(w.metrics.late); late != float64(n/2) {
			t.Errorf("%v late, want every other of %d", late, n)
		}
		if err := w.Stop(t.Context()); err != nil || m.count() != n {
			t.Errorf("%d stored of %d, error %v", m.count(), n, err)
		}
	})
}

// TestStopLeavesAHungDisk ends although a write does not.
func TestStopLeavesAHungDisk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := setup(t, Config{Store: &fakeStore{}, Spool: spool.Config{Dir: t.TempDir()}})
		hung := make(chan struct{})
		w.commit.write = func(*group) { <-hung }
		w.Start()
		named(w, 0, 2)
		start := time.Now()
		if err := w.Stop(within(3 * time.Second)); err == nil || !strings.Contains(err.Error(), "2 predictions") {
			t.Errorf("error %v", err)
		}
		if took := time.Since(start); took > 5*time.Second {
			t.Errorf("took %v", took)
		}
		close(hung)
	})
}

func TestFullSpool(t *testing.T) {
	for _, full := range []spool.Policy{spool.DropOldest, spool.DropNewest} {
		t.Run(string(full), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := &fakeStore{away: true}
				var log strings.Builder
				w := setup(t, Config{
					Store: m, Logger: slog.New(slog.NewTextHandler(&log, nil)), Batch: 5,
					Spool: spool.Config{Dir: t.TempDir(), MaxBytes: 8000, Full: full},
				})
				w.Start()
				named(w, 0, 500)
				time.Sleep(time.Second)
				m.set(false)
				time.Sleep(10 * time.Second)
				synctest.Wait()
				lost := int(dropped(w, dropFull))
				if lost < 300 || dropped(w) != float64(lost) || m.count()+lost != 500 {
					t.Errorf("%d stored, %d and %v dropped of 500", m.count(), lost, dropped(w))
				}
				_, last := m.stored["id 00499"]
				if last != (full == spool.DropOldest) {
					t.Errorf("the newest is stored: %v", last)
				}
				if n := strings.Count(log.String(), "predictions are lost"); n != 1 {
					t.Errorf("said %d times that predictions are lost: %s", n, &log)
				}
				if err := w.Stop(t.Context()); err != nil {
					t.Error(err)
				}
			})
		})
	}
}

// TestSpoolThatCannotBeOpened has its folder in the place of another file, and
// in a folder that only comes later.
func TestSpoolThatCannotBeOpened(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	_, err := NewWriter(Config{Store: &fakeStore{}, Spool: spool.Config{Dir: file}})
	if err == nil || strings.Contains(err.Error(), "\n") || !strings.Contains(err.Error(), "not a directory") {
		t.Errorf("error %v", err)
	}
}

// TestSyncBeforeAnswer has each prediction on the disk when Add returns.
func TestSyncBeforeAnswer(t *testing.T) {
	t.Parallel()
	registry := prometheus.NewRegistry()
	w := setup(t, Config{Store: &fakeStore{}, Sync: -1, Wait: time.Minute, Spool: spool.Config{Dir: t.TempDir()}, Registerer: registry})
	w.Start()
	for n := 1; n <= 3; n++ {
		named(w, n, n+1)
		if syncs := samples(t, registry, "livelab_prediction_log_spool_sync_seconds"); syncs != uint64(n) {
			t.Errorf("%d syncs after %d predictions", syncs, n)
		}
	}
	if err := w.Stop(within(time.Minute)); err != nil {
		t.Error(err)
	}
}

// samples is how many values a histogram has seen.
func samples(t *testing.T, registry *prometheus.Registry, name string) uint64 {
	t.Helper()
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() == name {
			return f.GetMetric()[0].GetHistogram().GetSampleCount()
		}
	}
	t.Fatalf("no metric %s", name)
	return 0
}

// TestPrune removes what is too old at the start, and every hour.
func TestPrune(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &pruned{}
		w := setup(t, Config{Store: p, Keep: 24 * time.Hour})
		w.Start()
		start := time.Now()
		time.Sleep(2*time.Hour + time.Minute)
		if err := w.Stop(t.Context()); err != nil {
			t.Error(err)
		}
		want := []time.Time{start.Add(-24 * time.Hour), start.Add(-23 * time.Hour), start.Add(-22 * time.Hour)}
		if !slices.EqualFunc(p.before, want, time.Time.Equal) {
			t.Errorf("pruned before %v, want %v", p.before, want)
		}
	})
}

type pruned struct {
	fakeStore
	before []time.Time
}

func (p *pruned) PrunePredictions(_ context.Context, before time.Time) (int64, error) {
	p.before = append(p.before, before)
	return 0, errors.New("the store is away")
}
