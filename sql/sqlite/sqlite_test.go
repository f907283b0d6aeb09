package sqlite_test

import (
	"path/filepath"
	"testing"

	"livelab/sql/sqlite"
	"livelab/sql/storetest"
)

// open gives an empty, migrated store in a file of its own.
func open(t testing.TB) *sqlite.Store {
	t.Helper()
	return reopen(t, filepath.Join(t.TempDir(), "livelab.db"))
}

func reopen(t testing.TB, path string) *sqlite.Store {
	t.Helper()
	s, err := sqlite.Open(t.Context(), path, sqlite.Options{})
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	if err := s.Migrate(t.Context()); err != nil {
		t.Fatalf("migrate: %v", err)
	}
	return s
}

func TestConformance(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T) storetest.Store { return open(t) })
}

func BenchmarkStore(b *testing.B) {
	storetest.Benchmark(b, func(b *testing.B) storetest.Store { return open(b) })
}

func BenchmarkAddPredictions(b *testing.B) {
	storetest.BenchmarkPredictions(b, func(b *testing.B) storetest.Store { return open(b) }, nil)
}
