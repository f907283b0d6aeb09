package loader

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync/atomic"
	"time"

	"livelab/pipeline/features"
	"livelab/pipeline/publish"
)

// Registry is where versions come from; *publish.Dir is one.
type Registry interface {
	Alias(ctx context.Context, model, alias string) (publish.Alias, error)
	Read(ctx context.Context, model, version string) (publish.Version, error)
}

var _ Registry = (*publish.Dir)(nil)

// Config says what a Loader loads.
type Config struct {
	Registry Registry
	Model    string // its name, e.g. "network-shortage"
	Alias    string // default champion

	// Transforms gives those that a version's model may be bound to. Nil
	// offers none.
	Transforms func(context.Context, publish.Version) ([]features.Transform, error)

	// Accept says why a model that is whole may not serve all the same, such
	// as one of another city. Nil accepts every one.
	Accept func(*Loaded) error

	Logger *slog.Logger     // nil logs nothing
	Now    func() time.Time // nil is time.Now
}

// Loader holds the model in service. It is safe for concurrent use.
type Loader struct {
	cfg     Config
	current atomic.Pointer[Loaded]
	failed  atomic.Pointer[Failure]
	turn    chan struct{} // held by the reload under way
}

// Failure is why the last reload failed. It does not change once made.
type Failure struct {
	Version string    // that was to serve; empty where the alias cannot be read
	Err     error     // wraps publish.ErrNotFound when nothing is published
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

// Reload loads what the alias points to by now. It says whether another model
// serves than before. Where it fails the one before serves on, and the error
// wraps publish.ErrNotFound when nothing is published. Reloads wait for each
// other.
func (l *Loader) Reload(ctx context.Context) (now Loaded, changed bool, err error) {
	select {
	case l.turn <- struct{}{}:
		defer func() { <-l.turn }()
	case <-ctx.Done():
		return Loaded{}, false, fmt.Errorf("wait for another reload: %w", ctx.Err())
	}
	next, version, err := l.load(ctx)
	if err != nil {
		// Who gave up waiting has not found out anything.
		if ctx.Err() == nil {
			l.failed.Store(&Failure{Version: version, Err: err, At: l.cfg.Now().UTC()})
		}
		return Loaded{}, false, fmt.Errorf("reload %s: %w", l.cfg.Model, err)
	}
	l.failed.Store(nil)
	before := l.current.Load()
	changed = before == nil || before.Version != next.Version || before.Digest != next.Digest
	if !changed && before.Verdict == next.Verdict {
		return *before, false, nil
	}
	l.current.Store(next)
	if changed {
		l.cfg.Logger.Info("model in service", slog.String("model", l.cfg.Model),
			slog.String("version", next.Version), slog.String("digest", next.Digest))
		// A swap leaves more garbage than requests do in minutes: the files of
		// the version, and what was made to read them. Nobody waits for it.
		go debug.FreeOSMemory()
	}
	return *next, changed, nil
}

// load fetches what the alias points to and proves that it can serve. The
// version is that of the alias, also beside an error.
func (l *Loader) load(ctx context.Context) (_ *Loaded, version string, err error) {
	alias, err := l.cfg.Registry.Alias(ctx, l.cfg.Model, l.cfg.Alias)
	if err != nil {
		return nil, "", err
	}
	v, err := l.cfg.Registry.Read(ctx, l.cfg.Model, alias.Version)
	if err != nil {
		return nil, alias.Version, err
	}
	loaded, err := open(v, alias.Digest)
	if err == nil {
		err = l.bind(ctx, loaded, v)
	}
	if err != nil {
		return nil, alias.Version, fmt.Errorf("version %s: %w", alias.Version, err)
	}
	loaded.LoadedAt = l.cfg.Now().UTC()
	return loaded, alias.Version, nil
}
