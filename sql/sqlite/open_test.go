package sqlite_test

import (
	"bytes"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"livelab/pipeline/ingest"
	"livelab/pipeline/observation"
	"livelab/sql/sqlite"
)

func TestOpenRefuses(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := func(name, content string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	tests := []struct {
		name, path string
		want       []string // what the error says
	}{
		{"no name", "", []string{"no file is named"}},
		{"missing folder", filepath.Join(dir, "missing", "livelab.db"), []string{"missing does not exist", "create it"}},
		{"file as folder", filepath.Join(file("plain", ""), "livelab.db"), []string{"plain"}},
		{"folder", dir, []string{"not a regular file"}},
		{"device", "/dev/null", []string{"not a regular file"}},
		{"text", file("text.db", strings.Repeat("this is no database\n", 100)), []string{"text.db is not a SQLite database"}},
		{"short text", file("short.db", "no"), []string{"short.db is not a SQLite database"}},
		{"another program's", foreignDatabase(t), []string{"another program"}},
		{"newer", newerStore(t), []string{"schema version 999", "use the newer livelab"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			before, _ := os.ReadFile(tt.path)
			s, err := sqlite.Open(t.Context(), tt.path, sqlite.Options{})
			if err == nil {
				s.Close()
				t.Fatal("opened")
			}
			for _, want := range tt.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("error %q does not say %q", err, want)
				}
			}
			if after, _ := os.ReadFile(tt.path); !bytes.Equal(before, after) {
				t.Error("the file was changed")
			}
		})
	}
}

// execute runs SQL on a file without the store.
func execute(t *testing.T, path, query string) {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec(query); err != nil {
		t.Fatal(err)
	}
}

// foreignDatabase is in WAL mode already, as the file may not change.
func foreignDatabase(t *testing.T) string {
	path := filepath.Join(t.TempDir(), "bookmarks.db")
	execute(t, path, "PRAGMA journal_mode = WAL; CREATE TABLE bookmarks (url TEXT)")
	return path
}

func newerStore(t *testing.T) string {
	path := filepath.Join(t.TempDir(), "newer.db")
	if err := reopenOnce(t, path).Close(); err != nil {
		t.Fatal(err)
	}
	execute(t, path, "INSERT INTO goose_db_version (version_id, is_applied) VALUES (999, 1)")
	return path
}

// reopenOnce opens and migrates a store that the caller closes.
func reopenOnce(t *testing.T, path string) *sqlite.Store {
	t.Helper()
	s, err := sqlite.Open(t.Context(), path, sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s
}

func TestOpenNewerError(t *testing.T) {
	t.Parallel()
	_, err := sqlite.Open(t.Context(), newerStore(t), sqlite.Options{})
	if !errors.Is(err, sqlite.ErrNewer) {
		t.Errorf("error %v is not ErrNewer", err)
	}
}

func TestOddFileNames(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, name := range []string{"a b.db", "100%.db", "what?.db", "#1.db", "ø&mode=memory", ":memory:", "file:x"} {
		reopen(t, filepath.Join(dir, name))
		if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
			t.Errorf("the store is not where it was named: %v", err)
		}
	}
}

func TestDataStays(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "livelab.db")
	s := reopenOnce(t, path)
	addSnapshot(t, s, 1)
	for range 2 {
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	totals, err := reopen(t, path).Totals(t.Context(), "n", time.Time{}, time.Time{})
	if err != nil || len(totals) != 1 {
		t.Errorf("after opening it again: %v, %v", totals, err)
	}
	if _, err := os.Stat(path + "-wal"); err == nil {
		if info, err := os.Stat(path); err != nil || info.Size() < 10_000 {
			t.Error("Close left the data in the write-ahead log")
		}
	}
}

func snapshot(second int64) ingest.Batch {
	return ingest.Batch{Totals: []observation.Totals{{At: time.Unix(second, 0).UTC(), Stations: 1}}}
}

func addSnapshot(t *testing.T, s *sqlite.Store, second int64) {
	t.Helper()
	err := s.Update(t.Context(), []string{"n"}, func(tx ingest.Tx) error {
		return tx.Write(t.Context(), "n", snapshot(second))
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestAnotherWriter(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "livelab.db")
	s := reopen(t, path)
	err := s.Update(t.Context(), []string{"n"}, func(ingest.Tx) error {
		// Opening and reading goes on while somebody writes.
		other, err := sqlite.Open(t.Context(), path, sqlite.Options{BusyTimeout: 20 * time.Millisecond})
		if err != nil {
			return err
		}
		defer other.Close()
		if _, err := other.Networks(t.Context()); err != nil {
			return err
		}
		err = other.Update(t.Context(), []string{"n"}, func(ingest.Tx) error { return nil })
		if err == nil || !strings.Contains(err.Error(), "another process") || !strings.Contains(err.Error(), path) {
			t.Errorf("a second writer got %v", err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestLock(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "livelab.db")
	release, err := sqlite.Lock(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := sqlite.Lock(path); err == nil || !strings.Contains(err.Error(), path+" is in use") {
		t.Errorf("a second lock gave %v", err)
	}
	addSnapshot(t, reopen(t, path), 1) // who has the lock can use the store
	if err := release(); err != nil {
		t.Fatal(err)
	}
	again, err := sqlite.Lock(path)
	if err != nil {
		t.Fatalf("lock after release: %v", err)
	}
	again()
	if _, err := sqlite.Lock(filepath.Join(t.TempDir(), "missing", "livelab.db")); err == nil {
		t.Error("locked in a folder that does not exist")
	}
}
