package predlog

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
)

// fakeStore is a store that can be away, or hang until its context ends.
type fakeStore struct {
	mu      sync.Mutex
	stored  map[string]Prediction
	batches []int
	away    bool
	hang    bool
	calls   int
}

func (m *fakeStore) AddPredictions(ctx context.Context, ps []Prediction) error {
	m.mu.Lock()
	m.calls++
	hang := m.hang
	m.mu.Unlock()
	if hang {
		<-ctx.Done()
		return ctx.Err()
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.away {
		return errors.New("connection refused")
	}
	if m.stored == nil {
		m.stored = make(map[string]Prediction)
	}
	m.batches = append(m.batches, len(ps))
	for _, p := range ps {
		m.stored[p.ID] = p
	}
	return nil
}

func (m *fakeStore) PrunePredictions(context.Context, time.Time) (int64, error) { return 0, nil }

func (m *fakeStore) RecentPredictions(context.Context, int) ([]Prediction, error) { return nil, nil }

func (m *fakeStore) set(away bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.away = away
}

func (m *fakeStore) count() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.stored)
}

func setup(t testing.TB, cfg Config) *Writer {
	t.Helper()
	w, err := NewWriter(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func add(w *Writer, n int) {
	for range n {
		w.Add([]Prediction{{Model: "network-shortage"}})
	}
}

// dropped is how many predictions were dropped for any of the reasons, or all.
func dropped(w *Writer, reasons ...string) (n float64) {
	if len(reasons) == 0 {
		reasons = []string{dropFull, dropMemory, dropTooLong, dropRefused, dropDamaged, dropStopped}
	}
	for _, reason := range reasons {
		n += testutil.ToFloat64(w.metrics.dropped.WithLabelValues(reason))
	}
	return n
}

func within(d time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), d)
	context.AfterFunc(ctx, cancel)
	return ctx
}

func TestWriterStoresInBatches(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &fakeStore{}
		w := setup(t, Config{Store: m, Batch: 500})
		w.Start()
		w.Start()
		add(w, 1200)
		synctest.Wait()
		if got := m.count(); got != 1000 {
			t.Errorf("%d stored before the interval ended, want the 1000 of two full batches", got)
		}
		time.Sleep(200 * time.Millisecond)
		synctest.Wait()
		if want := []int{500, 500, 200}; !slices.Equal(m.batches, want) {
			t.Errorf("batches of %v, want %v", m.batches, want)
		}
		if err := w.Stop(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

func TestWriterStopFlushes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &fakeStore{}
		w := setup(t, Config{Store: m, Batch: 10})
		w.Start()
		add(w, 95)
		for range 2 {
			if err := w.Stop(within(time.Second)); err != nil {
				t.Error(err)
			}
		}
		if got := m.count(); got != 95 {
			t.Errorf("%d stored, want 95", got)
		}
		w.Add([]Prediction{{}})
		if got := dropped(w); got != 1 {
			t.Errorf("%v counted as dropped after Stop, want 1", got)
		}
	})
}

func TestWriterOutlivesAnAwayStore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &fakeStore{away: true}
		w := setup(t, Config{Store: m})
		w.Start()
		add(w, 7)
		time.Sleep(time.Minute)
		synctest.Wait()
		if m.calls < 10 || m.calls > 25 {
			t.Errorf("%d attempts in a minute, want about 5 quick ones and then one each 5 s", m.calls)
		}
		m.set(false)
		time.Sleep(6 * time.Second)
		synctest.Wait()
		if got := m.count(); got != 7 {
			t.Errorf("%d stored after the store came back, want 7", got)
		}
		if err := w.Stop(within(time.Second)); err != nil {
			t.Error(err)
		}
	})
}

func TestWriterStopEndsWithItsDeadline(t *testing.T) {
	for name, m := range map[string]*fakeStore{
		"store away":  {away: true},
		"store hangs": {hang: true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := setup(t, Config{Store: m, Batch: 5})
				w.Start()
				add(w, 12)
				start := time.Now()
				err := w.Stop(within(3 * time.Second))
				if err == nil || !strings.Contains(err.Error(), "12 predictions") {
					t.Errorf("error %v, want it to say that 12 were lost", err)
				}
				if took := time.Since(start); took > 4*time.Second {
					t.Errorf("stop took %v with a deadline of 3s", took)
				}
				if got := dropped(w); got != 12 {
					t.Errorf("%v counted as dropped, want 12", got)
				}
			})
		})
	}
}

func TestWriterStopBeforeStart(t *testing.T) {
	w := setup(t, Config{Store: &fakeStore{}})
	if err := w.Stop(t.Context()); err != nil {
		t.Error(err)
	}
	w.Start()
	if err := w.Stop(t.Context()); err != nil {
		t.Error(err)
	}
}

// Every prediction is either stored or counted as dropped, whatever the order
// of adding and stopping.
func TestWriterAccountsForEach(t *testing.T) {
	t.Parallel()
	m := &fakeStore{}
	w := setup(t, Config{Store: m, Batch: 16, Interval: time.Millisecond})
	w.Start()
	var adders sync.WaitGroup
	for range 8 {
		adders.Go(func() { add(w, 500) })
	}
	if err := w.Stop(within(10 * time.Second)); err != nil {
		t.Error(err)
	}
	adders.Wait()
	if stored, dropped := m.count(), dropped(w); stored+int(dropped) != 4000 {
		t.Errorf("%d stored and %v dropped, want 4000 together", stored, dropped)
	}
}

func TestConfigIsChecked(t *testing.T) {
	t.Parallel()
	for name, cfg := range map[string]Config{
		"no store":        {},
		"negative memory": {Store: &fakeStore{}, Memory: -1},
		"negative batch":  {Store: &fakeStore{}, Batch: -1},
		"backoff reverse": {Store: &fakeStore{}, MinBackoff: time.Minute, MaxBackoff: time.Second},
	} {
		if _, err := NewWriter(cfg); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func TestMetricsAreWellNamed(t *testing.T) {
	t.Parallel()
	r := prometheus.NewPedanticRegistry()
	setup(t, Config{Store: &fakeStore{}, Registerer: r})
	problems, err := testutil.GatherAndLint(r)
	if err != nil || len(problems) > 0 {
		t.Errorf("problems %v, error %v", problems, err)
	}
	if _, err := NewWriter(Config{Store: &fakeStore{}, Registerer: r}); err == nil {
		t.Error("registered twice without an error")
	}
}

func TestIDsAreSorted(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 5, 11, 6, 24, 19, 678_388_000, time.UTC)
	if got, want := newID(ticks(at))[:18], "019e15b5-3cde-7635"; got != want {
		t.Errorf("the ID of %v begins with %s, want %s", at, got, want)
	}
	last := ""
	for range 100 {
		batch := make([]Prediction, 3)
		batch[1].ID = "kept"
		identify(batch, at)
		for _, p := range []Prediction{batch[0], batch[2]} {
			id := uuid.MustParse(p.ID)
			if id.Version() != 7 || id.Variant() != uuid.RFC4122 || p.ID <= last {
				t.Fatalf("ID %s of version %d and variant %s after %s", id, id.Version(), id.Variant(), last)
			}
			last = p.ID
		}
		if batch[1].ID != "kept" {
			t.Fatalf("an ID that was there became %s", batch[1].ID)
		}
		at = at.Add(time.Microsecond)
	}
}
