package postgres

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"

	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Migrate brings the schema to the latest version, and creates it first where
// Options name one. Doing so twice does nothing; a migration that fails leaves
// nothing of itself; of several processes one migrates and the others wait.
func (s *Store) Migrate(ctx context.Context) error {
	current, latest, err := s.Version(ctx)
	if err != nil {
		return fmt.Errorf("migrate store: %w", err)
	}
	if err := s.refuseNewer(current, latest); err != nil {
		return fmt.Errorf("migrate store: %w", err)
	}
	if current == latest {
		return nil
	}
	if err := s.migrate(ctx); err != nil {
		return fmt.Errorf("migrate store: %w", s.explain(ctx, err))
	}
	return nil
}

// migrate runs the migrations while a transaction of its own holds the lock:
// the lock then ends with the connection, whatever happens.
func (s *Store) migrate(ctx context.Context) error {
	if s.create != "" {
		if _, err := s.pool.Exec(ctx, "CREATE SCHEMA IF NOT EXISTS "+s.create); err != nil {
			return err
		}
	}
	guard, err := s.pool.Begin(ctx)
	if err != nil {
		return err
	}
	defer rollback(ctx, guard)
	if _, err := guard.Exec(ctx, "SELECT pg_advisory_xact_lock(hashtextextended('livelab migrate ' || current_schema(), 0))"); err != nil {
		return err
	}
	db := stdlib.OpenDBFromPool(s.pool)
	defer db.Close()
	provider, err := newProvider(db)
	if err != nil {
		return err
	}
	_, err = provider.Up(ctx)
	return err
}

// Version gives the version of the store's schema, 0 where it has none yet,
// and the latest that this program knows. It changes nothing.
func (s *Store) Version(ctx context.Context) (current, latest int64, err error) {
	db := stdlib.OpenDBFromPool(s.pool)
	defer db.Close()
	provider, err := newProvider(db)
	if err != nil {
		return 0, 0, err
	}
	sources := provider.ListSources()
	latest = sources[len(sources)-1].Version
	var there bool
	// current_schema() and no other schema of the search path: a store that
	// happens to lie further down is not this one.
	const exists = "SELECT to_regclass(quote_ident(current_schema()) || '." + goose.DefaultTablename + "') IS NOT NULL"
	if err := s.pool.QueryRow(ctx, exists).Scan(&there); err != nil {
		return 0, 0, s.explain(ctx, err)
	}
	if !there {
		return 0, latest, nil
	}
	err = s.pool.QueryRow(ctx, "SELECT coalesce(max(version_id), 0) FROM "+goose.DefaultTablename+" WHERE is_applied").Scan(&current)
	return current, latest, s.explain(ctx, err)
}

func newProvider(db *sql.DB) (*goose.Provider, error) {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, err
	}
	return goose.NewProvider(goose.DialectPostgres, db, files,
		goose.WithDisableGlobalRegistry(true), goose.WithSlog(slog.New(slog.DiscardHandler)))
}

// ErrNewer means that a newer LiveLab has migrated the store.
var ErrNewer = errors.New("the store is newer than this program")

func (s *Store) refuseNewer(current, latest int64) error {
	if current <= latest {
		return nil
	}
	return fmt.Errorf("%w: %s has schema version %d, this livelab knows up to %d: use the newer livelab, or another store", ErrNewer, s.target, current, latest)
}
