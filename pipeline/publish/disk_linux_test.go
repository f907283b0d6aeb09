package publish

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"livelab/pipeline/gate"
	"livelab/pipeline/model"
)

func init() {
	children["write until the disk is full"] = func(d *Dir, limit int) error {
		return errors.Join(fillDisk(limit), work(d, 2))
	}
	children["judge again until the disk is full"] = func(d *Dir, limit int) error {
		version, verdict := judgedAgain()
		return errors.Join(fillDisk(limit), d.Amend(ctx, demo, version, verdict))
	}
}

// fillDisk has the kernel refuse to let any file grow over limit bytes, as a
// full disk does in the middle of one.
func fillDisk(limit int) error {
	signal.Ignore(syscall.SIGXFSZ) // the write then fails, with EFBIG
	full := &syscall.Rlimit{Cur: uint64(limit), Max: uint64(limit)}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, full); err != nil {
		return fmt.Errorf("set limit: %w", err)
	}
	return nil
}

// judgedAgain gives the version that addJudged makes first, and a verdict that
// it does not have.
func judgedAgain() (version string, verdict map[string][]byte) {
	at := t0.Add(time.Second)
	files := demoFiles(1, at)
	return VersionName(at, model.Digest(files[model.ModelFile])), verdictFiles(files, gate.Fail, "another dataset")
}

// TestDiskFull lets the disk fill up at the model, at the verdict and at
// smaller files, by their sizes.
func TestDiskFull(t *testing.T) {
	t.Parallel()
	for _, limit := range []int{0, 10, 200, 700, 1500, 4000} {
		t.Run(fmt.Sprint(limit), func(t *testing.T) {
			t.Parallel()
			d := OpenDir(t.TempDir())
			first := addJudged(t, d, 1, gate.Pass)
			promote(t, d, first)
			cmd, _, stderr := startChild(t, "write until the disk is full", d.root, limit)
			if err := cmd.Wait(); err == nil {
				t.Fatal("the writer did not notice")
			}
			if !strings.Contains(stderr.String(), "file too large") {
				t.Fatalf("the writer says: %s", stderr)
			}
			wantWhole(t, d)
			wantChampion(t, d, first)
			wantNoStaging(t, d)
			if err := work(d, 2); err != nil {
				t.Fatalf("with room again: %v", err)
			}
		})
	}
}

// TestDiskFullLeavesTheVerdict lets the disk fill up at each of the files that
// a new verdict brings: the old one stays until all of them are there.
func TestDiskFullLeavesTheVerdict(t *testing.T) {
	t.Parallel()
	version, verdict := judgedAgain()
	files := demoFiles(1, t0.Add(time.Second))
	maps.Copy(files, verdict)
	manifest := must(model.NewManifest(files).Encode())
	table, report := len(verdict[model.GateTable]), len(verdict[model.GateFile])
	for _, limit := range []int{0, table - 1, report - 1, len(manifest) - 1, max(table, report, len(manifest))} {
		t.Run(fmt.Sprint(limit), func(t *testing.T) {
			t.Parallel()
			d := OpenDir(t.TempDir())
			addJudged(t, d, 1, gate.Pass)
			before := must(d.Read(ctx, demo, version))
			cmd, _, stderr := startChild(t, "judge again until the disk is full", d.root, limit)
			err := cmd.Wait()
			after := must(d.Read(ctx, demo, version))
			if limit >= max(table, report, len(manifest)) {
				if err != nil || !bytes.Equal(after.Files[model.GateFile], verdict[model.GateFile]) {
					t.Errorf("there is room for all, and no new verdict: %v: %s", err, stderr)
				}
				return
			}
			if err == nil || !strings.Contains(stderr.String(), "file too large") {
				t.Fatalf("the writer says %v: %s", err, stderr)
			}
			if !maps.EqualFunc(before.Files, after.Files, bytes.Equal) {
				t.Errorf("the version had %v and now has %v", sortedKeys(before.Files), sortedKeys(after.Files))
			}
			wantNoStaging(t, d)
		})
	}
}

// TestReadOnly writes as a user who may not. Root may always, so the thread
// that writes gives that up.
func TestReadOnly(t *testing.T) {
	t.Parallel()
	d := OpenDir(t.TempDir())
	version := addJudged(t, d, 1, gate.Pass)
	promote(t, d, version)
	if err := os.Chmod(filepath.Dir(d.root), 0o755); err != nil { // the test's own folder, made for root alone
		t.Fatal(err)
	}
	setModes(t, d.root, 0o555, 0o444)
	t.Cleanup(func() { setModes(t, d.root, 0o755, 0o644) })

	done := make(chan map[string]error)
	go func() {
		runtime.LockOSThread() // and never unlock: the thread ends with this
		if err := syscall.Setfsuid(65534); err != nil {
			done <- map[string]error{"become nobody": err}
			return
		}
		_, addErr := d.Add(ctx, demo, demoFiles(2, t0), t0)
		_, _, rollbackErr := d.Rollback(ctx, demo, t0)
		_, readErr := d.Resolve(ctx, demo, Champion)
		done <- map[string]error{
			"add":      addErr,
			"amend":    d.Amend(ctx, demo, version, verdictFiles(demoFiles(1, t0), gate.Fail, "b")),
			"rollback": rollbackErr,
			"read":     readErr,
		}
	}()
	errs := maps.Clone(<-done)
	if errs["read"] != nil {
		t.Errorf("a reader needs no right to write: %v", errs["read"])
	}
	delete(errs, "read")
	for name, err := range errs {
		if !errors.Is(err, fs.ErrPermission) {
			t.Errorf("%s: %v", name, err)
		}
	}
	wantWhole(t, d)
}

func setModes(t *testing.T, root string, dir, file fs.FileMode) {
	t.Helper()
	err := filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if e.IsDir() {
			return os.Chmod(path, dir)
		}
		return os.Chmod(path, file)
	})
	if err != nil {
		t.Fatal(err)
	}
}
