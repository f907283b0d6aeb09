package wasm

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"

	"livelab/pipeline/features"
	"livelab/plugins/abi"
	"livelab/runtime/wasm/meter"
)

// formatVersion of what the store keeps and of what admission asks: changing
// either makes it anew.
const formatVersion = 3

// remember a refusal, which takes as long to find as anything else. Where it
// cannot be kept it is found again.
func (h *Host) remember(key, sum string, err error) {
	refusal := (*Refusal)(nil)
	if !errors.As(err, &refusal) {
		return
	}
	stores := h.stores()
	if err := stores[len(stores)-1].refuse(key, *refusal); err != nil {
		h.cfg.Logger.Debug("a refused transform is judged again at the next start", "digest", sum, "error", err)
	}
}

// recall a module that was judged before, here or in another process. What is
// kept must still give the golden answers, or it is a *Refusal. It gives
// neither of them for a module of which nothing is known.
func (h *Host) recall(ctx context.Context, key string, src source, b features.Budget) (*Transform, error) {
	for _, s := range h.stores() {
		r, outline, ok := s.find(key)
		if ok && r.Refused != nil {
			return nil, &Refusal{r.Refused.Step, r.Refused.Reason}
		}
		if !ok || checkInputs(h.cfg, r.Description) != nil {
			continue
		}
		cfg := h.cfg.under(b)
		c, err := restore(ctx, cfg, r, outline, native(s.path(key)))
		if err == nil {
			return newTransform(h.cfg, src, c, r.Golden), nil
		}
		s.drop(key, err)
	}
	return nil, nil
}

// restore what is kept of a module.
func restore(ctx context.Context, cfg Config, r record, outline []byte, native string) (*core, error) {
	e, err := load(ctx, cfg, outline, native)
	if err != nil {
		return nil, err
	}
	c := newCore(cfg, e, r.Description)
	if err := c.recheck(r.Golden, cfg.ProbeFuel); err != nil {
		c.close()
		return nil, err
	}
	return c, nil
}

// key of a module with a digest in the store: whatever the outcome hangs on.
func (h *Host) key(sum string, b features.Budget) string {
	c := h.cfg.under(b)
	return digest(fmt.Appendf(nil, "%d %d %d %s %s %v %v %d %d %d %v %q", formatVersion, abi.Version, meter.Version,
		h.program, sum, c.Limits, c.Budget, c.InitFuel, c.ProbeFuel, c.Stack,
		c.Compile, c.Compiler))
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
