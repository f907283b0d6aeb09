package postgres_test

import (
	"os"
	"testing"
	"time"

	"livelab/sql/pgtest"
	"livelab/sql/postgres"
	"livelab/sql/storetest"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Run(m)) }

// open gives an empty, migrated store in a schema of its own.
func open(t testing.TB) *postgres.Store {
	t.Helper()
	return reopen(t, pgtest.URL(t), postgres.Options{})
}

func reopen(t testing.TB, url string, opts postgres.Options) *postgres.Store {
	t.Helper()
	s, err := postgres.Open(t.Context(), url, opts)
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	t.Cleanup(func() { s.Close() })
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
	server := pgtest.Start(b)
	storetest.BenchmarkPredictions(b, func(b *testing.B) storetest.Store {
		return reopen(b, server.Schema(b), postgres.Options{})
	}, func(b *testing.B) time.Duration { return server.CPU(b) })
}
