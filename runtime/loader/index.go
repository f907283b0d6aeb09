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

// Entry is a line of the list of all that could serve.
type Entry struct {
	Name, Version string
	Ready         bool
	Reason        string // why it is not ready, empty where nobody asked for it
}

// Index lists every version of every model, in the registry or in service, by
// name, the newest version first. It looks into no version: one that nobody
// asked for may turn out to be broken.
func (s *Set) Index(ctx context.Context) ([]Entry, error) {
	versions, err := s.versions(ctx)
	if err != nil {
		return nil, fmt.Errorf("list what can be served: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	shelves := *s.shelves.Load()
	for name, on := range shelves {
		if now := on.all(); len(now) > 0 {
			versions[name] = withLoaded(versions[name], now)
		}
	}
	var list []Entry
	for _, name := range slices.Sorted(maps.Keys(versions)) {
		for _, version := range versions[name] {
			list = append(list, s.entry(shelves[name], reference{name, version}))
		}
	}
	maps.DeleteFunc(s.reasons, func(r reference, _ string) bool { return !slices.Contains(versions[r.name], r.version) })
	return list, nil
}

// versions of all models in the registry.
func (s *Set) versions(ctx context.Context) (map[string][]string, error) {
	names, err := s.cfg.Registry.Models(ctx)
	if err != nil {
		return nil, err
	}
	versions := make(map[string][]string)
	for _, name := range names {
		if versions[name], err = s.cfg.Registry.VersionNames(ctx, name); err != nil {
			return nil, err
		}
	}
	return versions, nil
}

// withLoaded adds what is in service although the registry lost it.
func withLoaded(versions []string, loaders []*Loader) []string {
	for _, l := range loaders {
		if now := l.Current(); now != nil {
			versions = append(versions, now.Version)
		}
	}
	slices.SortFunc(versions, func(a, b string) int { return strings.Compare(b, a) })
	return slices.Compact(versions)
}

// entry of a version. The caller holds the lock.
func (s *Set) entry(on shelf, r reference) Entry {
	e := Entry{Name: r.name, Version: r.version, Ready: on.find(r.version) != nil}
	if e.Ready {
		return e
	}
	e.Reason = s.reasons[r]
	for _, l := range on.all() {
		if f := l.Failure(); f != nil && f.Version == r.version && !errors.Is(f.Err, publish.ErrNotFound) {
			e.Reason = f.Err.Error()
		}
	}
	return e
}
