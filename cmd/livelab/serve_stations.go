package main

import (
	"context"
	"errors"

	"github.com/prometheus/client_golang/prometheus"

	"livelab/pipeline/dataset"
	"livelab/pipeline/features"
	"livelab/pipeline/publish"
	"livelab/runtime/forecast"
	"livelab/runtime/loader"
)

// stationTask is the question whose model serves beside that of --task.
var stationTask = features.StationShortage(0).Name

// stationKeeper keeps the forecast of the stations, and the model for it.
type stationKeeper struct {
	app    *app
	models *loader.Set
	keeper *forecast.Keeper
	beside bool          // the model is not that of --task
	begin  chan struct{} // closed once the model of --task had its turn
	tried  chan struct{} // closed once the first champion was looked for
	next   string        // what becomes of a champion that cannot serve yet
}

// newStations sets up the forecast of the stations. It is nil where none is to
// be made.
func (a *app) newStations(f serveFlags, s store, src *source, live *dataset.Live, models *loader.Set, registry prometheus.Registerer) (*stationKeeper, error) {
	if !f.servesStations() {
		return nil, nil
	}
	keeper, err := forecast.New(forecast.Config{
		Rows: live, Store: s, Model: func() *loader.Loaded { return aboutStations(models) },
		DataNow: src.now, Logger: a.log, Registerer: registry,
	})
	if err != nil {
		return nil, err
	}
	return &stationKeeper{
		app: a, models: models, keeper: keeper, beside: f.task != stationTask,
		begin: make(chan struct{}), tried: make(chan struct{}), next: f.models.next(),
	}, nil
}

// servesStations reports whether stations are answered for.
func (f serveFlags) servesStations() bool { return f.stations || f.task == stationTask }

// aboutStations is the model in service that answers about stations, nil where
// there is none.
func aboutStations(models *loader.Set) *loader.Loaded {
	if l := models.Current(); l != nil && l.Model.Task.Entity == features.EntityStation {
		return l
	}
	l, err := models.Find(stationTask, "")
	if err != nil || l.Model.Task.Entity != features.EntityStation {
		return nil
	}
	return l
}

// run has the champion about stations serve, follows it, and keeps the forecast
// current, until ctx ends. It waits for its turn: reading weeks of the past
// takes the processor for a while.
func (k *stationKeeper) run(ctx context.Context) {
	select {
	case <-k.begin:
	case <-ctx.Done():
		return
	}
	if k.beside {
		_, err := k.models.Keep(ctx, stationTask, "")
		switch {
		case err == nil || ctx.Err() != nil:
		case errors.Is(err, publish.ErrNotFound):
			k.app.log.Info("no model about stations is published yet; what is observed of them is shown", "model", stationTask, "next", k.next)
		default:
			k.app.log.Warn("the model about stations cannot serve", "model", stationTask, "next", k.next, "error", err)
		}
	}
	close(k.tried)
	k.keeper.Run(ctx)
}
