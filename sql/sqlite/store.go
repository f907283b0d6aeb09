// Package sqlite is the embedded store: one SQLite file that needs nothing
// installed. It implements the stores of the rooms ingest, dataset and predlog.
//
// The file is opened twice. One connection writes, so that writers in this
// process queue in Go, where waiting ends with the context, and not inside
// SQLite. Some more read, and see the state before a write that is under way.
package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"time"

	_ "modernc.org/sqlite" // the driver "sqlite"

	"livelab/pipeline/dataset"
	"livelab/pipeline/ingest"
	"livelab/runtime/predlog"
)

// Options of a store. The zero value is the default.
type Options struct {
	// BusyTimeout is how long a write waits for another process that writes
	// to the same file. Default 5 s.
	BusyTimeout time.Duration

	// Readers is how many connections read at a time; more wait. Default 4.
	Readers int
}

func (o Options) withDefaults() Options {
	if o.BusyTimeout <= 0 {
		o.BusyTimeout = 5 * time.Second
	}
	if o.Readers <= 0 {
		o.Readers = 4
	}
	return o
}

// Store is safe for concurrent use.
type Store struct {
	path   string
	opts   Options
	writer *sql.DB // one connection
	reader *sql.DB
}

var (
	_ ingest.Store  = (*Store)(nil)
	_ dataset.Store = (*Store)(nil)
	_ predlog.Store = (*Store)(nil)
)

// Open opens the file at path, and creates it where there is none. It refuses
// what is not a store of LiveLab, and a store that a newer LiveLab has written.
// The schema is left as it is: see Migrate.
func Open(ctx context.Context, path string, opts Options) (*Store, error) {
	opts = opts.withDefaults()
	s, err := open(path, opts)
	if err != nil {
		return nil, fmt.Errorf("open store: %w", err)
	}
	if err := s.check(ctx); err != nil {
		s.Close()
		return nil, fmt.Errorf("open store: %w", err)
	}
	return s, nil
}

func open(path string, opts Options) (*Store, error) {
	if err := checkPath(path); err != nil {
		return nil, err
	}
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	s := &Store{path: path, opts: opts}
	if s.writer, err = sql.Open("sqlite", dsn(abs, opts)); err != nil {
		return nil, err
	}
	s.writer.SetMaxOpenConns(1)
	if s.reader, err = sql.Open("sqlite", dsn(abs, opts, "query_only(1)")); err != nil {
		s.writer.Close()
		return nil, err
	}
	s.reader.SetMaxOpenConns(opts.Readers)
	s.reader.SetMaxIdleConns(opts.Readers)
	return s, nil
}

// dsn is the driver's name for the file. The pragmas:
//
//   - WAL lets readers go on while somebody writes.
//   - synchronous=FULL syncs at each commit. NORMAL would be safe against a
//     crash of the program but could lose the last commits when the power
//     fails; LiveLab writes in few and large transactions, so it would gain
//     next to nothing.
//   - The cache of a connection, 4 MiB, holds a large import's hot pages: with
//     four times as much an import is not faster, and a server that logs its
//     predictions fills whatever it is given.
//
// Transactions begin IMMEDIATE: one that starts reading and then wants to
// write could find that it may not.
func dsn(path string, opts Options, pragmas ...string) string {
	query := url.Values{"_txlock": {"immediate"}}
	query["_pragma"] = append([]string{
		fmt.Sprintf("busy_timeout(%d)", opts.BusyTimeout.Milliseconds()),
		"journal_mode(WAL)",
		"synchronous(FULL)",
		"foreign_keys(1)",
		"cache_size(-4096)",
	}, pragmas...)
	return (&url.URL{Scheme: "file", OmitHost: true, Path: filepath.ToSlash(path), RawQuery: query.Encode()}).String()
}

// checkPath finds the mistakes that SQLite would only call "unable to open".
func checkPath(path string) error {
	if path == "" {
		return errors.New("no file is named")
	}
	dir := filepath.Dir(path)
	info, err := os.Stat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%s: the folder %s does not exist: create it, or name another file", path, dir)
	case err != nil:
		return err
	case !info.IsDir():
		return fmt.Errorf("%s: %s is not a folder: name another file", path, dir)
	}
	info, err = os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	case !info.Mode().IsRegular():
		return fmt.Errorf("%s is not a regular file: name another one", path)
	}
	return nil
}

// check opens the file for real and looks at what it is.
func (s *Store) check(ctx context.Context) error {
	if err := s.checkOurs(ctx); err != nil {
		return err
	}
	if err := s.checkWritable(ctx); err != nil {
		return err
	}
	current, latest, err := s.Version(ctx)
	if err != nil {
		return err
	}
	return s.refuseNewer(current, latest)
}

// applicationID is what the first migration writes into the file's header.
const applicationID = 0x4c69564c

func (s *Store) checkOurs(ctx context.Context) error {
	var id, tables int
	err := s.writer.QueryRowContext(ctx, "SELECT (SELECT application_id FROM pragma_application_id), (SELECT count(*) FROM sqlite_schema WHERE type = 'table')").Scan(&id, &tables)
	if err != nil {
		return s.explain(ctx, err)
	}
	// goose makes its own table before it runs the first migration, so a
	// store whose first start was cut short has just that one.
	if id == applicationID || tables == 0 {
		return nil
	}
	var others int
	err = s.writer.QueryRowContext(ctx, "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'goose\\_%' ESCAPE '\\' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'").Scan(&others)
	if err != nil {
		return s.explain(ctx, err)
	}
	if others > 0 {
		return fmt.Errorf("%s is a SQLite database of another program: it was left as it is; name another file", s.path)
	}
	return nil
}

// checkWritable finds out now, and not at the first write, that the file
// cannot be written. A store that somebody else writes to is fine.
func (s *Store) checkWritable(ctx context.Context) error {
	conn, err := s.writer.Conn(ctx)
	if err != nil {
		return s.explain(ctx, err)
	}
	defer conn.Close()
	if _, err := conn.ExecContext(ctx, "PRAGMA busy_timeout = 0"); err != nil {
		return s.explain(ctx, err)
	}
	if _, err := conn.ExecContext(ctx, "BEGIN IMMEDIATE; ROLLBACK"); err != nil && !isBusy(err) {
		return s.explain(ctx, err)
	}
	_, err = conn.ExecContext(ctx, fmt.Sprintf("PRAGMA busy_timeout = %d", s.opts.BusyTimeout.Milliseconds()))
	return s.explain(ctx, err)
}

// Ping reports whether the store answers.
func (s *Store) Ping(ctx context.Context) error {
	var one int
	if err := s.reader.QueryRowContext(ctx, "SELECT 1 FROM (SELECT count(*) FROM sqlite_schema)").Scan(&one); err != nil {
		return fmt.Errorf("ping store: %w", s.explain(ctx, err))
	}
	return nil
}

// Close waits for what is under way and closes the file. Closing twice does
// nothing.
func (s *Store) Close() error {
	// The last connection to close folds the write-ahead log into the file,
	// which readers may not.
	return errors.Join(s.reader.Close(), s.writer.Close())
}
