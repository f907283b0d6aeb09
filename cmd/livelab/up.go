package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"livelab/pipeline/ingest"
	"livelab/pipeline/publish"
	"livelab/pipeline/retrain"
	"livelab/runtime/loader"
)

type upFlags struct {
	source    sourceFlags
	serve     serveFlags
	train     trainFlags
	every     time.Duration
	months    int
	retrainAt string

	// byDefault says that nobody asked for the transforms.
	byDefault bool
}

func (a *app) upCommand() *cobra.Command {
	var flags upFlags
	cmd := &cobra.Command{
		Use:   "up",
		Short: "Do all of it on this machine: collect, train, judge, publish, serve, retrain",
		Long: `Up opens the store, chooses a source, fetches its history, trains, judges,
publishes and serves, and goes on collecting, and retraining once a day. Beside
the model of --task it does so with one about every station. What is stored
stays: the next start goes on from it and serves at once.`,
		Args: cobra.NoArgs,
		Example: `  livelab up
  livelab up --source live --network bikemi --listen 127.0.0.1:8080
  livelab up --source replay    # after livelab import`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			flags.byDefault = !cmd.Flags().Changed("transform")
			return stopped(cmd.Context(), a.up(cmd.Context(), flags))
		},
	}
	flags.source.add(cmd, sourceAuto)
	flags.serve.add(cmd)
	flags.train.addTransforms(cmd, "calendar")
	a.addHostFlags(cmd)
	f := cmd.Flags()
	f.StringVar(&flags.train.task, "task", "network-shortage", "`question` that is answered")
	f.DurationVar(&flags.train.horizon, "horizon", time.Hour, "how far ahead the model looks, whole minutes from 0 to 24h")
	f.StringVar(&flags.train.features, "features", "all", "all, classic, or a comma-separated `list`")
	f.Float64Var(&flags.train.c, "c", 1, "inverse strength of the L2 penalty")
	f.StringVar(&flags.train.rules, "rules", "", "the gate's rules `file`, YAML")
	f.StringVar(&flags.train.quality, "quality", "", "rules `file` of data quality, YAML")
	f.DurationVar(&flags.every, "every", 5*time.Minute, "how often to collect")
	f.IntVar(&flags.months, "months", 3, "how many months of history to fetch at first")
	f.StringVar(&flags.retrainAt, "retrain-at", "02:00", "`time` of day, UTC, at which to retrain; never to do without")
	return cmd
}

// tender keeps a running LiveLab going: it fills the store, and sees to it
// that a model serves.
type tender struct {
	app    *app
	flags  upFlags
	store  store
	source *source
	way    *retrain.Way
	svc    *service
	newest map[string]time.Time // by network, from before the start

	questions []*subject // that of --task first
}

func (a *app) up(ctx context.Context, f upFlags) (err error) {
	if f.every < time.Second {
		return usageError("--every is %s, must be at least a second", f.every)
	}
	if err := checkMonths(f.months); err != nil {
		return err
	}
	f.serve.task = f.train.task
	f.train.family = cmp.Or(f.train.family, familyAuto)
	questions, err := f.questions()
	if err != nil {
		return err
	}
	schedule, err := parseSchedule(f.retrainAt)
	if err != nil {
		return err
	}
	w, err := a.way(f.train.rules)
	if err != nil {
		return err
	}
	if w.Quality, err = readQuality(f.train.quality); err != nil {
		return err
	}
	l, err := a.listen(&f.serve.httpFlags)
	if err != nil {
		return err
	}
	defer l.Close()
	s, err := a.ownStore(ctx)
	if err != nil {
		return err
	}
	defer closing(&err, s)
	src, err := a.openSource(ctx, s, f.source)
	if err != nil {
		return err
	}
	defer src.stop()
	a.log.Info("source chosen", "source", src.shown(), "networks", src.networks)

	t := &tender{app: a, flags: f, store: s, source: src, way: w, questions: questions}
	return t.run(ctx, l, schedule)
}

// run serves and tends until ctx ends.
func (t *tender) run(ctx context.Context, l net.Listener, schedule schedule) error {
	lastIngest := func() time.Time { return time.Time{} }
	var collector *ingest.Collector
	if t.source.kind != sourceReplay {
		var err error
		if collector, err = t.app.collector(t.store, t.source, t.flags.source, t.stored); err != nil {
			return err
		}
		lastIngest = func() time.Time { return newestSuccess(collector.Status()) }
	}
	var err error
	if t.svc, err = t.app.newService(ctx, t.flags.serve, t.store, t.source, lastIngest, t.accept); err != nil {
		return err
	}
	if err := t.findNewest(ctx); err != nil {
		return err
	}
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return t.svc.run(ctx, l) })
	g.Go(func() error {
		// One after the other, so that two trainings never run at a time.
		if err := t.begin(ctx, l); err != nil {
			return stopped(ctx, err)
		}
		if err := t.beginBeside(ctx); err != nil {
			return stopped(ctx, err)
		}
		return stopped(ctx, t.keepTraining(ctx, schedule))
	})
	if collector != nil {
		g.Go(func() error { return stopped(ctx, collector.Run(ctx, t.flags.every)) })
	}
	return g.Wait()
}

// stored is told that something new was stored.
func (t *tender) stored(string) {
	if t.svc.stations != nil {
		t.svc.stations.keeper.Notify()
	}
}

// begin brings a model into service: the champion where there is one, else
// one made from the source's history.
func (t *tender) begin(ctx context.Context, l net.Listener) error {
	_, _, err := t.svc.models.Reload(ctx)
	serving := err == nil
	switch {
	case serving:
		t.app.printAddresses(l, t.svc)
	case !errors.Is(err, publish.ErrNotFound):
		t.app.log.Error("the champion cannot serve; training another model", "error", err)
	}
	t.svc.startBeside()
	// Asked before the history is fetched, so that a wrong name is said at once.
	if _, err := t.findTransforms(ctx); err != nil && !serving {
		return err
	} else if err != nil {
		t.app.log.Error("the next training will fail; what serves goes on serving", "error", err)
	}
	if err := t.prepare(ctx, !serving); err != nil {
		return err
	}
	if !serving {
		t.app.printAddresses(l, t.svc)
	}
	return nil
}

// accept refuses a champion that answers another question, and every model that
// was trained on other data than this LiveLab collects.
func (t *tender) accept(l *loader.Loaded) error {
	for _, q := range t.questions {
		if l.Model.Name == q.task.Name && l.Model.Task != q.task {
			return fmt.Errorf("it answers another question: %s", l.Model.Task.Rule())
		}
	}
	switch {
	case l.Metadata.Origin != string(t.source.origin) || !slices.Contains(t.source.networks, l.Metadata.Network):
		return fmt.Errorf("it was trained on %s, the source is %s of %s", l.Metadata.Data(), t.source.shown(), strings.Join(t.source.networks, ", "))
	}
	return nil
}

// prepare fills the store up to now and, where a model is wanted, trains.
func (t *tender) prepare(ctx context.Context, train bool) error {
	bars := t.app.newProgress()
	defer bars.wait()
	if err := t.backfill(ctx, bars, train); err != nil || !train {
		return err
	}
	return t.retrain(ctx, bars, t.questions[0], "livelab up, first start")
}
