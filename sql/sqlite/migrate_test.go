package sqlite_test

import (
	"database/sql"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/pressly/goose/v3"
	"golang.org/x/sync/errgroup"

	"livelab/runtime/predlog"
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

// TestMigratePredictions has a log that was written when its key was the ID.
func TestMigratePredictions(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "livelab.db")
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	provider, err := goose.NewProvider(goose.DialectSQLite3, db, os.DirFS("migrations"), goose.WithDisableGlobalRegistry(true))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := provider.UpTo(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	const old = `INSERT INTO prediction_log VALUES
		('20000000-0000-4000-8000-000000000000', 1724371200000000, 'm', 'v', 'd', 'r', NULL, NULL, '{"a":"Infinity"}', 0.25, 1, 0.5, 1, 7),
		('10000000-0000-4000-8000-000000000000', 1724371201000001, 'm', 'v', 'd', 'r', 'oslo', 1724371200000000, '{"b":1}', 0.5, 0, 0.5, 1, 7)`
	if _, err := db.Exec(old); err != nil {
		t.Fatal(err)
	}
	s := reopen(t, path)
	at := time.UnixMicro(1724371200000000).UTC()
	want := []predlog.Prediction{
		{ID: "10000000-0000-4000-8000-000000000000", At: at.Add(1_000_001 * time.Microsecond), Network: "oslo", AsOf: at,
			Features: predlog.FeaturesOf(map[string]float64{"b": 1}), Probability: 0.5},
		{ID: "20000000-0000-4000-8000-000000000000", At: at,
			Features: predlog.FeaturesOf(map[string]float64{"a": math.Inf(1)}), Probability: 0.25, Positive: true},
	}
	for i := range want {
		p := &want[i]
		p.Role, p.Model, p.Version, p.Digest, p.RequestID = predlog.Served, "m", "v", "d", "r"
		p.Threshold, p.HorizonHours, p.Latency = 0.5, 1, 7
	}
	// The same predictions again are stored already.
	if err := s.AddPredictions(t.Context(), want); err != nil {
		t.Fatal(err)
	}
	got, err := s.RecentPredictions(t.Context(), 10)
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("predictions: %v (-want +got):\n%s", err, diff)
	}
	var age sql.NullFloat64
	if err := db.QueryRow("SELECT max(data_age) FROM prediction_log").Scan(&age); err != nil || age.Float64 != 1.000001 {
		t.Errorf("the age of the data is %v, %v; want 1.000001", age, err)
	}
}
