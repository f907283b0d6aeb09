package toolchain

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// folder makes a folder with files by name.
func folder(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "crowding")
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// program is a shell script that stands for a compiler.
func program(script string) map[string]string {
	return map[string]string{"tool": "#!/bin/sh\n" + script + "\n"}
}

func TestDetect(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		files []string
		want  Language
		entry string
		err   string
	}{
		"Go":                           {[]string{"go.mod", "main.go", "main_test.go", "livelab/x.c"}, Go, "", ""},
		"C":                            {[]string{"transform.c", "transform_test.c", "livelab.h"}, C, "", ""},
		"Rust":                         {[]string{"share.rs", "livelab.rs"}, Rust, "share.rs", ""},
		"Rust, several files":          {[]string{"lib.rs", "more.rs"}, Rust, "lib.rs", ""},
		"AssemblyScript":               {[]string{"transform.ts", "helper.ts", "types.d.ts", "x.test.ts"}, AssemblyScript, "transform.ts", ""},
		"AssemblyScript, no beginning": {[]string{"a.ts", "b.ts"}, "", "", "holds a.ts, b.ts: call the one to begin with transform.ts"},
		"nothing":                      {[]string{"README.md", "main_test.go", ".x.go"}, "", "", "holds no source of a transform: start one with `livelab plugin new`"},
		"two languages":                {[]string{"main.go", "transform.c"}, "", "", "holds sources in [go c]: keep one language in a folder"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			files := map[string]string{}
			for _, f := range tt.files {
				files[f] = ""
			}
			s, err := detect(folder(t, files))
			if tt.err != "" {
				if err == nil || !strings.Contains(err.Error(), tt.err) {
					t.Errorf("error is %v, want %q", err, tt.err)
				}
				return
			}
			if err != nil || s.language != tt.want || tt.entry != "" && strings.Join(s.files, " ") != tt.entry {
				t.Errorf("got %+v, %v", s, err)
			}
		})
	}
	if _, err := Detect(filepath.Join(t.TempDir(), "none")); err == nil || !strings.Contains(err.Error(), "read the transform's folder") {
		t.Errorf("a folder that is not there: %v", err)
	}
}

// TestBuildPlaces holds what Build does around a compiler, with a script that
// stands for one: the last argument is where the module goes.
func TestBuildPlaces(t *testing.T) {
	const write = `while [ "$1" != --outFile ]; do shift; done; printf module > "$2"; echo a warning`
	t.Setenv("ASC", filepath.Join(folder(t, program(write)), "tool"))
	dir := folder(t, map[string]string{"transform.ts": "", "crowding.wasm": "the one before"})
	built, err := Build(context.Background(), dir, "")
	if err != nil {
		t.Fatal(err)
	}
	code, err := os.ReadFile(filepath.Join(dir, "crowding.wasm"))
	if err != nil || string(code) != "module" {
		t.Errorf("the module is %q, %v", code, err)
	}
	sum := sha256.Sum256(code)
	want := Built{filepath.Join(dir, "crowding.wasm"), AssemblyScript, 6, hex.EncodeToString(sum[:]), "a warning\n"}
	if built != want {
		t.Errorf("got %+v, want %+v", built, want)
	}
	onlyFiles(t, dir, "crowding.wasm", "transform.ts")

	if _, err := Build(context.Background(), dir, filepath.Join(dir, "none", "x.wasm")); err == nil || !strings.Contains(err.Error(), "write the module: ") {
		t.Errorf("a folder that is not there: %v", err)
	}
	t.Setenv("ASC", filepath.Join(folder(t, program("true")), "tool"))
	if _, err := Build(context.Background(), dir, ""); err == nil || !strings.Contains(err.Error(), "tool said that all is well and left no module") {
		t.Errorf("a compiler that does nothing: %v", err)
	}
	if code, _ := os.ReadFile(filepath.Join(dir, "crowding.wasm")); string(code) != "module" {
		t.Errorf("a failure left %q", code)
	}
}

func onlyFiles(t *testing.T, dir string, want ...string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	if strings.Join(names, " ") != strings.Join(want, " ") {
		t.Errorf("the folder holds %v, want %v", names, want)
	}
}

func TestCompilerError(t *testing.T) {
	t.Setenv("ASC", filepath.Join(folder(t, program("echo first; echo 'ERROR TS1005: no ;' >&2; exit 3")), "tool"))
	_, err := Build(context.Background(), folder(t, map[string]string{"transform.ts": ""}), "")
	var refusal *CompilerError
	if !errors.As(err, &refusal) {
		t.Fatalf("error is %v", err)
	}
	if got, want := err.Error(), "tool does not build it (exit status 3): ERROR TS1005: no ;"; got != want {
		t.Errorf("error is %q, want %q", got, want)
	}
	if refusal.Output != "first\nERROR TS1005: no ;\n" {
		t.Errorf("output is %q", refusal.Output)
	}
	if got := firstError(strings.Repeat("é", 400)); len(got) > 310 || !strings.HasSuffix(got, "é …") {
		t.Errorf("a long line is cut to %q", got)
	}
	if got := firstError("# example.com/crowding\n./main.go:3:2: undefined: x\n"); got != "./main.go:3:2: undefined: x" {
		t.Errorf("Go's own is %q", got)
	}
	if got := firstError("\n"); got != "it said nothing" {
		t.Errorf("no line is %q", got)
	}
}

func TestBuildIsCancelled(t *testing.T) {
	t.Setenv("ASC", filepath.Join(folder(t, program("exec sleep 600")), "tool"))
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Build(ctx, folder(t, map[string]string{"transform.ts": ""}), ""); !errors.Is(err, context.Canceled) {
		t.Errorf("error is %v", err)
	}
}
