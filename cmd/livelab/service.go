package main

import (
	"context"
	"errors"
	"net"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/spf13/cobra"

	"livelab/pipeline/dataset"
	"livelab/runtime/loader"
	"livelab/runtime/predlog"
	"livelab/runtime/server"
	"livelab/runtime/wasm/catalogue"
)

// serveFlags are the flags of everything that serves.
type serveFlags struct {
	httpFlags
	task     string
	stations bool
	models   modelFlags
	explain  explainFlags
	log      logFlags
}

func (f *serveFlags) add(cmd *cobra.Command) {
	f.httpFlags.add(cmd)
	f.models.add(cmd)
	f.explain.add(cmd)
	f.log.add(cmd)
	cmd.Flags().BoolVar(&f.stations, "stations", true, "also forecast every station: serve the champion of "+stationTask+" beside the model of --task")
}

// service is the server with what it stands on.
type service struct {
	server *server.Server
	models *loader.Set
	log    *predlog.Writer // nil where predictions are not logged

	keepModels func(context.Context) // in service, until the end

	stations *stationKeeper // nil where stations are not answered for

	plugins *catalogue.Catalogue // nil where none can be run

	encrypted bool // it speaks HTTPS
}

// startBeside offers what is in the plugins folder and forecasts the stations
// from now on. Both take the processor for a while, so that a model comes first.
// It is called once.
func (s *service) startBeside() {
	if s.plugins != nil {
		s.plugins.Start()
	}
	if s.stations != nil {
		close(s.stations.begin)
	}
}

// newService sets up the server over a store and a source. It serves no model
// until models.Reload finds one that is accepted, and looks at no plugins and no
// stations until startBeside.
func (a *app) newService(ctx context.Context, f serveFlags, s store, src *source, lastIngest func() time.Time, accept func(*loader.Loaded) error) (*service, error) {
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	plugins, err := a.pluginsToServe(ctx, registry)
	if err != nil {
		return nil, err
	}
	models, err := a.newModels(f, accept, registry)
	if err != nil {
		return nil, err
	}
	log, beside, err := a.newLogs(f.log, models, s, registry)
	if err != nil {
		return nil, err
	}
	live := dataset.NewLive(s, src.now)
	stations, err := a.newStations(f, s, src, live, models, registry)
	if err != nil {
		return nil, err
	}
	deps := server.Deps{
		Models:     models,
		Repository: models,
		Rows:       live,
		Recent:     s,
		Status:     func(ctx context.Context) server.Status { return status(ctx, s, src, lastIngest()) },
		Logger:     a.log,
		Now:        time.Now,
		DataNow:    src.now,
		Registerer: registry,
		Gatherer:   registry,
	}
	if log != nil {
		deps.Log, deps.Shadow = log, beside
	}
	if stations != nil {
		deps.Stations = stations.keeper
	}
	if plugins != nil {
		deps.Plugins = plugins
	}
	if deps.Explainer, err = a.newExplainer(f, registry); err != nil {
		return nil, err
	}
	cfg := f.config()
	cfg.ExplainToken = f.explain.token
	srv, err := server.New(cfg, deps)
	if err != nil {
		return nil, err
	}
	return &service{
		server: srv, models: models, log: log, plugins: plugins, stations: stations, encrypted: cfg.TLS != nil,
		keepModels: func(ctx context.Context) { a.keepModels(ctx, models, beside, f.models) },
	}, nil
}

// pluginsToServe gives the catalogue, counted in the registry. It is nil where
// this machine has no folder to run transforms from: what needs none is served
// there all the same.
func (a *app) pluginsToServe(ctx context.Context, registry prometheus.Registerer) (*catalogue.Catalogue, error) {
	host, err := a.theHost(ctx)
	var wrong *exitError
	switch {
	case errors.As(err, &wrong):
		return nil, err
	case err != nil:
		a.log.Error("no transform can be run, and no model that has one be served; see --transform-cache", "error", err)
		return nil, nil
	}
	plugins, err := a.theCatalogue(ctx)
	if err != nil {
		return nil, err
	}
	return plugins, errors.Join(registry.Register(host), registry.Register(plugins))
}

// run answers until ctx ends, then lets what is under way finish and writes
// the rest of the prediction log.
func (s *service) run(ctx context.Context, l net.Listener) error {
	if s.log != nil {
		s.log.Start()
	}
	serving, end := context.WithCancel(ctx)
	var keeping sync.WaitGroup
	keeping.Go(func() { s.keepModels(serving) })
	if s.stations != nil {
		keeping.Go(func() { s.stations.run(serving) })
	}
	err := s.server.Run(ctx, l)
	end()
	keeping.Wait()
	if s.log == nil {
		return err
	}
	stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	return errors.Join(err, s.log.Stop(stopping))
}

// status says how the store and the source are doing.
func status(ctx context.Context, s store, src *source, lastIngest time.Time) server.Status {
	st := server.Status{Source: src.shown(), LastIngest: lastIngest}
	networks, err := s.Networks(ctx)
	if err != nil {
		st.Store = err
		return st
	}
	for _, n := range networks {
		bikes, weather, err := s.Newest(ctx, n.ID)
		if err != nil {
			st.Store = err
			return st
		}
		st.Networks = append(st.Networks, server.NetworkStatus{ID: n.ID, Name: n.Name, NewestBikes: bikes, NewestWeather: weather})
	}
	return st
}
