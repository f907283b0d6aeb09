//go:build unix

package wasm

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	w "livelab/runtime/wasm/wasmtest"
)

// fullCompiler is a compiler for which the disk is full in some folders.
func fullCompiler(t *testing.T, folder string) []string {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	script := fmt.Sprintf(`case "$%s" in *%s*) echo "write: no space left on device"; exit %d;; esac; exec "$0"`, compileVariable, folder, exitFolder)
	return []string{"/bin/sh", "-c", script, self}
}

func TestFullFolderIsLeft(t *testing.T) {
	t.Parallel()
	folder, code := t.TempDir(), w.Transform{}.Bytes()
	var said bytes.Buffer
	h := newHost(t, func(c *Config) {
		c.CacheFolder, c.Compiler = folder, fullCompiler(t, folder)
		c.Logger = slog.New(slog.NewTextHandler(&said, nil))
	})
	if r := h.Check(t.Context(), code); !r.Accepted {
		t.Errorf("Check says %v", r.Err())
	}
	admit(t, h, code)
	admit(t, h, w.Transform{Name: "other"}.Bytes())
	if text := said.String(); strings.Count(text, "level=WARN") != 1 || !strings.Contains(text, "folder="+folder) || !strings.Contains(text, "no space left") {
		t.Errorf("want one warning with folder and reason, got %s", text)
	}
	if list, _ := os.ReadDir(folder); len(list) != 0 {
		t.Errorf("left in the folder: %v", list)
	}
	spare := h.temporary
	if list, _ := os.ReadDir(spare); len(list) != 2 {
		t.Errorf("the temporary folder has %v, want two entries", list)
	}
	src := source{code, digest(code)}
	if tr, err := h.recall(t.Context(), h.key(src.digest, h.cfg.Budget), src, h.cfg.Budget); tr == nil {
		t.Errorf("the temporary folder is not looked in: %v", err)
	}
	if err := h.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(spare); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the temporary folder is left: %v", err)
	}
}

func TestBothFoldersFull(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	h := newHost(t, func(c *Config) { c.CacheFolder, c.Compiler = folder, fullCompiler(t, "") })
	for range 2 {
		_, err := h.Admit(t.Context(), w.Transform{}.Bytes(), nil)
		refusal := (*Refusal)(nil)
		if err == nil || errors.As(err, &refusal) || !strings.Contains(err.Error(), folder+":") || !strings.Contains(err.Error(), h.temporary+":") {
			t.Errorf("got %v, want an error that names both folders", err)
		}
	}
}

// A folder that cannot be made is as good as one that cannot be written to.
func TestFolderThatCannotBeMade(t *testing.T) {
	t.Parallel()
	for _, err := range diskErrors {
		if wrapped := fmt.Errorf("x: %w", &fs.PathError{Op: "mkdir", Path: "y", Err: err}); !unwritable(wrapped) {
			t.Errorf("%v: it is not left", err)
		}
	}
	for _, err := range []error{nil, context.Canceled, fs.ErrNotExist, errors.New("others can write to it")} {
		if unwritable(err) {
			t.Errorf("%v: it is left", err)
		}
	}
}

func TestOldDraftsAreRemoved(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	for name, age := range map[string]time.Duration{"draft-old": 2 * time.Hour, "draft-new": time.Minute} {
		draft := filepath.Join(folder, name)
		if err := os.MkdirAll(native(draft), 0o700); err != nil {
			t.Fatal(err)
		}
		at := time.Now().Add(-age)
		if err := os.Chtimes(draft, at, at); err != nil {
			t.Fatal(err)
		}
	}
	newHost(t, func(c *Config) { c.CacheFolder = folder })
	if list, _ := os.ReadDir(folder); len(list) != 1 || list[0].Name() != "draft-new" {
		t.Errorf("left is %v, want draft-new", list)
	}
}
