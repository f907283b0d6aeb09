package main

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"livelab/pipeline/dataset"
	"livelab/pipeline/observation"
	"livelab/runtime/forecast"
	"livelab/runtime/loader"
)

// looked counts how often a forecast looks for what is new.
type looked struct {
	forecast.Store
	times atomic.Int32
}

func (l *looked) Networks(context.Context) ([]observation.Network, error) {
	l.times.Add(1)
	return nil, nil
}

// TestStoredIsLookedAtAtOnce holds that what is collected reaches the forecast
// of the stations without waiting for its next look.
func TestStoredIsLookedAtAtOnce(t *testing.T) {
	t.Parallel()
	(&tender{svc: &service{}}).stored("oslo") // nobody forecasts stations
	synctest.Test(t, func(t *testing.T) {
		store := &looked{}
		k, err := forecast.New(forecast.Config{
			Rows: (*dataset.Live)(nil), Store: store, Model: func() *loader.Loaded { return nil }, Every: time.Hour,
		})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		var running sync.WaitGroup
		running.Go(func() { k.Run(ctx) })
		synctest.Wait()
		if n := store.times.Load(); n != 1 {
			t.Errorf("looked %d times at first, want once", n)
		}
		(&tender{svc: &service{stations: &stationKeeper{keeper: k}}}).stored("oslo")
		synctest.Wait()
		if n := store.times.Load(); n != 2 {
			t.Errorf("looked %d times once something was stored, want 2", n)
		}
		cancel()
		running.Wait()
	})
}
