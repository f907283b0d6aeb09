package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestDiskFull lets no file grow over a limit, as a full disk does in the
// midst of one, and then gives the room back.
func TestDiskFull(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	s.must(t, "dataset", "--source", "sim", "--days", "45", "--out", "frozen")
	s.must(t, "retrain", "--dataset", "frozen")
	champion := s.must(t, "models", "show", "--json")
	s.must(t, "train", "--dataset", "frozen", "--features", "classic")
	write(t, filepath.Join(s.dir, "first.csv"), "ts,network,station_id,free_bikes,empty_slots\n2026-01-01T00:00:00Z,here,a,3,7\n")
	s.must(t, "import", "first.csv")
	before := dumpOf(t, s)
	write(t, filepath.Join(s.dir, "more.csv"), "ts,network,station_id,free_bikes,empty_slots\n"+
		"2026-01-02T00:00:00Z,here,a,4,6\n"+manyRows(5000))

	for _, limited := range []struct {
		blocks string // of 512 bytes, or of 1024: a shell may choose
		args   []string
	}{
		{"150", []string{"import", "more.csv"}},
		{"8", []string{"dataset", "--source", "sim", "--days", "45", "--out", "half"}},
		{"2", []string{"train", "--dataset", "frozen", "--horizon", "2h"}},
		{"1", []string{"gate"}},
	} {
		said := s.limited(t, limited.blocks, limited.args...)
		if problem := oneError(said); problem != "" {
			t.Errorf("%v: %s\n%s", limited.args, problem, said)
		}
	}
	if after := dumpOf(t, s); after != before {
		t.Errorf("the store changed from\n%s\nto\n%.1000s", before, after)
	}
	if _, err := os.Stat(filepath.Join(s.dir, "half")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("half a dataset is left: %v", err)
	}
	if now := s.must(t, "models", "show", "--json"); now != champion {
		t.Errorf("the champion changed to %s", now)
	}
	if out := s.must(t, "import", "more.csv"); !strings.Contains(out, "2 snapshots stored") {
		t.Errorf("with room again: %s", out)
	}
	s.must(t, "retrain", "--dataset", "frozen", "--horizon", "2h")
}

// limited runs a command that is to fail for want of room, and gives its
// stderr.
func (s shell) limited(t *testing.T, blocks string, args ...string) string {
	t.Helper()
	program, err := exec.LookPath("livelab")
	if err != nil {
		t.Fatal(err)
	}
	cmd := s.command()
	cmd.Path, err = exec.LookPath("sh")
	if err != nil {
		t.Fatal(err)
	}
	cmd.Args = append([]string{"sh", "-c", `ulimit -f "$0" && exec "$@"`, blocks, program}, args...)
	var said strings.Builder
	cmd.Stderr = &said
	var exit *exec.ExitError
	if err := cmd.Run(); !errors.As(err, &exit) || exit.ExitCode() != exitFailed {
		t.Errorf("%v in %s blocks: %v, want exit code 1\n%s", args, blocks, err, said.String())
	}
	return said.String()
}

// manyRows is a snapshot of n stations.
func manyRows(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "2026-01-03T00:00:00Z,here,a station with a name of some length %d,3,7\n", i)
	}
	return b.String()
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
}

// TestReadOnly lets nothing be written to the folders of the store and of the
// registry. Root may always, so it runs as nobody.
func TestReadOnly(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	s.must(t, "dataset", "--source", "sim", "--days", "45", "--out", "frozen")
	s.must(t, "retrain", "--dataset", "frozen")
	s.must(t, "import", "--simulated", "--store", "data/livelab.db", csvIn(t, s))
	for _, c := range []struct {
		says string
		args []string
	}{
		{"permission denied", []string{"train", "--dataset", "frozen", "--horizon", "2h"}},
		{"permission denied", []string{"gate"}},
		{"permission denied", []string{"publish"}},
		{"cannot be written: make the file and its folder writable", []string{"import", "--simulated", "--store", "data/livelab.db", "new.csv"}},
		{"readable and writable for this user", []string{"migrate", "--store", "data/new.db"}},
		{"permission denied", []string{"dataset", "--source", "sim", "--days", "3", "--out", "new"}},
	} {
		cmd := s.asNobody(t, c.args...)
		var said strings.Builder
		cmd.Stderr = &said
		var exit *exec.ExitError
		if err := cmd.Run(); !errors.As(err, &exit) || exit.ExitCode() != exitFailed {
			t.Errorf("%v: %v, want exit code 1\n%s", c.args, err, said.String())
		}
		if problem := oneError(said.String()); problem != "" || !strings.Contains(said.String(), c.says) {
			t.Errorf("%v: %s\n%s lacks %q", c.args, problem, said.String(), c.says)
		}
	}
}

func csvIn(t *testing.T, s shell) string {
	t.Helper()
	if err := os.Mkdir(filepath.Join(s.dir, "data"), 0o755); err != nil {
		t.Fatal(err)
	}
	head := "ts,network,station_id,free_bikes,empty_slots\n"
	write(t, filepath.Join(s.dir, "new.csv"), head+"2026-01-02T00:00:00Z,here,a,3,7\n")
	write(t, filepath.Join(s.dir, "first.csv"), head+"2026-01-01T00:00:00Z,here,a,3,7\n")
	return "first.csv"
}

// asNobody prepares a command that may read the shell's folder and not write
// to it.
func (s shell) asNobody(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	cmd := s.command(args...)
	if os.Geteuid() == 0 {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	}
	program := filepath.Join(s.dir, "livelab")
	if _, err := os.Stat(program); err != nil {
		copyProgram(t, program)
	}
	cmd.Path = program
	err := filepath.WalkDir(s.dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if e.IsDir() || path == program {
			return os.Chmod(path, 0o555)
		}
		return os.Chmod(path, 0o444)
	})
	if err == nil {
		err = os.Chmod(filepath.Dir(s.dir), 0o755)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		filepath.WalkDir(s.dir, func(path string, e fs.DirEntry, _ error) error {
			if e.IsDir() {
				os.Chmod(path, 0o755)
			}
			return nil
		})
	})
	return cmd
}

func copyProgram(t *testing.T, to string) {
	t.Helper()
	path, err := exec.LookPath("livelab")
	if err != nil {
		t.Fatal(err)
	}
	from, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer from.Close()
	w, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY, 0o755)
	if err == nil {
		_, err = io.Copy(w, from)
		err = errors.Join(err, w.Close())
	}
	if err != nil {
		t.Fatal(err)
	}
}
