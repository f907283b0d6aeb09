package loader

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"livelab/pipeline/features"
	"livelab/pipeline/publish"
)

// Registry is where versions come from; *publish.Dir is one.
type Registry interface {
	Alias(ctx context.Context, model, alias string) (publish.Alias, error)
	Read(ctx context.Context, model, version string) (publish.Version, error)

	// Models and VersionNames list what there is without reading it.
	Models(ctx context.Context) ([]string, error)
	VersionNames(ctx context.Context, model string) ([]string, error)
}

var _ Registry = (*publish.Dir)(nil)

// Config says what a Loader loads.
type Config struct {
	Registry Registry
	Model    string // its name, e.g. "network-shortage"
	Alias    string // that is followed, default champion
	Version  string // that is held instead, whatever the alias says

	// Transforms gives those that a version's model may be bound to. Nil
	// offers none.
	Transforms func(context.Context, publish.Version) ([]features.Transform, error)

	// Accept says why a model that is whole may not serve all the same, such
	// as one of another city. Nil accepts every one.
	Accept func(*Loaded) error

	Logger *slog.Logger     // nil logs nothing
	Now    func() time.Time // nil is time.Now
}

// Loader holds one model in service: the version that an alias names, or one
// that never changes. It is safe for concurrent use.
type Loader struct {
	cfg     Config
	current atomic.Pointer[Loaded]
	failed  atomic.Pointer[Failure]
	turn    chan struct{} // held by the load under way
	last    attempt       // guarded by turn

	mu      sync.Mutex // guards what follows, and each change of current and failed
	out     bool       // taken out of service until somebody asks for it
	unloads int        // so that a load under way finds out that it comes too late

	loadedAt atomic.Int64 // Unix nanoseconds of the last load that went well
	failures atomic.Uint64
}

// Failure is why the last reload failed, or that the model was unloaded. It
// does not change once made.
type Failure struct {
	Version string    // that was to serve, or did; empty where the alias cannot be read
	Err     error     // wraps publish.ErrNotFound when nothing is published, ErrUnloaded when unloaded
	At      time.Time // UTC
}

// New makes a Loader that holds no model yet.
func New(cfg Config) (*Loader, error) {
	if cfg.Registry == nil || cfg.Model == "" {
		return nil, errors.New("loader: a registry and the name of a model are needed")
	}
	if cfg.Alias == "" {
		cfg.Alias = publish.Champion
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	return &Loader{cfg: cfg, turn: make(chan struct{}, 1)}, nil
}

// Current is the model in service, nil while there is none.
func (l *Loader) Current() *Loaded { return l.current.Load() }

// Failure of the last reload, nil where it went well and before the first one.
func (l *Loader) Failure() *Failure { return l.failed.Load() }

// Reload loads what the alias points to by now, also after an Unload. It says
// whether another model serves than before. Where it fails the one before
// serves on, and the error wraps publish.ErrNotFound when nothing is published.
// Reloads wait for each other.
func (l *Loader) Reload(ctx context.Context) (now Loaded, changed bool, err error) {
	if err := l.wait(ctx); err != nil {
		return Loaded{}, false, err
	}
	defer func() { <-l.turn }()
	l.mu.Lock()
	l.out = false
	unloads := l.unloads
	l.mu.Unlock()
	target, err := l.target(ctx)
	var next *Loaded
	if err == nil {
		next, err = l.load(ctx, target)
	}
	if err != nil {
		return Loaded{}, false, fmt.Errorf("reload %s: %w", l.cfg.Model, l.fail(ctx, unloads, target, err))
	}
	return l.swap(next, unloads)
}

// wait for the turn.
func (l *Loader) wait(ctx context.Context) error {
	select {
	case l.turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("wait for another reload: %w", ctx.Err())
	}
}

// swap puts a model that was proven into service. It fails where somebody took
// the model out of service meanwhile.
func (l *Loader) swap(next *Loaded, unloads int) (now Loaded, changed bool, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.unloads != unloads {
		return Loaded{}, false, fmt.Errorf("reload %s: meanwhile it %w", l.cfg.Model, ErrUnloaded)
	}
	l.failed.Store(nil)
	l.loadedAt.Store(l.cfg.Now().UnixNano())
	before := l.current.Load()
	changed = before == nil || before.Version != next.Version || before.Digest != next.Digest
	if !changed && before.Verdict == next.Verdict {
		return *before, false, nil
	}
	l.current.Store(next)
	if changed {
		l.cfg.Logger.Info("model in service", slog.String("model", l.cfg.Model),
			slog.String("version", next.Version), slog.String("digest", next.Digest), slog.String("as", l.role()))
		// A swap leaves more garbage than requests do in minutes: the files of
		// the version, and what was made to read them. Nobody waits for it.
		go debug.FreeOSMemory()
	}
	return *next, changed, nil
}

// fail keeps why a load failed. Who gave up waiting has not found out anything,
// and what was unloaded meanwhile stays that.
func (l *Loader) fail(ctx context.Context, unloads int, target publish.Step, err error) error {
	if ctx.Err() != nil {
		return err
	}
	// Before the first model, that there is none is no failure.
	if l.current.Load() != nil || !errors.Is(err, publish.ErrNotFound) {
		l.failures.Add(1)
	}
	if l.failed.Load() == nil {
		l.last = attempt{}
	}
	l.last = l.last.then(target, l.cfg.Now(), err)
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.unloads == unloads {
		l.failed.Store(&Failure{Version: target.Version, Err: err, At: l.cfg.Now().UTC()})
	}
	return err
}

// Unload takes the model out of service, also one that a load under way is
// about to bring. It stays out until somebody asks for it by Reload. The error
// is ErrNotLoaded where there was none.
func (l *Loader) Unload() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.out {
		return fmt.Errorf("%s %w", l.cfg.Model, ErrNotLoaded)
	}
	l.out = true
	l.unloads++
	f := &Failure{Version: l.cfg.Version, Err: ErrUnloaded, At: l.cfg.Now().UTC()}
	if before := l.current.Swap(nil); before != nil {
		f.Version = before.Version
	}
	l.failed.Store(f)
	l.cfg.Logger.Warn("model taken out of service", slog.String("model", l.cfg.Model),
		slog.String("version", f.Version), slog.String("as", l.role()))
	go debug.FreeOSMemory()
	return nil
}

// role is what the model is in service for.
func (l *Loader) role() string {
	if l.cfg.Version != "" {
		return "pinned"
	}
	return l.cfg.Alias
}
