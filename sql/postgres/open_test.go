package postgres_test

import (
	"context"
	"errors"
	"net"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/errgroup"

	"livelab/sql/pgtest"
	"livelab/sql/postgres"
)

const secret = "s3cr3t"

// TestOpenHidesThePassword gives URLs that are wrong in every way that puts
// the password where a parser may not look for it.
func TestOpenHidesThePassword(t *testing.T) {
	t.Parallel()
	closed := closedPort(t)
	urls := []string{
		"postgres://user:" + secret + "@" + closed + "/db",
		"postgres://user:" + secret + "@" + closed + "/db?sslmode=sometimes",
		"postgres://user:" + secret + "@host:port/db",
		"postgres://user:" + secret + "/x@" + closed + "/db?connect_timeout=x",
		"postgres://user:" + secret + "%zz@" + closed + "/db",
		"postgres://user:x:" + secret + "@[::1/db",
		"postgres://user@" + closed + "/db?password=" + secret + "&sslmode=sometimes",
		"postgres:/user:" + secret + "@" + closed + "/db",
		"user:" + secret + "@" + closed + "/db",
		"host=127.0.0.1 port=x user=u password=" + secret,
		"host=127.0.0.1 port=x user=u password = '" + secret + " and more'",
		"postgres://user:" + secret + "@" + closed + "/db?connect_timeout=" + secret,
		"mysql://user:" + secret + "@" + closed + "/db",
	}
	for _, u := range urls {
		s, err := postgres.Open(t.Context(), u, postgres.Options{ConnectTimeout: time.Second})
		if err == nil {
			s.Close()
			t.Errorf("opened %s", u)
			continue
		}
		if strings.Contains(err.Error(), "\n") {
			t.Errorf("the error for %s has several lines: %v", u, err)
		}
		if strings.Contains(err.Error(), secret) {
			t.Errorf("the error for %s shows the password: %v", u, err)
		}
	}
}

// closedPort is an address where nobody listens.
func closedPort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// silentPort is an address where somebody listens and never answers.
func silentPort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l.Addr().String()
}

func TestOpenRefuses(t *testing.T) {
	t.Parallel()
	closed := closedPort(t)
	tests := []struct {
		name, url string
		opts      postgres.Options
		want      []string
	}{
		{"unknown setting", "postgres://u:p@localhost/db?sslmode=sometimes", postgres.Options{}, []string{"expected postgres://", "sslmode"}},
		{"nobody listens", "postgres://u:p@" + closed + "/db", postgres.Options{}, []string{closed, `database "db"`, `user "u"`, "check that PostgreSQL runs"}},
		{"no answer", "postgres://u:p@" + silentPort(t) + "/db", postgres.Options{ConnectTimeout: 50 * time.Millisecond}, []string{"no answer in time"}},
		{"no such database", strings.Replace(pgtest.URL(t), "/postgres?", "/nowhere?", 1), postgres.Options{}, []string{"nowhere", "does not exist: create it"}},
		{"no such user", strings.Replace(pgtest.URL(t), "user=postgres", "user=stranger", 1), postgres.Options{}, []string{"stranger", "check user and password"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s, err := postgres.Open(t.Context(), tt.url, tt.opts)
			if err == nil {
				s.Close()
				t.Fatal("opened")
			}
			for _, want := range tt.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("error %q does not say %q", err, want)
				}
			}
		})
	}
}

func TestOpenNewer(t *testing.T) {
	t.Parallel()
	u := pgtest.URL(t)
	reopen(t, u, postgres.Options{})
	execute(t, u, "INSERT INTO goose_db_version (version_id, is_applied) VALUES (999, true)")
	_, err := postgres.Open(t.Context(), u, postgres.Options{})
	if !errors.Is(err, postgres.ErrNewer) || !strings.Contains(err.Error(), "999") {
		t.Errorf("opening a newer store gave %v", err)
	}
}

// execute runs SQL without the store.
func execute(t *testing.T, url, query string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	if _, err := conn.Exec(t.Context(), query); err != nil {
		t.Fatal(err)
	}
}

func TestMigrate(t *testing.T) {
	t.Parallel()
	s, err := postgres.Open(t.Context(), pgtest.URL(t), postgres.Options{})
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

// TestMigrateTogether starts several programs on one new database.
func TestMigrateTogether(t *testing.T) {
	t.Parallel()
	u := pgtest.URL(t)
	var g errgroup.Group
	for range 4 {
		g.Go(func() error {
			s, err := postgres.Open(t.Context(), u, postgres.Options{MaxConns: 1})
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
}

// TestSchema has two stores in one database, of which one needs quoting.
func TestSchema(t *testing.T) {
	t.Parallel()
	u := pgtest.URL(t)
	parsed, err := url.Parse(u)
	if err != nil {
		t.Fatal(err)
	}
	first := parsed.Query().Get("search_path")
	second := `Odd "` + first + `" schema`
	t.Cleanup(func() {
		conn, err := pgx.Connect(context.Background(), u)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close(context.Background())
		if _, err := conn.Exec(context.Background(), "DROP SCHEMA "+pgx.Identifier{second}.Sanitize()+" CASCADE"); err != nil {
			t.Error(err)
		}
	})
	a := reopen(t, u, postgres.Options{Schema: first})
	b := reopen(t, u, postgres.Options{Schema: second})
	addSnapshot(t, a, 1)
	for s, want := range map[*postgres.Store]int{a: 1, b: 0} {
		networks, err := s.Networks(t.Context())
		if err != nil || len(networks) != want {
			t.Errorf("networks: %v, %v; want %d", networks, err, want)
		}
	}
}
