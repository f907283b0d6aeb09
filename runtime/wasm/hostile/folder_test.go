//go:build unix

package hostile

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"livelab/runtime/wasm"
	"livelab/runtime/wasm/catalogue"
	. "livelab/runtime/wasm/wasmtest"
)

// admitter is a host as the catalogue asks it.
type admitter struct{ host *wasm.Host }

func (a admitter) Admit(ctx context.Context, code []byte) (catalogue.Admitted, error) {
	t, err := a.host.Admit(ctx, code, nil)
	var refusal *wasm.Refusal
	if err != nil && !errors.As(err, &refusal) {
		err = fmt.Errorf("%w: %w", catalogue.ErrUndecided, err)
	}
	if err != nil {
		return catalogue.Admitted{}, err
	}
	return catalogue.Admitted{Transform: t, Description: t.Description()}, nil
}

func watch(t *testing.T, dir string) *catalogue.Catalogue {
	t.Helper()
	c, err := catalogue.New(catalogue.Config{Dir: dir, Admitter: admitter{newHost(t, nil)}, Interval: time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestFolder holds what becomes of files that are none, and that a good one
// beside them is offered.
func TestFolder(t *testing.T) {
	t.Parallel()
	dir, outside := t.TempDir(), t.TempDir()
	good := Transform{Name: "good"}.Bytes()
	put := func(path string, content []byte) {
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	in := func(name string) string { return filepath.Join(dir, name) }
	put(in("good.wasm"), good)
	put(filepath.Join(outside, "secret.wasm"), good)
	put(in("empty.wasm"), nil)
	put(in("text.wasm"), []byte("#!/bin/sh\n"))
	put(in("large.wasm"), make([]byte, 10<<20))
	put(in("half.wasm"), good[:len(good)/2])
	put(in("\x1b[2J.wasm"), []byte("x"))
	for _, err := range []error{
		os.Symlink(filepath.Join(outside, "secret.wasm"), in("link.wasm")),
		os.Symlink("/dev/zero", in("zero.wasm")),
		os.Symlink("loop.wasm", in("loop.wasm")),
		os.Symlink("/proc/self/mem", in("mem.wasm")),
		os.Mkdir(in("folder.wasm"), 0o700),
		syscall.Mkfifo(in("pipe.wasm"), 0o600),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	c := watch(t, dir)
	if err := c.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	want := map[string]string{
		"good.wasm": "", "empty.wasm": "it is empty", "text.wasm": "no WebAssembly file", "large.wasm": "must have at most 8388608",
		"half.wasm": "refused at parse", "\x1b[2J.wasm": "no WebAssembly file", "link.wasm": "symlink that cannot be followed inside the folder",
		"zero.wasm": "symlink that cannot be followed", "loop.wasm": "symlink that cannot be followed", "mem.wasm": "symlink that cannot be followed",
		"folder.wasm": "it is a folder", "pipe.wasm": "it is a named pipe",
	}
	for _, e := range c.Entries() {
		reason, ok := want[e.File]
		if !ok {
			t.Errorf("%q is listed", e.File)
		}
		delete(want, e.File)
		if (e.State == catalogue.Offered) != (reason == "") || !strings.Contains(e.Reason, reason) {
			t.Errorf("%q is %s (%s), want %q", e.File, e.State, e.Reason, reason)
		}
		oneLine(t, e.Reason)
	}
	for file := range want {
		if !strings.HasPrefix(file, "\x1b") { // may be left out of the list
			t.Errorf("%q is not listed", file)
		}
	}
}

// TestFileThatChanges holds that of a file which is rewritten all the time, in
// place, by renaming, cut off and growing, nothing is ever offered but what it
// held at one time: no bytes of two times.
func TestFileThatChanges(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "plugin.wasm")
	var versions [][]byte // which differ at their beginning and at their end
	for i := range 3 {
		versions = append(versions, Transform{
			Name: "plugin", Version: fmt.Sprintf("1.0.%d", i), Row: I32Const(int32(1000+i)) + Drop + friendly,
		}.Bytes())
	}
	held := map[string]bool{}
	c := watch(t, dir)
	c.Start()
	defer func() { _ = c.Stop(context.Background()) }()
	rng := rand.New(rand.NewPCG(3, 4))
	for range 300 {
		rewrite(t, path, versions[rng.IntN(len(versions))], rng, func(content []byte) {
			sum := sha256.Sum256(content)
			held[hex.EncodeToString(sum[:])] = true
		})
		time.Sleep(time.Duration(rng.IntN(6)) * time.Millisecond)
		offered, err := c.Resolve("plugin")
		if err != nil {
			continue
		}
		if !held[offered.Spec().Digest] {
			t.Fatalf("%s is offered, which the file never held", offered.Spec().Digest)
		}
		out := []float64{0}
		if err := offered.ApplyRow([]float64{1, 3}, out); err != nil || out[0] != 0.25 {
			t.Fatalf("what is offered answers %v, %v", out, err)
		}
	}
	if err := os.WriteFile(path, versions[0], 0o600); err != nil {
		t.Fatal(err)
	}
	for t.Context().Err() == nil { // what is whole at last is offered
		if err := c.Load(t.Context()); err != nil {
			t.Fatal(err)
		}
		if offered, err := c.Resolve("plugin"); err == nil && offered.Spec().Version == "1.0.0" {
			return
		}
	}
}

// rewrite a file in one of the ways that programs have. What the file holds on
// the way is told beforehand.
func rewrite(t *testing.T, path string, code []byte, rng *rand.Rand, held func([]byte)) {
	t.Helper()
	cut := bytes.Index(code, []byte(`{"name"`))
	held(code)
	var err error
	switch rng.IntN(4) {
	case 0: // cut off, and then growing
		err = inSteps(path, os.O_TRUNC, code, cut, rng)
	case 1: // over another version
		if old, err := os.ReadFile(path); err == nil && len(old) == len(code) {
			held(append(bytes.Clone(code[:cut]), old[cut:]...))
		}
		err = inSteps(path, 0, code, cut, rng)
	case 2:
		if err = os.WriteFile(path+".tmp", code, 0o600); err == nil {
			err = os.Rename(path+".tmp", path)
		}
	case 3: // with a hole at its end
		if err = os.WriteFile(path, code[:cut], 0o600); err == nil {
			err = os.Truncate(path, int64(len(code)))
		}
		held(append(bytes.Clone(code[:cut]), make([]byte, len(code)-cut)...))
	}
	if err != nil {
		t.Fatal(err)
	}
}

func inSteps(path string, flag int, code []byte, cut int, rng *rand.Rand) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|flag, 0o600)
	if err != nil {
		return err
	}
	defer f.Close()
	if _, err := f.Write(code[:cut]); err != nil {
		return err
	}
	time.Sleep(time.Duration(rng.IntN(4)) * time.Millisecond)
	_, err = f.Write(code[cut:])
	return err
}
