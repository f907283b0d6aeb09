package postgres_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"livelab/pipeline/ingest"
	"livelab/pipeline/observation"
	"livelab/sql/pgtest"
	"livelab/sql/postgres"
)

func addSnapshot(t *testing.T, s *postgres.Store, second int64) {
	t.Helper()
	if err := tryAddSnapshot(t, s, second); err != nil {
		t.Fatal(err)
	}
}

func tryAddSnapshot(t *testing.T, s *postgres.Store, second int64) error {
	return s.Update(t.Context(), []string{"n"}, func(tx ingest.Tx) error { return writeSnapshot(t, tx, second) })
}

func writeSnapshot(t *testing.T, tx ingest.Tx, second int64) error {
	return tx.Write(t.Context(), "n", ingest.Batch{
		Totals:  []observation.Totals{{At: time.Unix(second, 0).UTC()}},
		Changes: []observation.Observation{{StationID: "s", At: time.Unix(second, 0).UTC()}},
	})
}

func stored(t *testing.T, s *postgres.Store) int {
	t.Helper()
	totals, err := s.Totals(t.Context(), "n", time.Time{}, time.Time{})
	if err != nil {
		t.Fatalf("read totals: %v", err)
	}
	return len(totals)
}

// TestDatabaseGoesAway stops and kills the database between, before and within
// updates. Each gives one error that names it, and the store works again as
// soon as the database does, with all that was committed and nothing else.
func TestDatabaseGoesAway(t *testing.T) {
	t.Parallel()
	server := pgtest.Start(t)
	s := reopen(t, server.URL(), postgres.Options{ConnectTimeout: 2 * time.Second})
	addSnapshot(t, s, 1)
	for name, end := range map[string]func(testing.TB){"stopped": server.Stop, "killed": server.Kill} {
		err := s.Update(t.Context(), []string{"n"}, func(tx ingest.Tx) error {
			if err := writeSnapshot(t, tx, 2); err != nil {
				t.Errorf("write: %v", err)
			}
			end(t)
			return writeSnapshot(t, tx, 3)
		})
		mustName(t, name+" within an update", err, server)
		mustName(t, name+" before an update", tryAddSnapshot(t, s, 2), server)
		_, err = s.Networks(t.Context())
		mustName(t, name+" before a read", err, server)
		mustName(t, name+" before a ping", s.Ping(t.Context()), server)
		server.Restart(t)
		if n := stored(t, s); n != 1 {
			t.Errorf("%s: %d snapshots after the restart, want 1", name, n)
		}
	}
	// The first thing after a restart may be a write, too.
	server.Restart(t)
	addSnapshot(t, s, 2)
	if n := stored(t, s); n != 2 {
		t.Errorf("%d snapshots in the end, want 2", n)
	}
}

func mustName(t *testing.T, what string, err error, server *pgtest.Server) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), `database "postgres"`) || strings.Contains(err.Error(), "password") {
		t.Errorf("%s: error %v does not name the database", what, err)
	}
}

// TestGoesAwayWithinAWalk kills the database while changes are read.
func TestGoesAwayWithinAWalk(t *testing.T) {
	t.Parallel()
	server := pgtest.Start(t)
	s := reopen(t, server.URL(), postgres.Options{})
	var b ingest.Batch
	for i := range 200_000 {
		b.Changes = append(b.Changes, observation.Observation{StationID: "s", At: time.Unix(int64(i), 0)})
	}
	err := s.Update(t.Context(), []string{"n"}, func(tx ingest.Tx) error { return tx.Write(t.Context(), "n", b) })
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	walk := func(observation.Observation) error {
		if n++; n == 1 {
			server.Kill(t)
		}
		return nil
	}
	err = s.Changes(t.Context(), "n", time.Time{}, time.Time{}, walk)
	mustName(t, "killed within a walk", err, server)
	if n == len(b.Changes) {
		t.Error("all changes were read from a database that was gone")
	}
}

// TestPassedOver has fn ignore an error of the database.
func TestPassedOver(t *testing.T) {
	t.Parallel()
	u := pgtest.URL(t)
	s := reopen(t, u, postgres.Options{})
	execute(t, u, "DROP TABLE snapshots")
	err := s.Update(t.Context(), []string{"n"}, func(tx ingest.Tx) error {
		if err := writeSnapshot(t, tx, 1); err == nil {
			return errors.New("written to a table that is not there")
		}
		return nil
	})
	if err == nil || !strings.Contains(err.Error(), "livelab migrate") {
		t.Errorf("an Update with a failed Write gave %v", err)
	}
	if networks, err := s.Networks(t.Context()); err != nil || len(networks) != 0 {
		t.Errorf("half of the batch was stored: %v, %v", networks, err)
	}
}
