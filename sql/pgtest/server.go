package pgtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// startTimeout is generous: a loaded machine may take seconds for initdb, and
// a server that was killed has to recover first.
const startTimeout = 60 * time.Second

// settings trade durability for speed. A killed server still loses nothing,
// since the kernel keeps what was written; only a crash of the machine would.
// (synchronous_commit=off would lose more than that, so it stays on.)
var settings = []string{
	"fsync=off",
	"full_page_writes=off",
	"listen_addresses=",
	"max_connections=100",
	"shared_buffers=128MB",
	"timezone=UTC",
}

// Server is a private PostgreSQL. Its methods are for one goroutine at a time.
type Server struct {
	bin     string // folder of initdb and postgres
	dir     string // holds the data folder, the socket and the log
	cred    *syscall.Credential
	extra   []string // settings that come after ours
	process *process // nil while stopped
	frozen  bool
}

// start makes a fresh cluster and starts its server.
func start(extra ...string) (_ *Server, err error) {
	bin, err := findBinaries()
	if err != nil {
		return nil, err
	}
	cred, err := unprivileged()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "pgtest-")
	if err != nil {
		return nil, fmt.Errorf("make a folder for PostgreSQL: %w", err)
	}
	s := &Server{bin: bin, dir: dir, cred: cred, extra: extra}
	defer func() {
		if err != nil {
			s.remove()
		}
	}()
	if err := s.initialise(); err != nil {
		return nil, err
	}
	return s, s.launch()
}

func (s *Server) data() string    { return filepath.Join(s.dir, "data") }
func (s *Server) logFile() string { return filepath.Join(s.dir, "log") }

// URL connects as superuser to the database "postgres". It has a query part
// already, so that more can be added with "&".
func (s *Server) URL() string {
	return "postgres:///postgres?user=postgres&sslmode=disable&host=" + url.QueryEscape(s.dir)
}

func (s *Server) initialise() error {
	if s.cred != nil {
		if err := os.Chown(s.dir, int(s.cred.Uid), int(s.cred.Gid)); err != nil {
			return fmt.Errorf("give the folder to PostgreSQL's user: %w", err)
		}
	}
	cmd := s.command("initdb", "--pgdata="+s.data(), "--username=postgres", "--auth=trust",
		"--encoding=UTF8", "--locale=C", "--no-sync")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb: %w\n%s", err, bytes.TrimSpace(out))
	}
	return nil
}

// command prepares one of PostgreSQL's programs, run as a user that it accepts.
func (s *Server) command(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(filepath.Join(s.bin, name), args...)
	cmd.Dir = s.dir
	cmd.Env = append(cleanEnviron(), "TZ=UTC", "HOME="+s.dir)
	cmd.SysProcAttr = processAttributes(s.cred)
	return cmd
}

// cleanEnviron is the environment without the variables that would point
// PostgreSQL's programs to another server.
func cleanEnviron() []string {
	var env []string
	for _, kv := range os.Environ() {
		if !strings.HasPrefix(kv, "PG") {
			env = append(env, kv)
		}
	}
	return env
}

func (s *Server) launch() error {
	args := []string{"-D", s.data(), "-k", s.dir}
	for _, setting := range slices.Concat(settings, s.extra) {
		args = append(args, "-c", setting)
	}
	log, err := os.OpenFile(s.logFile(), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return fmt.Errorf("open PostgreSQL's log: %w", err)
	}
	defer log.Close()
	cmd := s.command("postgres", args...)
	cmd.Stdout, cmd.Stderr = log, log
	if s.process, err = spawn(cmd); err != nil {
		return fmt.Errorf("start postgres: %w", err)
	}
	return s.awaitReady()
}

// awaitReady waits until the server answers a query.
func (s *Server) awaitReady() error {
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	for {
		conn, err := pgx.Connect(ctx, s.URL())
		if err == nil {
			return conn.Close(ctx)
		}
		select {
		case <-s.process.done:
			return fmt.Errorf("postgres ended while starting: %w\n%s", s.process.err, s.log())
		case <-ctx.Done():
			return fmt.Errorf("postgres did not answer within %v: %w\n%s", startTimeout, err, s.log())
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func (s *Server) log() []byte {
	text, _ := os.ReadFile(s.logFile())
	return bytes.TrimSpace(text)
}

// Stop shuts the server down in order, ending its sessions. Stopping a stopped
// server does nothing.
func (s *Server) Stop(t testing.TB) {
	t.Helper()
	if err := s.end(syscall.SIGINT); err != nil {
		t.Fatalf("stop postgres: %v", err)
	}
}

// Restart stops the server if it runs and starts it on the same data.
func (s *Server) Restart(t testing.TB) {
	t.Helper()
	s.Stop(t)
	if err := s.launch(); err != nil {
		t.Fatalf("restart postgres: %v", err)
	}
}

func (s *Server) end(signal syscall.Signal) error {
	if s.process == nil {
		return nil
	}
	p := s.process
	if s.frozen {
		// Whoever is stopped hears of no signal but SIGKILL.
		if _, err := signalAll(p.cmd.Process.Pid, syscall.SIGCONT); err != nil {
			return err
		}
	}
	s.process, s.frozen = nil, false
	if err := p.cmd.Process.Signal(signal); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	select {
	case <-p.done:
		return nil
	case <-time.After(startTimeout):
		p.cmd.Process.Kill()
		<-p.done
		return fmt.Errorf("postgres did not end within %v of %v", startTimeout, signal)
	}
}

// remove ends the server at once and deletes its folder. It is for cleaning up, so
// nothing is left to be done about an error.
func (s *Server) remove() {
	s.end(syscall.SIGQUIT)
	os.RemoveAll(s.dir)
}
