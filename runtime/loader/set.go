package loader

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"

	"livelab/pipeline/publish"
)

// SetConfig says what a Set loads.
type SetConfig struct {
	// Config is of the default model, and of the others but for the names of
	// model, alias and version. Its Version must be empty.
	Config

	// MaxLoaded is how many models and versions may be in service at once,
	// since each takes memory: the default model is one of them, a challenger
	// is not. Default 16.
	MaxLoaded int
}

// Set holds several models in service, and several versions of each. One model
// is the default: it follows its alias from the start, and has a challenger
// where the registry names one. Others come by Load. It is safe for concurrent
// use.
type Set struct {
	cfg        SetConfig
	main       *Loader
	challenger *Loader

	// shelves has the models by name. Neither the map nor a shelf changes once
	// stored, so that Find takes no lock.
	shelves atomic.Pointer[map[string]shelf]

	mu      sync.Mutex // guards what follows, and each change of shelves
	loading int        // that have a place and are not on a shelf yet
	reasons map[reference]string
}

// shelf has what is in service, or is to be, of one model.
type shelf struct {
	follows *Loader   // nil where the model follows no alias
	pinned  []*Loader // the newest version first
}

// reference names a version, or with an empty one what a model's alias names.
type reference struct{ name, version string }

func (r reference) String() string { return strings.TrimSpace(r.name + " " + r.version) }

// NewSet makes a Set that holds no model yet: Reload brings the first.
func NewSet(cfg SetConfig) (*Set, error) {
	cfg.MaxLoaded = cmp.Or(cfg.MaxLoaded, 16)
	if cfg.Version != "" || cfg.MaxLoaded < 1 {
		return nil, fmt.Errorf("loader: a default model held at %q and at most %d models: leave the version out, and let at least one be loaded", cfg.Version, cfg.MaxLoaded)
	}
	main, err := New(cfg.Config)
	if err != nil {
		return nil, err
	}
	cfg.Config = main.cfg // with its defaults
	s := &Set{cfg: cfg, main: main, reasons: make(map[reference]string)}
	challenger := cfg.Config
	challenger.Alias = publish.Challenger
	if s.challenger, err = New(challenger); err != nil {
		return nil, err
	}
	s.shelves.Store(&map[string]shelf{cfg.Model: {follows: main}})
	return s, nil
}

// Current is the default model in service, nil while there is none.
func (s *Set) Current() *Loaded { return s.main.Current() }

// Failure of the default model's last reload, nil where it went well.
func (s *Set) Failure() *Failure { return s.main.Failure() }

// Challenger of the default model, nil while there is none.
func (s *Set) Challenger() *Loaded { return s.challenger.Current() }

// Reload has the default model follow its alias, see Loader.Reload, and looks
// after its challenger.
func (s *Set) Reload(ctx context.Context) (now Loaded, changed bool, err error) {
	now, changed, err = s.main.Reload(ctx)
	s.challenger.refresh(ctx)
	return now, changed, err
}

// Refresh is Reload for who was not asked to: it leaves the default model alone
// where that was unloaded, and what failed lately. It wraps ErrUnloaded then,
// or why the last load failed.
func (s *Set) Refresh(ctx context.Context) error {
	return s.main.refreshNow(ctx)
}

// RefreshModel is Refresh for a model beside the default one. It wraps
// ErrUnloaded where the model does not follow its alias any more.
func (s *Set) RefreshModel(ctx context.Context, name string) error {
	l := (*s.shelves.Load())[name].follows
	if l == nil {
		return fmt.Errorf("reload %s: it %w", name, ErrUnloaded)
	}
	return l.refreshNow(ctx)
}

// Find gives a model in service. An empty version stands for the one that its
// champion is or, where the model follows none, the newest. The error wraps
// ErrNotLoaded.
func (s *Set) Find(name, version string) (*Loaded, error) {
	on := (*s.shelves.Load())[name]
	if found := on.find(version); found != nil {
		return found, nil
	}
	return nil, fmt.Errorf("%v %w", reference{name, version}, ErrNotLoaded)
}

func (on shelf) find(version string) *Loaded {
	if on.follows != nil {
		if now := on.follows.Current(); now != nil && (version == "" || now.Version == version) {
			return now
		}
	}
	for _, l := range on.pinned {
		if version != "" && l.cfg.Version != version {
			continue
		}
		if now := l.Current(); now != nil {
			return now
		}
	}
	return nil
}

// loader gives the one that is there for a reference.
func (on shelf) loader(version string) *Loader {
	if version == "" {
		return on.follows
	}
	for _, l := range on.pinned {
		if l.cfg.Version == version {
			return l
		}
	}
	return nil
}

// all loaders of the shelf.
func (on shelf) all() []*Loader {
	if on.follows == nil {
		return on.pinned
	}
	return append([]*Loader{on.follows}, on.pinned...)
}
