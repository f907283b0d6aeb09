package loader

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"livelab/pipeline/publish"
)

// change stores another shelf for a model; none where it is empty. The caller
// holds the lock.
func (s *Set) change(name string, on shelf) {
	next := maps.Clone(*s.shelves.Load())
	if next[name] = on; on.follows == nil && len(on.pinned) == 0 {
		delete(next, name)
	}
	s.shelves.Store(&next)
}

// put a loader onto its shelf, unless another was faster. The caller holds the
// lock.
func (s *Set) put(r reference, l *Loader) {
	on := (*s.shelves.Load())[r.name]
	switch {
	case on.loader(r.version) != nil:
		return
	case r.version == "":
		on.follows = l
	default:
		on.pinned = append(slices.Clone(on.pinned), l)
		slices.SortFunc(on.pinned, func(a, b *Loader) int { return strings.Compare(b.cfg.Version, a.cfg.Version) })
	}
	s.change(r.name, on)
}

// reserve finds the loader for a reference, or makes a fresh one that is not on
// a shelf yet and counts as loading.
func (s *Set) reserve(r reference) (l *Loader, fresh bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if l := (*s.shelves.Load())[r.name].loader(r.version); l != nil {
		return l, false, nil
	}
	taken := s.loading
	for _, on := range *s.shelves.Load() {
		taken += len(on.all())
	}
	if taken >= s.cfg.MaxLoaded {
		return nil, false, fmt.Errorf("%w: %d models and versions are in service or on their way, which is all that may be at once; unload one first, or raise the bound", ErrFull, taken)
	}
	cfg := s.cfg.Config
	cfg.Model, cfg.Alias, cfg.Version = r.name, publish.Champion, r.version
	if l, err = New(cfg); err != nil {
		return nil, false, err
	}
	s.loading++
	return l, true, nil
}

// Load puts a model in service: with a version that very one, beside what is
// there already; else what its champion is from now on. What is in service
// already is read again. The error wraps publish.ErrNotFound where there is
// none in the registry, ErrFull where no more may be loaded.
func (s *Set) Load(ctx context.Context, name, version string) (Loaded, error) {
	return s.load(ctx, reference{name, version}, false)
}

// Keep is Load for who wants a model as soon as it can be had: what cannot be
// loaded now is tried again by Watch.
func (s *Set) Keep(ctx context.Context, name, version string) (Loaded, error) {
	return s.load(ctx, reference{name, version}, true)
}

func (s *Set) load(ctx context.Context, r reference, anyway bool) (Loaded, error) {
	l, fresh, err := s.reserve(r)
	if err != nil {
		return Loaded{}, fmt.Errorf("load %v: %w", r, err)
	}
	now, _, err := l.Reload(ctx)
	s.mu.Lock()
	defer s.mu.Unlock()
	if fresh {
		s.loading--
	}
	if err == nil || anyway {
		s.put(r, l)
	}
	if err == nil {
		delete(s.reasons, reference{r.name, now.Version})
		return now, nil
	}
	if f := l.Failure(); f != nil && f.Version != "" && !errors.Is(f.Err, publish.ErrNotFound) {
		s.reasons[reference{r.name, f.Version}] = f.Err.Error()
	}
	return Loaded{}, err
}

// Unload takes a model with all its versions out of service or, with a version,
// that one alone: the one that was loaded by its version where there is, so that
// a champion which is the same goes on serving, else the champion. Requests that
// have it go on with it. The default model, once it follows its alias no more,
// stays out of service until Load or Reload. The error wraps ErrNotLoaded.
func (s *Set) Unload(ctx context.Context, name, version string) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("unload %v: %w", reference{name, version}, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	on := (*s.shelves.Load())[name]
	found := false
	var kept shelf
	for _, l := range on.all() {
		if version != "" && l != on.named(version) {
			kept.keep(l)
			continue
		}
		now := l.Current()
		err := l.Unload()
		found = found || err == nil
		if now != nil {
			s.reasons[reference{name, now.Version}] = ErrUnloaded.Error()
		}
		if l == s.main { // which has its place, and is asked why it does not serve
			kept.keep(l)
		}
	}
	if !found {
		return fmt.Errorf("unload: %v %w", reference{name, version}, ErrNotLoaded)
	}
	s.change(name, kept)
	return nil
}

// named is who goes when a version is unloaded, nil where it is not in service.
func (on shelf) named(version string) *Loader {
	if l := on.loader(version); l != nil {
		return l
	}
	if on.follows != nil {
		if now := on.follows.Current(); now != nil && now.Version == version {
			return on.follows
		}
	}
	return nil
}

func (on *shelf) keep(l *Loader) {
	if l.cfg.Version == "" {
		on.follows = l
	} else {
		on.pinned = append(on.pinned, l)
	}
}
