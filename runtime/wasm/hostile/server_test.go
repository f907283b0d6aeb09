package hostile

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"livelab/runtime/wasm"
	. "livelab/runtime/wasm/wasmtest"
)

// TestServerGoesOn holds that a host to which all of the corpus is given keeps
// answering for a good transform, over HTTP and in batches.
func TestServerGoesOn(t *testing.T) {
	h := newHost(t, func(c *wasm.Config) { c.OnRowError = wasm.Missing })
	good := admit(t, h, Transform{Name: "good"}.Bytes())
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		out := []float64{0}
		if err := good.ApplyRow([]float64{1, 3}, out); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		fmt.Fprint(w, out[0])
	}))
	defer server.Close()
	done := make(chan struct{})
	var answered atomic.Int64
	var clients sync.WaitGroup
	clients.Go(func() {
		for !closed(done) {
			if err := asks(server.Client(), server.URL); err != nil {
				t.Error(err)
				return
			}
			answered.Add(1)
		}
	})
	clients.Go(func() {
		for !closed(done) {
			if err := batch(good); err != nil {
				t.Error(err)
				return
			}
			answered.Add(1)
		}
	})
	for _, s := range corpus() {
		before := answered.Load()
		if s.heavy {
			continue
		}
		assault(t, h, s)
		for answered.Load() == before && !t.Failed() { // at least once beside each
			runtime.Gosched()
		}
	}
	close(done)
	clients.Wait()
	t.Logf("%d answers meanwhile", answered.Load())
}

// assault gives a specimen to a host, and uses it where it is admitted.
func assault(t *testing.T, h *wasm.Host, s specimen) {
	tr, err := h.Admit(context.Background(), s.code(), nil)
	if err != nil {
		return
	}
	in, out := columns(len(tr.Spec().Inputs), 100), columns(len(tr.Spec().Outputs), 100)
	for i := range in[0] {
		in[0][i] = float64(i)
	}
	in[0][50] = trigger
	_ = tr.Apply(in, out)
	one := make([]float64, len(in))
	one[0] = trigger
	_ = tr.ApplyRow(one, make([]float64, len(out)))
}

func asks(c *http.Client, url string) error {
	r, err := c.Get(url)
	if err != nil {
		return err
	}
	defer r.Body.Close()
	text, err := io.ReadAll(r.Body)
	if err != nil || r.StatusCode != http.StatusOK || string(text) != "0.25" {
		return fmt.Errorf("status %d, %q, %v", r.StatusCode, text, err)
	}
	return nil
}

func batch(good *wasm.Transform) error {
	in, out := columns(2, 500), columns(1, 500)
	for i := range in[0] {
		in[0][i], in[1][i] = float64(i), 1
	}
	if err := good.Apply(in, out); err != nil {
		return err
	}
	for i, v := range out[0] {
		if want := float64(i) / float64(i+1); v != want {
			return fmt.Errorf("row %d is %v, want %v", i, v, want)
		}
	}
	return nil
}

func closed(done chan struct{}) bool {
	select {
	case <-done:
		return true
	default:
		return false
	}
}

// TestTrapsLeaveNothing holds that memory and goroutines do not pile up where
// every row traps, of an instance that has written to 256 KiB each time.
func TestTrapsLeaveNothing(t *testing.T) {
	const traps = 10_000
	h := newHost(t, func(c *wasm.Config) { c.OnRowError = wasm.Missing })
	tr := admit(t, h, Transform{
		MinPages: 64, Row: on(I32Const(scratch) + I32Const(1) + I32Const(4*page) + MemoryFill + Unreachable),
	}.Bytes())
	out := []float64{0}
	some := func(n int) {
		for range n {
			if err := tr.ApplyRow([]float64{trigger, 1}, out); err != nil {
				t.Fatal(err)
			}
		}
	}
	some(200)
	goroutines := runtime.NumGoroutine()
	before := startCost()
	some(traps)
	before.log(t)
	runtime.GC()
	if n := runtime.NumGoroutine(); n > goroutines {
		t.Errorf("%d goroutines, %d before", n, goroutines)
	}
	if more := before.more(); more > 24<<20 {
		t.Errorf("%d MiB more were resident", more>>20)
	}
	if s := tr.Stats(); s.Discards != traps+200 {
		t.Errorf("%d instances were lost", s.Discards)
	}
}

// TestHoardersShareMemory holds what instances that have all of their memory
// in use take together.
func TestHoardersShareMemory(t *testing.T) {
	const instances = 4
	h := newHost(t, func(c *wasm.Config) { c.OnRowError, c.Instances = wasm.Missing, instances })
	tr := admit(t, h, Transform{Locals: I32, MaxPages: NoMax, Row: In(0) + F64Const(trigger) + F64Eq + If(Empty, growAll(FirstLocal)) + friendly}.Bytes())
	before := startCost()
	in, out := columns(2, 4096*instances*2), columns(1, 4096*instances*2)
	for i := range in[0] {
		in[0][i] = trigger
	}
	if err := tr.Apply(in, out); err != nil && !strings.Contains(err.Error(), "failed") {
		t.Fatal(err)
	}
	before.log(t)
	if more := before.more(); more > (16*instances+16)<<20 {
		t.Errorf("%d MiB more were resident", more>>20)
	}
}
