package server

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"livelab/runtime/loader"
)

// repository has the models that the test puts in service, by version.
type repository struct {
	Repository // what the test does not use
	mu         sync.Mutex
	loaded     map[string]*loader.Loaded
}

func (r *repository) Find(name, version string) (*loader.Loaded, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if l := r.loaded[version]; l != nil && l.Model.Name == name {
		return l, nil
	}
	return nil, fmt.Errorf("%s version %q %w", name, version, loader.ErrNotLoaded)
}

func (r *repository) Unload(_ context.Context, _, version string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.loaded, version)
	return nil
}

func (m *servedModels) size() int {
	if all := m.all.Load(); all != nil {
		return len(*all)
	}
	return 0
}

func TestServedIsMadeOnce(t *testing.T) {
	s := setup(t)
	const goroutines = 8
	got := make([]*served, goroutines)
	var wg sync.WaitGroup
	for i := range goroutines {
		wg.Go(func() { got[i] = s.servedOf(s.models.current) })
	}
	wg.Wait()
	for _, v := range got {
		if v != got[0] || v.Loaded != s.models.current {
			t.Fatalf("the same model was prepared as %p and as %p", v, got[0])
		}
	}
	if n := testing.AllocsPerRun(100, func() { s.servedOf(s.models.current) }); n > 0 {
		t.Errorf("finding a prepared model takes %v allocations", n)
	}
}

// A server that reloads for years must not keep what it has served.
func TestServedForgetsWhatIsOutOfService(t *testing.T) {
	t.Parallel()
	r := &repository{loaded: make(map[string]*loader.Loaded)}
	s := setup(t, func(_ *Config, d *Deps) { d.Repository = r })
	beside := load(t, testModel(), "beside")
	r.loaded["beside"] = beside
	kept, first := s.servedOf(beside), s.servedOf(s.models.current)
	for i := range 20 {
		s.models.current = load(t, testModel(), fmt.Sprint("v", i+2))
		if s.servedOf(s.models.current) == first {
			t.Fatal("another model was prepared as the one before")
		}
		if n := s.prepared.size(); n > 2 {
			t.Fatalf("%d models are remembered after %d reloads, want those in service, 2", n, i+1)
		}
	}
	if s.servedOf(beside) != kept {
		t.Error("a model that stayed in service was prepared twice")
	}
	// A request that began before the model was unloaded goes on with it.
	if err := r.Unload(t.Context(), "", "beside"); err != nil {
		t.Fatal(err)
	}
	if s.servedOf(beside) != kept {
		t.Error("an unloaded model is forgotten under the hands of its last request")
	}
	s.models.current = load(t, testModel(), "last")
	s.servedOf(s.models.current)
	if n := s.prepared.size(); n != 1 {
		t.Errorf("%d models are remembered, want 1", n)
	}
}
