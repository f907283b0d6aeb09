package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
)

// patience is how long a test waits for what takes well under a second on a
// machine that has nothing else to do.
const patience = 60 * time.Second

// shell is a folder with an environment, where commands are run.
type shell struct {
	dir string
	env []string
}

func newShell(t *testing.T, env ...string) shell {
	t.Helper()
	return shell{t.TempDir(), env}
}

func (s shell) command(args ...string) *exec.Cmd {
	cmd := exec.Command("livelab", args...)
	cmd.Dir = s.dir
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, "DATABASE_URL=") && !strings.HasPrefix(v, "POSTGRES_") && !strings.HasPrefix(v, "LIVELAB_") && !strings.HasPrefix(v, "OPENAI_") {
			cmd.Env = append(cmd.Env, v)
		}
	}
	cmd.Env = append(cmd.Env, "LIVELAB_TRANSFORM_CACHE="+transformCache)
	cmd.Env = append(cmd.Env, s.env...)
	return cmd
}

// must runs a command that is to succeed, and gives its stdout.
func (s shell) must(t *testing.T, args ...string) string {
	t.Helper()
	var out, errs bytes.Buffer
	cmd := s.command(args...)
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		t.Fatalf("livelab %s: %v\n%s", strings.Join(args, " "), err, errs.String())
	}
	return out.String()
}

// refused runs a command that is to fail with a code and one line of error,
// which it gives.
func (s shell) refused(t *testing.T, code int, args ...string) string {
	t.Helper()
	var errs bytes.Buffer
	cmd := s.command(args...)
	cmd.Stderr = &errs
	var exit *exec.ExitError
	if err := cmd.Run(); !errors.As(err, &exit) || exit.ExitCode() != code {
		t.Fatalf("livelab %s: %v, want exit code %d\n%s", strings.Join(args, " "), err, code, errs.String())
	}
	if problem := oneError(errs.String()); problem != "" {
		t.Errorf("livelab %s: %s\n%s", strings.Join(args, " "), problem, errs.String())
	}
	return errs.String()
}

// process is a livelab that serves.
type process struct {
	cmd            *exec.Cmd
	stdout, stderr buffer
	ended          chan struct{}
	base           string // http://host:port
}

// buffer takes a stream that another goroutine reads.
type buffer struct {
	sync.Mutex
	b bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.Lock()
	defer b.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.Lock()
	defer b.Unlock()
	return b.b.String()
}

var healthLine = regexp.MustCompile(`health +(http://\S+)/health`)

// start starts a livelab that serves on a free port, and waits until it has
// said its address.
func (s shell) start(t *testing.T, args ...string) *process {
	t.Helper()
	p := &process{cmd: s.command(append(args, "--listen", "127.0.0.1:0")...), ended: make(chan struct{})}
	p.cmd.Stdout, p.cmd.Stderr = &p.stdout, &p.stderr
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		p.cmd.Wait()
		close(p.ended)
	}()
	t.Cleanup(func() {
		p.cmd.Process.Kill()
		<-p.ended
		if t.Failed() {
			t.Logf("livelab %s wrote\n%s%s", strings.Join(args, " "), p.stdout.String(), p.stderr.String())
		}
	})
	eventually(t, "the address of the server", func() bool {
		m := healthLine.FindStringSubmatch(p.stdout.String())
		if m != nil {
			p.base = m[1]
		}
		return m != nil || p.hasEnded()
	})
	if p.hasEnded() {
		t.Fatalf("livelab %s ended: %s", strings.Join(args, " "), p.stderr.String())
	}
	return p
}

func (p *process) hasEnded() bool {
	select {
	case <-p.ended:
		return true
	default:
		return false
	}
}

// stop interrupts the process as Ctrl-C does, and wants it to end well.
func (p *process) stop(t *testing.T) {
	t.Helper()
	if err := p.cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	p.wantEnd(t)
}

func (p *process) wantEnd(t *testing.T) {
	t.Helper()
	select {
	case <-p.ended:
	case <-time.After(15 * time.Second): // well over the time that requests under way are given
		t.Fatal("it goes on after an interrupt")
	}
	if code := p.cmd.ProcessState.ExitCode(); code != exitDone {
		t.Errorf("exit code %d after an interrupt, want 0", code)
	}
}

// answer is what an HTTP request came to.
type answer struct {
	status int
	body   string
	json   map[string]any // nil where the body is no JSON object
}

func (p *process) get(t *testing.T, path string) answer {
	t.Helper()
	return p.do(t, http.MethodGet, path, "")
}

func (p *process) post(t *testing.T, path, body string) answer {
	t.Helper()
	return p.do(t, http.MethodPost, path, body)
}

func (p *process) do(t *testing.T, method, path, body string) answer {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, p.base+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatalf("%s %s: %v", method, path, err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatalf("%s %s: %v", method, path, err)
	}
	a := answer{status: resp.StatusCode, body: string(b)}
	if json.Unmarshal(b, &a.json) != nil {
		a.json = nil
	}
	return a
}

// want checks the status and that the body has the fields.
func (a answer) want(t *testing.T, status int, fields ...string) {
	t.Helper()
	if a.status != status {
		t.Errorf("status %d, want %d: %s", a.status, status, a.body)
	}
	for _, f := range fields {
		if _, ok := a.json[f]; !ok {
			t.Errorf("no field %q: %s", f, a.body)
		}
	}
}

// eventually waits until something is so.
func eventually(t *testing.T, what string, so func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !so(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited %s for %s", patience, what)
		}
	}
}
