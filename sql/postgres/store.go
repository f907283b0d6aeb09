// Package postgres is the store for everything beyond one machine. It
// implements the stores of the rooms ingest, dataset and predlog on PostgreSQL,
// version 13 or later.
package postgres

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"livelab/pipeline/dataset"
	"livelab/pipeline/ingest"
	"livelab/runtime/predlog"
)

// Options of a store. The zero value is the default.
type Options struct {
	// Schema holds the tables. Migrate creates it. Default: the first schema
	// on the search path of the URL or the user, usually "public".
	Schema string

	// MaxConns is how many connections the store uses at most; who needs one
	// more waits. Fewer than 4 count as 4. Default: the URL's pool_max_conns, else 8.
	MaxConns int32

	// ConnectTimeout bounds the making of a connection. Default: the URL's
	// connect_timeout, else 5 s.
	ConnectTimeout time.Duration
}

const (
	defaultMaxConns       = 8
	minMaxConns           = 4 // Own keeps one and Migrate needs two, beside a walk
	defaultConnectTimeout = 5 * time.Second
)

// Store is safe for concurrent use.
type Store struct {
	pool   *pgxpool.Pool
	target string // whom the errors name; never holds the password
	create string // the schema that Migrate creates, quoted; may be empty

	partitions partitions // of the prediction log
}

var (
	_ ingest.Store  = (*Store)(nil)
	_ dataset.Store = (*Store)(nil)
	_ predlog.Store = (*Store)(nil)
)

// Open connects to the database that url names, as a URL (postgres://…) or as
// key=value words. It refuses a store that a newer LiveLab has migrated. The
// schema is left as it is: see Migrate. No error shows the password.
func Open(ctx context.Context, url string, opts Options) (*Store, error) {
	cfg, err := configure(url, opts)
	if err != nil {
		return nil, fmt.Errorf("open store: %w", err)
	}
	s := &Store{target: target(cfg.ConnConfig)}
	if opts.Schema != "" {
		s.create = pgx.Identifier{opts.Schema}.Sanitize()
	}
	if s.pool, err = pgxpool.NewWithConfig(ctx, cfg); err != nil {
		return nil, fmt.Errorf("open store: %w", s.explain(ctx, err))
	}
	if err := s.check(ctx); err != nil {
		s.Close()
		return nil, fmt.Errorf("open store: %w", err)
	}
	return s, nil
}

func (s *Store) check(ctx context.Context) error {
	if err := s.pool.Ping(ctx); err != nil {
		return s.explain(ctx, err)
	}
	current, latest, err := s.Version(ctx)
	if err != nil {
		return err
	}
	return s.refuseNewer(current, latest)
}

func configure(url string, opts Options) (*pgxpool.Config, error) {
	cfg, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, explainURL(url, err)
	}
	if !strings.Contains(url, "pool_max_conns") {
		cfg.MaxConns = defaultMaxConns
	}
	if opts.MaxConns > 0 {
		cfg.MaxConns = opts.MaxConns
	}
	cfg.MaxConns = max(cfg.MaxConns, minMaxConns)
	if cfg.ConnConfig.ConnectTimeout == 0 {
		cfg.ConnConfig.ConnectTimeout = defaultConnectTimeout
	}
	if opts.ConnectTimeout > 0 {
		cfg.ConnConfig.ConnectTimeout = opts.ConnectTimeout
	}
	params := cfg.ConnConfig.RuntimeParams
	if params["application_name"] == "" {
		params["application_name"] = "livelab"
	}
	if opts.Schema != "" {
		params["search_path"] = pgx.Identifier{opts.Schema}.Sanitize()
	}
	cfg.ShouldPing = always
	cfg.PingTimeout = cfg.ConnConfig.ConnectTimeout // a connection that is silent for longer is given up
	cfg.ConnConfig.DialFunc = newDialer().DialContext
	return cfg, nil
}

// always pings a connection before it is used, however short it was idle, so
// that the first query after a restart of the database works. The round trip
// is 35 µs beside the database; PgConn.CheckConn, which needs none, waits a
// millisecond for the connection to say that it is closed.
func always(context.Context, pgxpool.ShouldPingParams) bool { return true }

// passwordPattern finds what may be a password in a URL or in key=value words.
var passwordPattern = regexp.MustCompile(`(?i)://[^:/?#]*:(.+)@|password\s*=\s*('(?:[^'\\]|\\.)*'|[^\s&]+)`)

var plainWord = regexp.MustCompile(`^[A-Za-z0-9_.~-]+$`)

// explainURL says why a URL cannot be used. The reason is left out where it
// may show a part of a password: how to read a broken URL is anybody's guess.
func explainURL(url string, err error) error {
	const expected = "the database URL cannot be used, expected postgres://user:password@host:port/database"
	reason := ""
	var parse *pgconn.ParseConfigError
	if errors.As(err, &parse) {
		// The error is "cannot parse `URL, redacted`: reason".
		_, reason, _ = strings.Cut(err.Error(), "`: ")
	}
	if reason == "" || mayShowPassword(reason, url) {
		return errors.New(expected)
	}
	return fmt.Errorf("%s: %s", expected, reason)
}

// mayShowPassword is true unless every password in the URL is a plain word
// that the text does not hold. Of any other password the text could show a
// part, cut where the parser took a character of it for a separator.
func mayShowPassword(text, url string) bool {
	for _, groups := range passwordPattern.FindAllStringSubmatch(url, -1) {
		for _, secret := range groups[1:] {
			if secret != "" && (!plainWord.MatchString(secret) || strings.Contains(text, secret)) {
				return true
			}
		}
	}
	return false
}

// target names the database for a person.
func target(c *pgx.ConnConfig) string {
	address := fmt.Sprintf("%s:%d", c.Host, c.Port)
	if strings.HasPrefix(c.Host, "/") {
		address = c.Host
	}
	return fmt.Sprintf("database %q at %s as user %q", c.Database, address, c.User)
}

// Ping reports whether the database answers.
func (s *Store) Ping(ctx context.Context) error {
	if err := s.pool.Ping(ctx); err != nil {
		return fmt.Errorf("ping store: %w", s.explain(ctx, err))
	}
	return nil
}

// closeWait is how long Close waits. The driver parts from a connection in the
// middle of a call by asking the server to end the call, for which it gives a
// server that is frozen 15 s.
const closeWait = time.Second

// Close waits for what is under way, for a second, and closes the connections.
// Those that last longer are given up, and end with the server's answer or the
// process. Closing twice does nothing.
func (s *Store) Close() error {
	closed := make(chan struct{})
	go func() {
		defer close(closed)
		s.pool.Close()
	}()
	select {
	case <-closed:
	case <-time.After(closeWait):
	}
	return nil
}
