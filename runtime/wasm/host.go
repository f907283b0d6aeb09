package wasm

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"sync"
	"weak"

	"livelab/pipeline/features"
	"livelab/plugins/abi"
	"livelab/runtime/wasm/meter"
)

// formatVersion of what the store keeps and of what admission asks: changing
// either makes it anew.
const formatVersion = 2

// Host admits modules and runs them. It is safe for concurrent use.
type Host struct {
	cfg       Config
	store     *store
	temporary string // folder to remove, empty for none
	program   string // this build
	turn      chan struct{}

	life context.Context // ends with Close
	end  context.CancelFunc

	mu       sync.Mutex
	closed   bool
	flights  map[string]*flight
	admitted map[string]weak.Pointer[Transform]
	cores    map[*core]struct{}
	running  sync.WaitGroup
}

// A flight is an admission that others may wait for.
type flight struct {
	done      chan struct{}
	transform *Transform
	err       error
}

// New opens the cache folder. Close the host when nothing calls its transforms
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
	cores := h.cores
	h.cores = nil
	h.mu.Unlock()
	for c := range cores {
		c.close()
	}
	if h.temporary != "" {
		return os.RemoveAll(h.temporary)
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
	if t := h.recall(ctx, key, src, b); t != nil {
		return t, nil
	}
	a := &admission{host: h, cfg: h.cfg.under(b), source: src}
	if err := h.inTurn(ctx, a, key); err != nil {
		a.discard()
		return nil, err
	}
	return a.transform(), nil
}

// inTurn runs one admission at a time, which bounds what all of them take.
func (h *Host) inTurn(ctx context.Context, a *admission, key string) error {
	select {
	case h.turn <- struct{}{}:
		defer func() { <-h.turn }()
	case <-ctx.Done():
		return ctx.Err()
	}
	return a.run(ctx, key)
}

// recall a module that was admitted before, here or in another process. What
// is kept must still give the golden answers.
func (h *Host) recall(ctx context.Context, key string, src source, b features.Budget) *Transform {
	r, outline, ok := h.store.find(key)
	if !ok || checkInputs(h.cfg, r.Description) != nil {
		return nil
	}
	cfg := h.cfg.under(b)
	e, err := load(ctx, cfg, outline, native(h.store.path(key)))
	if err != nil {
		h.store.drop(key, err)
		return nil
	}
	c := newCore(cfg, e, r.Description)
	if err := c.recheck(r.Golden, h.cfg.ProbeFuel); err != nil {
		c.close()
		h.store.drop(key, err)
		return nil
	}
	return newTransform(h.cfg, src, c, r.Golden)
}

// Check takes a module through all steps, whatever is known of it, and says
// how each went. It keeps nothing.
func (h *Host) Check(ctx context.Context, code []byte) Report {
	src := source{code, digest(code)}
	a := &admission{host: h, cfg: h.cfg.under(h.cfg.Budget), source: src, report: Report{Digest: src.digest}}
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

// key of a module with a digest in the store: whatever the outcome hangs on.
func (h *Host) key(sum string, b features.Budget) string {
	c := h.cfg.under(b)
	return digest(fmt.Appendf(nil, "%d %d %d %s %s %v %v %d %d %d %d", formatVersion, abi.Version, meter.Version,
		h.program, sum, c.Limits, c.Budget, c.InitFuel, c.ProbeFuel, c.Stack, c.MaxDiscards))
}

// program tells builds apart: its version, and the file that it is.
func program() string {
	text := runtime.Version() + " " + runtime.GOOS + " " + runtime.GOARCH
	if info, ok := debug.ReadBuildInfo(); ok {
		text += info.String()
	}
	if path, err := os.Executable(); err == nil {
		if info, err := os.Stat(path); err == nil {
			text += fmt.Sprint(info.Size(), info.ModTime().UnixNano())
		}
	}
	return digest([]byte(text))
}
