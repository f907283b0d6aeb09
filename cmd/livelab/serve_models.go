package main

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/spf13/cobra"

	"livelab/pipeline/publish"
	"livelab/runtime/loader"
	"livelab/runtime/shadow"
)

// modelFlags say which models are in service beside that of --task, and how
// news of the registry come in.
type modelFlags struct {
	load  []string
	most  int
	watch time.Duration
}

func (f *modelFlags) add(cmd *cobra.Command) {
	fl := cmd.Flags()
	fl.StringArrayVar(&f.load, "load", nil, "another `MODEL[@VERSION]` to serve under /v2: its champion, or that very version; may be repeated")
	fl.IntVar(&f.most, "max-models", 16, "how many models and versions may be in service at once, beside that of --stations")
	fl.DurationVar(&f.watch, "watch", 5*time.Second, "how often to look for a new champion or challenger; 0 waits for POST /reload_model")
}

// leastWatch keeps a slip of the unit from keeping a processor busy.
const leastWatch = 10 * time.Millisecond

func (f modelFlags) check() error {
	if f.watch < 0 || f.watch > 0 && f.watch < leastWatch {
		return usageError("--watch is %s, must be 0 or at least %s", f.watch, leastWatch)
	}
	if f.most < 1 || len(f.load) >= f.most {
		return usageError("--max-models is %d, must be at least %d: one more than --load names", f.most, len(f.load)+1)
	}
	for _, reference := range f.load {
		name, version, found := strings.Cut(reference, "@")
		if err := publish.CheckName(name, version); err != nil || found && version == "" {
			return usageError("--load is %q, must be MODEL or MODEL@VERSION, see `livelab models list`: %w", reference, err)
		}
	}
	return nil
}

// newModels sets up what is served, counted in the registry. It holds no model
// until it is reloaded.
func (a *app) newModels(f serveFlags, accept func(*loader.Loaded) error, registry prometheus.Registerer) (*loader.Set, error) {
	if err := f.models.check(); err != nil {
		return nil, err
	}
	most := f.models.most
	if f.stations && f.task != stationTask {
		most++ // which has a place of its own, so that it takes nobody's
	}
	models, err := loader.NewSet(loader.SetConfig{
		Config: loader.Config{
			Registry: a.registry(), Model: f.task, Alias: publish.Champion, Accept: accept, Logger: a.log,
			Transforms: a.versionTransforms,
		},
		MaxLoaded: most,
	})
	if err != nil {
		return nil, err
	}
	return models, registry.Register(models)
}

// shadowDrain is how long what a challenger was not asked yet may hold up the
// end: less than the log is given, as nobody was promised these.
const shadowDrain = 2 * time.Second

// keepModels loads what --load names, and then what the registry names from
// time to time, and has the challenger answer, until ctx ends. Beside is nil
// where no challenger is asked.
func (a *app) keepModels(ctx context.Context, s *loader.Set, beside *shadow.Shadow, f modelFlags) {
	if beside != nil {
		beside.Start()
		defer a.stopShadow(ctx, beside)
	}
	for _, reference := range f.load {
		name, version, _ := strings.Cut(reference, "@")
		if _, err := s.Keep(ctx, name, version); err != nil && ctx.Err() == nil {
			a.log.Warn("a model that --load names does not serve yet", "model", reference, "next", f.next(), "error", err)
		}
	}
	if f.watch > 0 {
		s.Watch(ctx, f.watch)
	}
	<-ctx.Done()
}

func (a *app) stopShadow(ctx context.Context, beside *shadow.Shadow) {
	ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), shadowDrain)
	defer cancel()
	if err := beside.Stop(ending); err != nil {
		a.log.Warn("the challenger was not asked about all that was answered", "error", err)
	}
}

// next says what becomes of a model that does not serve yet.
func (f modelFlags) next() string {
	if f.watch > 0 {
		return "it is tried again by itself"
	}
	return "POST /reload_model, or load it by /v2/repository"
}

// sayWhyNot says why the first load brought no model.
func (a *app) sayWhyNot(f modelFlags, err error) {
	if errors.Is(err, publish.ErrNotFound) {
		a.log.Warn("no model serves yet; publish one", "next", f.next(), "error", err)
		return
	}
	a.log.Warn("the published model cannot be served", "next", f.next(), "error", err)
}
