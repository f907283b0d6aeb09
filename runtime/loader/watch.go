package loader

import (
	"context"
	"sync"
	"time"
)

// Watch looks at the registry every so often, until ctx ends, and loads what it
// names for the models that follow it: the default one, its challenger and
// those that were loaded without a version. What could not be loaded is tried
// again, see retrySoon; what was unloaded is left alone.
func (s *Set) Watch(ctx context.Context, every time.Duration) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	// Each has a goroutine of its own, as one that takes minutes to compile
	// must not keep the others from their news.
	var looking sync.WaitGroup
	defer looking.Wait()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		for _, l := range s.loaders() {
			looking.Go(func() { l.refresh(ctx) })
		}
	}
}

// loaders are all that there are.
func (s *Set) loaders() []*Loader {
	all := []*Loader{s.challenger}
	for _, on := range *s.shelves.Load() {
		all = append(all, on.all()...)
	}
	return all
}
