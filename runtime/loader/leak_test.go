package loader

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"livelab/pipeline/features"
	"livelab/pipeline/model"
	"livelab/pipeline/publish"
	"livelab/runtime/wasm"
	w "livelab/runtime/wasm/wasmtest"
)

// TestMain lets the host of transforms compile in processes of its own.
func TestMain(m *testing.M) {
	wasm.CompileIfChild()
	os.Exit(m.Run())
}

// held is what a process holds on to.
type held struct {
	transforms, goroutines int
	heap, resident         int64 // bytes; resident 0 where it cannot be told
}

func measure(host *wasm.Host) held {
	var m runtime.MemStats
	for range 3 { // cleanups run after one collection, what they free goes with the next
		debug.FreeOSMemory()
		time.Sleep(10 * time.Millisecond)
	}
	runtime.ReadMemStats(&m)
	h := held{testutil.CollectAndCount(host, "livelab_transform_rows_total"), runtime.NumGoroutine(), int64(m.HeapAlloc), 0}
	var pages int64
	if b, err := os.ReadFile("/proc/self/statm"); err == nil {
		if _, err := fmt.Sscan(strings.Fields(string(b))[1], &pages); err == nil {
			h.resident = pages * int64(os.Getpagesize())
		}
	}
	return h
}

// TestReloadsLeakNothing swaps models with transforms of their own 200 times.
// What was replaced must be let go of, its instances' memory included. It is
// not parallel to others, whose memory it would take for its own.
func TestReloadsLeakNothing(t *testing.T) {
	host, err := wasm.New(t.Context(), wasm.Config{CacheFolder: t.TempDir(), Columns: func(string) bool { return true }})
	if err != nil {
		t.Fatal(err)
	}
	defer host.Close()
	r := newRegistry(t)
	var versions []string
	const kinds = 4
	for i := range kinds {
		versions = append(versions, r.addWithTransform(t, host, i))
	}
	s := newSet(t, r, func(c *SetConfig) {
		c.Transforms = func(ctx context.Context, v publish.Version) ([]features.Transform, error) {
			m, err := model.Decode(v.Files[model.ModelFile])
			if err != nil {
				return nil, err
			}
			pinned := m.Transforms[0]
			tr, err := host.Admit(ctx, v.Files[model.TransformFile(pinned.Digest)], &pinned.Budget)
			return []features.Transform{tr}, err
		}
	})
	reload := func(n int) {
		for i := range n {
			r.promote(t, versions[i%kinds])
			if _, changed, err := s.Reload(t.Context()); err != nil || !changed && n > 1 && i > 0 {
				t.Fatalf("reload %d: changed %v, error %v", i, changed, err)
			}
			if i%5 == 0 {
				load(t, s, name, versions[(i+1)%kinds])
				unload(t, s, name, versions[(i+1)%kinds])
			}
		}
	}
	reload(20)
	before := measure(host)
	reload(200)
	after := measure(host)
	// A swap gives memory back beside the way; the last one may still do so.
	for deadline := time.Now().Add(30 * time.Second); after.goroutines > before.goroutines && time.Now().Before(deadline); {
		time.Sleep(20 * time.Millisecond)
		after = measure(host)
	}
	t.Logf("before %+v, after %+v", before, after)
	if after.transforms != 1 {
		t.Errorf("%d transforms are held, want that of the model in service", after.transforms)
	}
	if after.goroutines > before.goroutines {
		t.Errorf("%d goroutines, were %d", after.goroutines, before.goroutines)
	}
	const slack = 4 << 20 // 200 models of one instance each take some 50 MiB
	if after.heap > before.heap+slack || after.resident > before.resident+4*slack {
		t.Errorf("the heap went from %d to %d bytes, resident memory from %d to %d", before.heap, after.heap, before.resident, after.resident)
	}
	x, p := make([]float64, 2), s.Current().Predictor
	if err := p.Vector(x, make([]float64, len(p.Columns()))); err != nil {
		t.Error(err)
	}
}

// addWithTransform keeps a version whose model has a transform that no other
// has.
func (r *registry) addWithTransform(t *testing.T, host *wasm.Host, n int) string {
	t.Helper()
	code := w.Transform{Inputs: []string{"free_bikes", "empty_slots"}, Version: fmt.Sprint("1.0.", n)}.Bytes()
	tr, err := host.Admit(t.Context(), code, nil)
	if err != nil {
		t.Fatal(err)
	}
	spec := tr.Spec()
	m := testModel(float64(n))
	m.Inputs = append(m.Inputs, model.Input{Name: spec.Name + "." + spec.Outputs[0], Mean: 0.4, Scale: 0.1, Weight: 1, Optional: true})
	m.Transforms = []features.TransformSpec{spec}
	return r.addCode(t, m, code)
}
