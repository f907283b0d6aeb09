package sqlite

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"livelab/pipeline/ingest"
	"livelab/pipeline/observation"
)

// TestFull limits the file to the pages that it has, which is the error of a
// full disk without filling one.
func TestFull(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "livelab.db")
	s, err := Open(t.Context(), path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := s.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := s.writer.Exec("PRAGMA max_page_count = 1"); err != nil {
		t.Fatal(err)
	}
	var b ingest.Batch
	for i := range 10_000 {
		b.Totals = append(b.Totals, observation.Totals{At: time.Unix(int64(i), 0)})
	}
	write := func() error {
		return s.Update(t.Context(), []string{"n"}, func(tx ingest.Tx) error { return tx.Write(t.Context(), "n", b) })
	}
	if err := write(); err == nil || !strings.Contains(err.Error(), path+" has no room to grow") {
		t.Fatalf("writing to a full disk gave %v", err)
	}
	if networks, err := s.Networks(t.Context()); err != nil || len(networks) != 0 {
		t.Errorf("half of the batch was stored: %v, %v", networks, err)
	}
	if _, err := s.writer.Exec("PRAGMA max_page_count = 1000000"); err != nil {
		t.Fatal(err)
	}
	if err := write(); err != nil {
		t.Errorf("with room again: %v", err)
	}
}

// TestPassedOver has fn ignore an error of the database.
func TestPassedOver(t *testing.T) {
	t.Parallel()
	s, err := Open(t.Context(), filepath.Join(t.TempDir(), "livelab.db"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := s.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := s.writer.Exec("DROP TABLE weather"); err != nil {
		t.Fatal(err)
	}
	err = s.Update(t.Context(), []string{"n"}, func(tx ingest.Tx) error {
		tx.Write(t.Context(), "n", ingest.Batch{
			Totals:  []observation.Totals{{At: time.Unix(1, 0)}},
			Weather: []observation.Weather{{At: time.Unix(1, 0)}},
		})
		return nil
	})
	if err == nil {
		t.Error("an Update with a failed Write was committed")
	}
	if totals, err := s.Totals(t.Context(), "n", time.Time{}, time.Time{}); err != nil || len(totals) != 0 {
		t.Errorf("half of the batch was stored: %v, %v", totals, err)
	}
}
