package main

import (
	"database/sql"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"

	_ "livelab/sql/sqlite" // the driver "sqlite"
)

// logTable is a server's table of predictions, looked at from outside. What is
// nil has none.
type logTable struct {
	db    *sql.DB
	empty string // the statement that empties it

	// postmaster is PostgreSQL's first process, of which backend is the child
	// that looks. Both are 0 for SQLite.
	postmaster, backend int
}

func openSQLiteLog(b *testing.B, file string) *logTable {
	b.Helper()
	return &logTable{db: openDB(b, "sqlite", "file:"+file+"?_pragma=busy_timeout(10000)"), empty: "DELETE FROM prediction_log"}
}

func openPostgresLog(b *testing.B, server string) *logTable {
	b.Helper()
	u, err := url.Parse(server)
	if err != nil {
		b.Fatal(err)
	}
	// The lock beside the socket names the process in its first line.
	lock, err := os.ReadFile(filepath.Join(u.Query().Get("host"), ".s.PGSQL.5432.lock"))
	if err != nil {
		b.Fatal(err)
	}
	first, _, _ := strings.Cut(string(lock), "\n")
	t := &logTable{db: openDB(b, "pgx", server+"&max_parallel_workers_per_gather=0"), empty: "TRUNCATE prediction_log"}
	if t.postmaster, err = strconv.Atoi(first); err != nil {
		b.Fatal(err)
	}
	if err := t.db.QueryRowContext(b.Context(), "SELECT pg_backend_pid()").Scan(&t.backend); err != nil {
		b.Fatal(err)
	}
	return t
}

func openDB(b *testing.B, driver, url string) *sql.DB {
	b.Helper()
	db, err := sql.Open(driver, url)
	if err != nil {
		b.Fatal(err)
	}
	db.SetMaxOpenConns(1)
	db.SetMaxIdleConns(1)
	b.Cleanup(func() { db.Close() })
	return db
}

// cpuTime is the processor time that PostgreSQL has used, without what is
// spent on looking.
func (t *logTable) cpuTime(b *testing.B) time.Duration {
	b.Helper()
	if t == nil || t.postmaster == 0 {
		return 0
	}
	return cpuTimeOfTree(b, t.postmaster) - cpuTime(b, t.backend)
}

// How far the log may be behind at the end of a load, and how long it may make
// no progress.
const (
	maxDrain = time.Minute
	maxPause = 10 * time.Second
)

// drain waits until all predictions are in the table, says how long that took,
// and empties it, so that each run finds the same.
func (t *logTable) drain(b *testing.B, answered func() int64) time.Duration {
	b.Helper()
	began, want := time.Now(), answered()
	stored, grown := t.count(b), began
	for stored < want && time.Since(began) < maxDrain && time.Since(grown) < maxPause {
		time.Sleep(20 * time.Millisecond)
		if n := t.count(b); n != stored {
			stored, grown = n, time.Now()
		}
	}
	took := time.Since(began)
	// The last ones may have been answered while the first count was made.
	if want = answered(); stored < want {
		time.Sleep(time.Second)
		stored = t.count(b)
	}
	if stored != want {
		b.Errorf("of %d predictions answered, %d are in the table %.1f s after the load", want, stored, time.Since(began).Seconds())
	}
	if _, err := t.db.ExecContext(b.Context(), t.empty); err != nil {
		b.Fatal(err)
	}
	return took
}

func (t *logTable) count(b *testing.B) (n int64) {
	b.Helper()
	if err := t.db.QueryRowContext(b.Context(), "SELECT count(*) FROM prediction_log").Scan(&n); err != nil {
		b.Fatal(fmt.Errorf("count the logged predictions: %w", err))
	}
	return n
}
