package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"

	"github.com/spf13/cobra"

	"livelab/pipeline/features"
	"livelab/pipeline/model"
	"livelab/pipeline/publish"
	"livelab/plugins"
	"livelab/runtime/wasm"
	"livelab/runtime/wasm/catalogue"
)

// noTransforms is what --transform takes for none at all.
const noTransforms = "none"

// hostFlags say how transforms are run, and where they are found.
type hostFlags struct {
	plugins     string
	fuelPerCall int64
	fuelPerRow  int64
	memory      uint32
	rowError    string
	cache       string
}

// addHostFlags gives a command the flags of everything that runs transforms.
func (a *app) addHostFlags(cmd *cobra.Command) {
	f, h := cmd.Flags(), &a.transforms.flags
	f.StringVar(&h.plugins, "plugins", "plugins", "`folder` of transforms; what is dropped there is offered")
	f.Int64Var(&h.fuelPerCall, "transform-fuel-call", 10_000_000, "`fuel` that a call of a new transform may spend, whatever its rows")
	f.Int64Var(&h.fuelPerRow, "transform-fuel-row", 50_000, "`fuel` that a call of a new transform may spend for each row on top")
	f.Uint32Var(&h.memory, "transform-memory", 16, "`MiB` that one instance of a new transform may use, 1 to 64")
	f.StringVar(&h.rowError, "transform-row-error", string(wasm.Missing), "what becomes of a row that a transform fails on: missing (its outputs are), or fail")
	f.StringVar(&h.cache, "transform-cache", "", "`folder` that compiled transforms are kept in (default: livelab/wasm in the user's cache folder)")
}

func (f hostFlags) budget() features.Budget {
	return features.Budget{Call: f.fuelPerCall, Row: f.fuelPerRow, Pages: f.memory * 16}
}

func (f hostFlags) config() (wasm.Config, error) {
	if err := oneOf("transform-row-error", f.rowError, string(wasm.Missing), string(wasm.Fail)); err != nil {
		return wasm.Config{}, err
	}
	for _, n := range []struct {
		flag             string
		value, low, high int64
	}{
		{"transform-fuel-call", f.fuelPerCall, 1, 1 << 40},
		{"transform-fuel-row", f.fuelPerRow, 1, 1 << 28},
		{"transform-memory", int64(f.memory), 1, 64},
	} {
		if n.value < n.low || n.value > n.high {
			return wasm.Config{}, usageError("--%s is %d, must be %d to %d", n.flag, n.value, n.low, n.high)
		}
	}
	return wasm.Config{
		Budget:      f.budget(),
		OnRowError:  wasm.Policy(f.rowError),
		CacheFolder: f.cache,
		Columns:     readable(),
	}, nil
}

// readable tells what a transform may read: a column of the catalogue, or the
// output of another, which the training looks for.
func readable() func(string) bool {
	known := make(map[string]bool)
	for _, f := range features.Catalogue() {
		known[f.Name] = true
	}
	return func(name string) bool { return known[name] || strings.Contains(name, ".") }
}

// transforms is where the process has its transforms from: one host, which
// training, gate and serving share, and the catalogue of what it offers. Both
// are made when they are first asked for, as most commands need neither.
type transforms struct {
	flags hostFlags

	// serveOnly leaves the shipped ones out of the catalogue: where nothing
	// trains, holding them ready would take some 25 MiB for nothing. A model
	// that was trained with one carries it. Nor is a module's code kept, which
	// only a new version needs.
	serveOnly bool

	mu        sync.Mutex
	host      *wasm.Host
	catalogue *catalogue.Catalogue
}

// theHost gives the process's one host.
func (a *app) theHost(ctx context.Context) (*wasm.Host, error) {
	t := &a.transforms
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.host != nil {
		return t.host, nil
	}
	cfg, err := t.flags.config()
	if err != nil {
		return nil, err
	}
	cfg.Logger, cfg.ForgetCode = a.log, t.serveOnly
	t.host, err = wasm.New(ctx, cfg)
	return t.host, err
}

// theCatalogue gives the process's one catalogue, of which nothing is judged
// until it is started or loaded.
func (a *app) theCatalogue(ctx context.Context) (*catalogue.Catalogue, error) {
	host, err := a.theHost(ctx)
	if err != nil {
		return nil, err
	}
	t := &a.transforms
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.catalogue != nil {
		return t.catalogue, nil
	}
	cfg := catalogue.Config{Dir: t.flags.plugins, Admitter: admitter{host}, Logger: a.log}
	if !t.serveOnly {
		cfg.Shipped = shipped()
	}
	t.catalogue, err = catalogue.New(cfg)
	return t.catalogue, err
}

