package wasm

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"testing"
	"time"

	"livelab/pipeline/features"
	w "livelab/runtime/wasm/wasmtest"
)

func TestAdmitGivesTheSameTransform(t *testing.T) {
	t.Parallel()
	h := newHost(t, nil)
	code := w.Transform{}.Bytes()
	var all sync.WaitGroup
	got := make([]*Transform, 8)
	for i := range got {
		all.Go(func() { got[i] = admit(t, h, code) })
	}
	all.Wait()
	for _, tr := range got {
		if tr != got[0] {
			t.Fatal("the same module was admitted twice")
		}
	}
	other, err := h.Admit(context.Background(), code, &features.Budget{Call: 1 << 20, Row: 1 << 10, Pages: 32})
	if err != nil || other == got[0] || other.Spec().Budget.Call != 1<<20 {
		t.Errorf("with another budget got %+v, %v", other.Spec(), err)
	}
	if _, err := h.Admit(context.Background(), code, &features.Budget{}); err == nil {
		t.Error("a budget of nothing was taken")
	}
	code[0] = 'x'
	if got[0].Code()[0] == 'x' {
		t.Error("the transform's code is the caller's")
	}
}

// Memory is part of the budget, so that a model has the same at training and
// where it serves, whatever is configured there.
func TestBudgetOfMemory(t *testing.T) {
	t.Parallel()
	h := newHost(t, func(c *Config) { c.Budget.Pages = 16 })
	grows := w.Transform{Row: w.MemorySize + w.I32Const(20) + w.I32LtU + w.If(w.Empty,
		w.I32Const(20), w.MemoryGrow, w.I32Const(-1), w.I32Eq, w.If(w.Empty, w.Unreachable)) + w.Out(0, w.In(1))}.Bytes()
	for _, code := range [][]byte{grows, w.Transform{MinPages: 20}.Bytes()} {
		if _, err := h.Admit(t.Context(), code, nil); err == nil {
			t.Error("20 pages were had in 16")
		}
		tr, err := h.Admit(t.Context(), code, &features.Budget{Call: 1 << 24, Row: 1 << 10, Pages: 64})
		if err != nil || tr.Spec().Budget.Pages != 64 {
			t.Errorf("with 64 pages: %v", err)
		}
	}
}

func TestClose(t *testing.T) {
	t.Parallel()
	h := newHost(t, nil)
	tr := admit(t, h, w.Transform{}.Bytes())
	stop := make(chan struct{})
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			in, out := columns(2, 5000), columns(1, 5000)
			for {
				// Looked at before the call: one that began before Close may
				// end well after it.
				closed := false
				select {
				case <-stop:
					closed = true
				default:
				}
				err := tr.Apply(in, out)
				if err == nil && !closed {
					continue
				}
				if !errors.Is(err, ErrClosed) {
					t.Errorf("Apply says %v, called after Close: %v", err, closed)
				}
				return
			}
		})
	}
	for range 2 {
		if err := h.Close(); err != nil {
			t.Error(err)
		}
	}
	close(stop)
	all.Wait()
	if err := tr.ApplyRow([]float64{1, 2}, []float64{0}); !errors.Is(err, ErrClosed) {
		t.Errorf("ApplyRow after Close says %v", err)
	}
	if _, err := h.Admit(context.Background(), w.Transform{}.Bytes(), nil); !errors.Is(err, ErrClosed) {
		t.Errorf("Admit after Close says %v", err)
	}
	if r := h.Check(context.Background(), w.Transform{}.Bytes()); r.Accepted || r.Err() == nil {
		t.Errorf("Check after Close says %+v", r)
	}
}

func TestCloseWaitsForCalls(t *testing.T) {
	t.Parallel()
	h := newHost(t, nil)
	tr := admit(t, h, w.Transform{}.Bytes())
	g, err := tr.core.pool.take()
	if err != nil {
		t.Fatal(err)
	}
	closed := make(chan error)
	go func() { closed <- h.Close() }()
	for !func() bool { tr.core.pool.mu.Lock(); defer tr.core.pool.mu.Unlock(); return tr.core.pool.closed }() {
		time.Sleep(time.Millisecond)
	}
	out := []float64{0}
	if o := tr.core.judge.callRow(g, []float64{1, 3}, out); o.failed || out[0] != 0.25 {
		t.Errorf("got %v, %+v", out, o)
	}
	select {
	case <-closed:
		t.Error("Close did not wait for a call")
	default:
	}
	tr.core.pool.put(g)
	if err := <-closed; err != nil {
		t.Error(err)
	}
}

func TestWhatNobodyHoldsIsClosed(t *testing.T) {
	t.Parallel()
	h := newHost(t, nil)
	tr := admit(t, h, w.Transform{}.Bytes())
	core := tr.core
	runtime.KeepAlive(tr)
	tr = nil
	held := func() int {
		h.mu.Lock()
		defer h.mu.Unlock()
		return len(h.cores)
	}
	for i := 0; held() > 0 && i < 1000; i++ {
		runtime.GC()
		time.Sleep(time.Millisecond)
	}
	if held() > 0 {
		t.Fatal("it is kept")
	}
	for i := 0; i < 1000; i++ {
		if _, err := core.pool.take(); errors.Is(err, ErrClosed) {
			return
		}
		time.Sleep(time.Millisecond)
	}
	t.Error("its instances are not closed")
}

func TestAdmitHeedsItsContext(t *testing.T) {
	t.Parallel()
	h := newHost(t, nil)
	h.turn <- struct{}{}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := h.Admit(ctx, w.Transform{}.Bytes(), nil); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	<-h.turn
	admit(t, h, w.Transform{}.Bytes())
}

func TestConfigRefuses(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*Config){
		"memory":    func(c *Config) { c.Budget.Pages = 2000 },
		"instances": func(c *Config) { c.Instances = -1 },
		"policy":    func(c *Config) { c.OnRowError = "ignore" },
		"budget":    func(c *Config) { c.Budget.Row = -1 },
		"stack":     func(c *Config) { c.Stack = 1 << 30 },
	} {
		cfg := Config{CacheFolder: t.TempDir()}
		change(&cfg)
		if _, err := New(context.Background(), cfg); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
