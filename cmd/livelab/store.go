package main

import (
	"context"

	"livelab/pipeline/dataset"
	"livelab/pipeline/ingest"
	"livelab/runtime/predlog"
	"livelab/sql/postgres"
	"livelab/sql/sqlite"
)

// store is what both stores do for all the rooms.
type store interface {
	ingest.Store
	dataset.Store
	predlog.Store

	Migrate(ctx context.Context) error
	Version(ctx context.Context) (current, latest int64, err error)
	Ping(ctx context.Context) error

	// Own takes the store for this process alone until release is called. It
	// fails at once where another one has it.
	Own(ctx context.Context) (release func() error, err error)

	Close() error
}

// openStore opens the store that the flags name, with its schema up to date.
func (a *app) openStore(ctx context.Context) (store, error) {
	s, err := a.connect(ctx)
	if err != nil {
		return nil, err
	}
	if err := s.Migrate(ctx); err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

func (a *app) connect(ctx context.Context) (store, error) {
	if a.databaseURL != "" {
		return postgres.Open(ctx, a.databaseURL, postgres.Options{})
	}
	return sqlite.Open(ctx, a.store, sqlite.Options{})
}
