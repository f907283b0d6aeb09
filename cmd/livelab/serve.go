package main

import (
	"context"
	"errors"
	"time"

	"github.com/spf13/cobra"

	"livelab/pipeline/observation"
)

func (a *app) serveCommand() *cobra.Command {
	var flags serveFlags
	var from string
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Serve the champion's predictions over HTTP",
		Long: `Serve answers predictions with the champion of the registry, from features that
the client gives or from the newest that the store holds. It collects nothing:
run "livelab ingest" beside it, or "livelab up" instead.

SIGTERM or Ctrl-C ends it once the requests under way are answered, with exit
code 0, or 1 where some had to be cut off. A second one ends it at once.`,
		Args: cobra.NoArgs,
		Example: `  livelab serve --listen 127.0.0.1:8000
  livelab serve --source replay    # recorded data, as if it were now`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return stopped(cmd.Context(), a.serve(cmd.Context(), flags, from))
		},
	}
	flags.add(cmd)
	a.addHostFlags(cmd)
	cmd.Flags().StringVar(&flags.task, "task", "network-shortage", "`question` that is answered")
	cmd.Flags().StringVar(&from, "source", "store", "store, or replay: what the store holds as if it were now")
	return cmd
}

func (a *app) serve(ctx context.Context, flags serveFlags, from string) (err error) {
	if err := oneOf("source", from, "store", sourceReplay); err != nil {
		return err
	}
	if _, err := parseTask(flags.task); err != nil {
		return err
	}
	l, err := a.listen(&flags.httpFlags)
	if err != nil {
		return err
	}
	defer l.Close()
	s, err := a.openStore(ctx)
	if err != nil {
		return err
	}
	defer closing(&err, s)
	src, err := storedSource(ctx, s, from)
	if err != nil {
		return err
	}
	a.transforms.serveOnly = true
	svc, err := a.newService(ctx, flags, s, src, func() time.Time { return time.Time{} }, nil)
	if err != nil {
		return err
	}
	loaded, _, err := svc.models.Reload(ctx)
	switch {
	case err != nil:
		a.sayWhyNot(flags.models, err)
	case src.origin != "" && loaded.Metadata.Origin != string(src.origin):
		a.log.Warn("the model was trained on other data than the store holds", "model", loaded.Metadata.Data(), "store", src.origin)
	}
	a.printAddresses(l, svc)
	svc.startBeside()
	return svc.run(ctx, l)
}

// storedSource is a source of which nothing is fetched.
func storedSource(ctx context.Context, s store, from string) (*source, error) {
	if from == sourceReplay {
		networks, err := s.Networks(ctx)
		if err != nil {
			return nil, err
		}
		var f sourceFlags
		for _, n := range networks {
			f.networks = append(f.networks, n.ID)
		}
		return replayed(ctx, s, f)
	}
	origin, err := s.Origin(ctx)
	if err != nil {
		return nil, err
	}
	var kind string // none for a store that holds nothing
	switch origin {
	case observation.OriginReal:
		kind = sourceLive
	case observation.OriginSimulated:
		kind = sourceSim
	}
	return &source{kind: kind, origin: origin, now: time.Now, stop: func() {}}, nil
}

// stopped turns the end of work by a signal into a good end.
func stopped(ctx context.Context, err error) error {
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}