// close ends what was made, also after an error.
func (t *transforms) close() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	var errs []error
	if t.catalogue != nil {
		errs = append(errs, t.catalogue.Stop(context.Background()))
	}
	if t.host != nil {
		errs = append(errs, t.host.Close())
	}
	return errors.Join(errs...)
}

// admitter is the host as the catalogue asks it.
type admitter struct{ host *wasm.Host }

func (h admitter) Admit(ctx context.Context, code []byte) (catalogue.Admitted, error) {
	t, err := h.host.Admit(ctx, code, nil)
	if refusal := (*wasm.Refusal)(nil); errors.As(err, &refusal) {
		return catalogue.Admitted{}, fmt.Errorf("at the step %s: %s", refusal.Step, refusal.Reason)
	}
	if err != nil {
		return catalogue.Admitted{}, fmt.Errorf("%w: %w", catalogue.ErrUndecided, err)
	}
	return catalogue.Admitted{Transform: t, Description: t.Description()}, nil
}

// openTransforms gives the transforms of a version, made from the code that it
// carries and with the budget that its model pins, whatever the plugins folder
// holds by now.
func (a *app) openTransforms(ctx context.Context, files map[string][]byte) ([]features.Transform, error) {
	m, err := model.Decode(files[model.ModelFile])
	if err != nil || len(m.Transforms) == 0 {
		return nil, err
	}
	host, err := a.theHost(ctx)
	if err != nil {
		return nil, err
	}
	var ts []features.Transform
	for _, pinned := range m.Transforms {
		t, err := host.Admit(ctx, files[model.TransformFile(pinned.Digest)], &pinned.Budget)
		if err != nil {
			return nil, fmt.Errorf("transform %s: %w", pinned.Name, err)
		}
		ts = append(ts, t)
	}
	return ts, nil
}

// versionTransforms is openTransforms as the loader asks it.
func (a *app) versionTransforms(ctx context.Context, v publish.Version) ([]features.Transform, error) {
	return a.openTransforms(ctx, v.Files)
}

// resolveTransforms finds what --transform names: a name of the catalogue,
// name@digest, or the path of a file. They come in the one order in which they
// are applied.
func (a *app) resolveTransforms(ctx context.Context, references []string) ([]features.Transform, error) {
	references, err := transformReferences(references)
	if err != nil {
		return nil, err
	}
	if err := a.loadNamed(ctx, references); err != nil {
		return nil, err
	}
	var ts []features.Transform
	for _, reference := range references {
		t, err := a.resolveTransform(ctx, reference)
		if err != nil {
			return nil, err
		}
		ts = append(ts, t)
	}
	if ts, err = features.Order(ts); err != nil {
		return nil, usageError("--transform: %w", err)
	}
	return ts, nil
}

// transformReferences are what --transform names, without what is said for
// none.
func transformReferences(given []string) ([]string, error) {
	var references []string
	for _, r := range given {
		if r = strings.TrimSpace(r); r != "" {
			references = append(references, r)
		}
	}
	if !slices.Contains(references, noTransforms) {
		return references, nil
	}
	if len(references) > 1 {
		return nil, usageError("--transform is %q: %s stands alone, leave it out or the others", strings.Join(references, ","), noTransforms)
	}
	return nil, nil
}

// isFile tells the path of a module from a name of the catalogue.
func isFile(reference string) bool { return strings.HasSuffix(reference, ".wasm") }

// loadNamed has the catalogue know what it takes to resolve the names among
// references.
func (a *app) loadNamed(ctx context.Context, references []string) error {
	names := slices.DeleteFunc(slices.Clone(references), isFile)
	if len(names) == 0 {
		return nil
	}
	c, err := a.theCatalogue(ctx)
	if err != nil {
		return err
	}
	return c.Load(ctx, names...)
}

func (a *app) resolveTransform(ctx context.Context, reference string) (features.Transform, error) {
	if isFile(reference) {
		return a.admitFile(ctx, reference)
	}
	c, err := a.theCatalogue(ctx)
	if err != nil {
		return nil, err
	}
	t, err := c.Resolve(reference)
	if err != nil {
		return nil, usageError("--transform: %w", err)
	}
	return t, nil
}

// admitFile makes a transform of a file, wherever it lies.
func (a *app) admitFile(ctx context.Context, path string) (features.Transform, error) {
	code, err := os.ReadFile(path)
	if err != nil {
		return nil, usageError("--transform: %w", err)
	}
	host, err := a.theHost(ctx)
	if err != nil {
		return nil, err
	}
	t, err := host.Admit(ctx, code, nil)
	if err != nil {
		return nil, judgedError(path, err)
	}
	return t, nil
}

// shipped are the transforms that this program carries.
func shipped() []catalogue.Shipped {
	var all []catalogue.Shipped
	for _, m := range plugins.Shipped() {
		all = append(all, catalogue.Shipped{File: m.File, Code: m.Code})
	}
	return all
}
