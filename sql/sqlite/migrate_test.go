package sqlite_test

import (
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sync/errgroup"

	"livelab/sql/sqlite"
)

func TestMigrate(t *testing.T) {
	t.Parallel()
	s, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "livelab.db"), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	current, latest, err := s.Version(t.Context())
	if err != nil || current != 0 || latest == 0 {
		t.Errorf("version of a new store: %d of %d, %v", current, latest, err)
	}
	if _, err := s.Networks(t.Context()); err == nil || !strings.Contains(err.Error(), "livelab migrate") {
		t.Errorf("reading before migrating gave %v", err)
	}
	for range 2 {
		if err := s.Migrate(t.Context()); err != nil {
			t.Fatal(err)
		}
		if current, _, err := s.Version(t.Context()); err != nil || current != latest {
			t.Errorf("version after migrating: %d of %d, %v", current, latest, err)
		}
	}
	if err := s.Ping(t.Context()); err != nil {
		t.Error(err)
	}
}

// TestMigrateTogether has several stores migrate one file, as several processes
// would that are started at the same time.
func TestMigrateTogether(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "livelab.db")
	var g errgroup.Group
	for range 4 {
		g.Go(func() error {
			s, err := sqlite.Open(t.Context(), path, sqlite.Options{})
			if err != nil {
				return err
			}
			defer s.Close()
			return s.Migrate(t.Context())
		})
	}
	if err := g.Wait(); err != nil {
		t.Error(err)
	}
	addSnapshot(t, reopen(t, path), 1)
}
