// Package pgtest gives tests a real PostgreSQL: a private server started from
// the machine's own binaries, on a Unix socket in a folder of its own, with an
// isolated schema for each test. It needs no account, no port and no container.
//
// A package that uses it has
//
//	func TestMain(m *testing.M) { os.Exit(pgtest.Run(m)) }
//
// and asks for a database with [URL]. The server starts at the first call and
// stops when the tests are over, or when their process dies.
package pgtest

import (
	"context"
	"crypto/rand"
	"errors"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// shared is the server that all tests of one process use.
var shared struct {
	sync.Mutex
	running bool // Run is on the stack, so there is somebody to stop the server
	started bool
	server  *Server
	err     error
}

// Run runs the tests and stops the shared server after them. It returns the
// exit code.
func Run(m *testing.M) int {
	shared.Lock()
	shared.running = true
	shared.Unlock()
	defer stopShared()
	return m.Run()
}

func stopShared() {
	shared.Lock()
	defer shared.Unlock()
	shared.running = false
	if shared.server != nil {
		shared.server.remove()
	}
}

// URL gives the connection URL of an empty schema on the shared server. The
// schema is the only one on the search path, and is dropped after the test.
//
// Where the machine has no PostgreSQL the test is skipped, and with CI=true it
// fails instead, so that no pipeline passes without having tested.
func URL(t testing.TB) string {
	t.Helper()
	return sharedServer(t).Schema(t)
}

// Schema gives the connection URL of an empty schema on this server. The
// schema is the only one on the search path, and is dropped after the test.
func (s *Server) Schema(t testing.TB) string {
	t.Helper()
	schema := "test_" + strings.ToLower(rand.Text())
	if err := s.exec("CREATE SCHEMA " + schema); err != nil {
		t.Fatalf("create a schema for the test: %v", err)
	}
	t.Cleanup(func() {
		if err := s.exec("DROP SCHEMA " + schema + " CASCADE"); err != nil {
			t.Errorf("drop the schema of the test: %v", err)
		}
	})
	return s.URL() + "&search_path=" + url.QueryEscape(schema)
}

// Start starts a server for this test alone, for tests that stop or kill it.
// It is removed after the test. Settings such as "fsync=on" come after the
// package's own and win. Without binaries it does as [URL] does.
func Start(t testing.TB, settings ...string) *Server {
	t.Helper()
	server, err := start(settings...)
	failOrSkip(t, err)
	t.Cleanup(server.remove)
	return server
}

func sharedServer(t testing.TB) *Server {
	t.Helper()
	shared.Lock()
	defer shared.Unlock()
	if !shared.running {
		t.Fatal("pgtest.URL needs func TestMain(m *testing.M) { os.Exit(pgtest.Run(m)) } in this package, to stop the server at the end")
	}
	if !shared.started {
		shared.started = true
		shared.server, shared.err = start()
	}
	failOrSkip(t, shared.err)
	return shared.server
}

func failOrSkip(t testing.TB, err error) {
	t.Helper()
	switch {
	case err == nil:
	case errors.Is(err, errNoBinaries) && os.Getenv("CI") != "true":
		t.Skip(err)
	default:
		t.Fatal(err)
	}
}

// exec runs one statement on a connection of its own.
func (s *Server) exec(sql string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	conn, err := pgx.Connect(ctx, s.URL())
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	_, err = conn.Exec(ctx, sql)
	return err
}
