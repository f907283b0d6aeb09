package wasm

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"weak"

	"livelab/pipeline/features"
)

// Host admits modules and runs them. It is safe for concurrent use.
type Host struct {
	cfg     Config
	store   *store
	program string // this build
	turn    chan struct{}

	life context.Context // ends with Close
	end  context.CancelFunc

	mu        sync.Mutex
	closed    bool
	spare     *store // in the place of store, once that cannot be written to
	temporary string // folder to remove, empty for none
	flights   map[string]*flight
	admitted  map[string]weak.Pointer[Transform]
	cores     map[*core]struct{}
	running   sync.WaitGroup
}

// A flight is an admission that others may wait for.
type flight struct {
	done      chan struct{}
	transform *Transform
	err       error
}

// New opens the cache folder. Where that cannot be written to, now or later,
// the host goes on with a temporary one, and logs a warning. Close the host when nothing calls its transforms
// any more.
func New(ctx context.Context, cfg Config) (*Host, error) {
	cfg = cfg.withDefaults()
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	folder, temporary, err := openFolder(cfg.CacheFolder, cfg.Logger)
	if err != nil {
		return nil, err
	}
	if folder, err = filepath.Abs(folder); err != nil {
		return nil, err
	}
	h := &Host{
		cfg: cfg, program: program(), turn: make(chan struct{}, 1),
		store:   &store{folder: folder, entries: cfg.CacheEntries, log: cfg.Logger},
		flights: map[string]*flight{}, admitted: map[string]weak.Pointer[Transform]{}, cores: map[*core]struct{}{},
	}
	if temporary {
		h.temporary = folder
	}
	h.store.prune()
	h.life, h.end = context.WithCancel(context.WithoutCancel(ctx))
	return h, nil
}

// Close ends all transforms, after the calls that are under way. Their Apply
// gives ErrClosed from then on. A second Close does nothing.
func (h *Host) Close() error {
	h.end()
	h.mu.Lock()
	closed := h.closed
	h.closed = true
	h.mu.Unlock()
	h.running.Wait()
	if closed {
		return nil
	}
	h.mu.Lock()
	cores, temporary := h.cores, h.temporary
	h.cores = nil
	h.mu.Unlock()
	for c := range cores {
		c.close()
	}
	if temporary != "" {
		return os.RemoveAll(temporary)
	}
	return nil
}

// Admit takes a module through all steps and gives the transform that it is.
// The same bytes and budget give the same *Transform, while somebody holds it.
// Nil takes the budget of the configuration. A *Refusal is the module's fault.
func (h *Host) Admit(ctx context.Context, code []byte, budget *features.Budget) (*Transform, error) {
	b := h.cfg.Budget
	if budget != nil {
		b = *budget
	}
	if err := validBudget(b); err != nil {
		return nil, err
	}
	src := source{code, digest(code)}
	key := h.key(src.digest, b)
	h.mu.Lock()
	if h.closed {
		h.mu.Unlock()
		return nil, ErrClosed
	}
	if t := h.admitted[key].Value(); t != nil {
		h.mu.Unlock()
		return t, nil
	}
	f := h.flights[key]
	if f == nil {
		f = &flight{done: make(chan struct{})}
		h.flights[key] = f
		h.running.Add(1)
		src.code = bytes.Clone(code)
		go h.fly(f, key, src, b)
	}
	h.mu.Unlock()
	select {
	case <-f.done:
		return f.transform, f.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// fly admits for all who wait, whoever of them gives up.
func (h *Host) fly(f *flight, key string, src source, b features.Budget) {
	defer h.running.Done()
	f.transform, f.err = h.admit(h.life, key, src, b)
	h.mu.Lock()
	delete(h.flights, key)
	if f.transform != nil {
		h.adopt(f.transform, key)
	}
	h.mu.Unlock()
	close(f.done)
}

// adopt a transform, until nobody holds it.
func (h *Host) adopt(t *Transform, key string) {
	h.admitted[key] = weak.Make(t)
	h.cores[t.core] = struct{}{}
	runtime.AddCleanup(t, func(c *core) {
		h.mu.Lock()
		_, ours := h.cores[c]
		delete(h.cores, c)
		if p, ok := h.admitted[key]; ok && p.Value() == nil {
			delete(h.admitted, key)
		}
		h.mu.Unlock()
		if ours {
			c.close()
		}
	}, t.core)
}

func (h *Host) admit(ctx context.Context, key string, src source, b features.Budget) (*Transform, error) {
	if t, err := h.recall(ctx, key, src, b); t != nil || err != nil {
		return t, err
	}
	a := h.admission(src, h.cfg.under(b))
	if err := h.inTurn(ctx, a, key); err != nil {
		a.discard()
		h.remember(key, src.digest, err)
		return nil, err
	}
	return a.transform(), nil
}

func (h *Host) admission(src source, cfg Config) *admission {
	return &admission{host: h, cfg: cfg, source: src, report: Report{Digest: src.digest}}
}

// inTurn runs one admission at a time, which bounds what all of them take.
func (h *Host) inTurn(ctx context.Context, a *admission, key string) error {
	select {
	case h.turn <- struct{}{}:
		defer func() { <-h.turn }()
	case <-ctx.Done():
		return ctx.Err()
	}
	err := a.run(ctx, key)
	full := (*folderError)(nil)
	if !errors.As(err, &full) {
		return err
	}
	if err := h.leave(full); err != nil {
		return err
	}
	a.discard()
	*a = *h.admission(a.source, a.cfg)
	return a.run(ctx, key)
}

// notKept says that what was found out about a transform is lost. That is so
// for this one alone where the folder can be left.
func (h *Host) notKept(name string, err error) {
	full := (*folderError)(nil)
	if errors.As(err, &full) && h.leave(full) == nil {
		return
	}
	h.cfg.Logger.Warn("a transform is compiled again at the next start", "transform", name, "error", err)
}

// Check takes a module through all steps, whatever is known of it, and says
// how each went. It keeps nothing.
func (h *Host) Check(ctx context.Context, code []byte) Report {
	src := source{code, digest(code)}
	a := h.admission(src, h.cfg.under(h.cfg.Budget))
	h.mu.Lock()
	closed := h.closed
	if !closed {
		h.running.Add(1)
	}
	h.mu.Unlock()
	err := ErrClosed
	if !closed {
		defer h.running.Done()
		err = h.inTurn(ctx, a, "")
	}
	if len(a.report.Steps) == 0 {
		a.report.Steps = []StepReport{{Step: StepSize, Verdict: Failed, Reason: err.Error()}}
	}
	a.discard()
	return a.report
}
