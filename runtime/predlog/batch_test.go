package predlog

import (
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"livelab/runtime/predlog/spool"
)

// TestLargeBatches adds more at once than fits into memory, from several
// goroutines, on a disk and to a store that are well: none of it is lost.
func TestLargeBatches(t *testing.T) {
	t.Parallel()
	for name, cfg := range map[string]Config{
		"little memory":  {Memory: 20_000},
		"as by default":  {},
		"without a disk": {Spool: spool.Config{Dir: "none"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := &fakeStore{}
			cfg.Store, cfg.Rest, cfg.Wait = m, -1, time.Minute
			if cfg.Spool.Dir = t.TempDir(); name == "without a disk" {
				cfg.Spool.Dir, cfg.Memory = "", 32<<20
			}
			w := setup(t, cfg)
			w.Start()
			const clients, rounds, rows = 4, 2, 3000
			var all sync.WaitGroup
			for range clients {
				all.Go(func() {
					for range rounds {
						w.Add(slices.Repeat([]Prediction{sample()}, rows))
					}
				})
			}
			all.Wait()
			if err := w.Stop(within(time.Minute)); err != nil {
				t.Error(err)
			}
			if m.count() != clients*rounds*rows || dropped(w) > 0 || testutil.ToFloat64(w.metrics.late) > 0 {
				t.Errorf("%d stored of %d, %v dropped, %v late", m.count(), clients*rounds*rows, dropped(w), testutil.ToFloat64(w.metrics.late))
			}
		})
	}
}

// TestLargeBatchWhileTheDiskHangs fills memory with one call, and no more of
// it than it is to hold.
func TestLargeBatchWhileTheDiskHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const most = 3 << 20
		w := setup(t, Config{Store: &fakeStore{}, Memory: most})
		hung := make(chan struct{})
		w.commit.write = func(g *group) { <-hung; w.writeGroup(g) }
		w.Start()
		go w.Add([]Prediction{sample()}) // under way, and not long enough to be noticed
		synctest.Wait()
		start := time.Now()
		w.Add(slices.Repeat([]Prediction{sample()}, 20_000))
		if took := time.Since(start); took > w.cfg.Wait {
			t.Errorf("took %v", took)
		}
		synctest.Wait()
		late, lost := testutil.ToFloat64(w.metrics.late), dropped(w, dropMemory)
		if late+lost != 20_001 || lost == 0 || len(w.commit.current.frames) < most || len(w.commit.current.frames) > most+1000 {
			t.Errorf("%v late and %v lost of 20,001; %d bytes wait, want %d", late, lost, len(w.commit.current.frames), most)
		}
		close(hung)
		if err := w.Stop(within(time.Minute)); err != nil {
			t.Error(err)
		}
	})
}

// TestLargeBatchIntoASmallSpool keeps of one call what there is room for.
func TestLargeBatchIntoASmallSpool(t *testing.T) {
	t.Parallel()
	for _, full := range []spool.Policy{spool.DropOldest, spool.DropNewest} {
		const most = 200_000
		m := &fakeStore{away: true}
		w := setup(t, Config{Store: m, Wait: time.Minute, Spool: spool.Config{Dir: t.TempDir(), MaxBytes: most, Full: full}})
		w.Start()
		w.Add(slices.Repeat([]Prediction{sample()}, 2000))
		_, bytes := w.spool.Load().Waiting()
		if kept := 2000 - dropped(w, dropFull); bytes < most/2 || bytes > most || kept != float64(w.waiting()) || kept != 2000-dropped(w) {
			t.Errorf("%s: %v kept in %d bytes, %d wait", full, kept, bytes, w.waiting())
		}
		if err := w.Stop(within(time.Second)); err != nil {
			t.Error(err)
		}
	}
}
