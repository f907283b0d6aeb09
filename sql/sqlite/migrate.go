package sqlite

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"

	"github.com/pressly/goose/v3"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Migrate brings the schema to the latest version. Doing so twice does
// nothing; a migration that fails leaves nothing of itself.
func (s *Store) Migrate(ctx context.Context) error {
	for {
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
			// Another process may have been faster with a migration. Then
			// ours failed on what it found, and the rest is still to do.
			if now, _, again := s.Version(ctx); again == nil && now > current {
				continue
			}
			return fmt.Errorf("migrate store: %w", s.explain(ctx, err))
		}
	}
}

func (s *Store) migrate(ctx context.Context) error {
	provider, err := s.provider()
	if err != nil {
		return err
	}
	_, err = provider.Up(ctx)
	return err
}

func (s *Store) provider() (*goose.Provider, error) {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, err
	}
	return goose.NewProvider(goose.DialectSQLite3, s.writer, files,
		goose.WithDisableGlobalRegistry(true), goose.WithSlog(slog.New(slog.DiscardHandler)))
}

// Version gives the version of the store's schema, 0 where it has none yet,
// and the latest that this program knows. It changes nothing.
func (s *Store) Version(ctx context.Context) (current, latest int64, err error) {
	provider, err := s.provider()
	if err != nil {
		return 0, 0, err
	}
	sources := provider.ListSources()
	latest = sources[len(sources)-1].Version
	var tables int
	err = s.reader.QueryRowContext(ctx, "SELECT count(*) FROM sqlite_schema WHERE name = ?", goose.DefaultTablename).Scan(&tables)
	if err != nil {
		return 0, 0, s.explain(ctx, err)
	}
	if tables == 0 {
		return 0, latest, nil
	}
	err = s.reader.QueryRowContext(ctx, "SELECT coalesce(max(version_id), 0) FROM "+goose.DefaultTablename+" WHERE is_applied").Scan(&current)
	return current, latest, s.explain(ctx, err)
}

// ErrNewer means that a newer LiveLab has migrated the store.
var ErrNewer = errors.New("the store is newer than this program")

func (s *Store) refuseNewer(current, latest int64) error {
	if current <= latest {
		return nil
	}
	return fmt.Errorf("%w: %s has schema version %d, this livelab knows up to %d: use the newer livelab, or another store", ErrNewer, s.path, current, latest)
}
