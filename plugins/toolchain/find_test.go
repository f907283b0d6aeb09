package toolchain

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// withPath has the programs alone on the PATH, scripts by name, and none of the
// variables that name others.
func withPath(t *testing.T, programs map[string]string) string {
	t.Helper()
	scripts := map[string]string{}
	for name, script := range programs {
		scripts[name] = "#!/bin/sh\n" + script + "\n"
	}
	dir := folder(t, scripts)
	t.Setenv("PATH", dir)
	for _, variable := range []string{"CLANG", "RUSTC", "ASC"} {
		t.Setenv(variable, "")
	}
	return dir
}

// TestMissing holds that each compiler that is missing, or misses a part, is
// named with what to install.
func TestMissing(t *testing.T) {
	const targets = `case $1 in --print-targets) echo wasm32;; *) echo wasm-ld;; esac`
	for name, tt := range map[string]struct {
		programs map[string]string
		find     func() (string, error)
		want     string
	}{
		"rustc":                 {nil, findNamedRustc, "there is no rustc on the PATH: install the package rustc, and install"},
		"go":                    {nil, findGo, "there is no go on the PATH: install Go 1.24"},
		"clang":                 {nil, findClang, "there is no clang on the PATH: install the packages clang and lld"},
		"clang without target":  {map[string]string{"clang": "echo x86"}, findClang, "has no target wasm32"},
		"clang without linker":  {map[string]string{"clang": targets}, findClang, "finds no wasm-ld to link with: install the package lld"},
		"clang complete":        {map[string]string{"clang": targets, "wasm-ld": "true"}, findClang, ""},
		"asc":                   {nil, func() (string, error) { return findAsc("/") }, "there is no asc, AssemblyScript's compiler, on the PATH: install Node.js"},
		"asc there":             {map[string]string{"asc": "true"}, func() (string, error) { return findAsc("/") }, ""},
		"rustc without library": {map[string]string{"rustc": "echo /nowhere"}, findNamedRustc, "rustc has no library for wasm32-unknown-unknown: install the package libstd-rust-dev-wasm32"},
	} {
		t.Run(name, func(t *testing.T) {
			withPath(t, tt.programs)
			_, err := tt.find()
			if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
				t.Errorf("error is %v, want %q", err, tt.want)
			}
		})
	}
}

// findNamedRustc looks for a rustc in no other place than the test's, whatever
// this machine has.
func findNamedRustc() (string, error) {
	os.Setenv("RUSTC", filepath.Join(os.Getenv("PATH"), "rustc"))
	return findRustc()
}

// TestRustcWithTarget holds that the first rustc that has the target's library
// is taken, not the first one.
func TestRustcWithTarget(t *testing.T) {
	libraries := folder(t, map[string]string{"libstd-1.rlib": ""})
	without := withPath(t, map[string]string{"rustc": "echo /nowhere"})
	with := folder(t, map[string]string{"rustc": "#!/bin/sh\necho " + libraries + "\n"})
	t.Setenv("PATH", without+string(filepath.ListSeparator)+with)
	if got, err := findRustc(); err != nil || got != filepath.Join(with, "rustc") {
		t.Errorf("found %s, %v", got, err)
	}
}

// TestNpmInstalls holds that npm is asked for AssemblyScript where the folder
// wants it, that it is said, and that a compiler that is there is enough.
func TestNpmInstalls(t *testing.T) {
	const asc = `#!/bin/sh\nwhile [ "$1" != --outFile ]; do shift; done; printf module > "$2"\n`
	npm := "/bin/mkdir -p node_modules/.bin; echo \"$@\" > asked; printf '" + asc + "' > node_modules/.bin/asc; /bin/chmod +x node_modules/.bin/asc"
	withPath(t, map[string]string{"npm": npm})
	for _, tt := range []struct{ lock, verb string }{{"", "install"}, {"package-lock.json", "ci"}} {
		files := map[string]string{"transform.ts": "", "package.json": "{}"}
		if tt.lock != "" {
			files[tt.lock] = "{}"
		}
		dir := folder(t, files)
		var said []string
		chain := Toolchain{Say: func(line string) { said = append(said, line) }}
		for range 2 {
			if _, err := chain.Build(context.Background(), dir, ""); err != nil {
				t.Fatal(err)
			}
		}
		if want := fmt.Sprintf("[installing AssemblyScript: npm %s in %s]", tt.verb, dir); fmt.Sprint(said) != want {
			t.Errorf("said %v, want %s", said, want)
		}
		asked, _ := os.ReadFile(filepath.Join(dir, "asked"))
		if want := tt.verb + " --no-audit --no-fund --ignore-scripts\n"; string(asked) != want {
			t.Errorf("npm was asked %q, want %q", asked, want)
		}
	}
	withPath(t, nil)
	if _, err := Build(context.Background(), folder(t, map[string]string{"transform.ts": "", "package.json": "{}"}), ""); err == nil || !strings.Contains(err.Error(), "there is no asc") {
		t.Errorf("without npm: %v", err)
	}
}

// outcome is a test that records how it ends.
type outcome struct{ skipped, failed string }

func (o *outcome) Helper()                           {}
func (o *outcome) Skipf(format string, args ...any)  { o.skipped = fmt.Sprintf(format, args...) }
func (o *outcome) Fatalf(format string, args ...any) { o.failed = fmt.Sprintf(format, args...) }

func TestNeed(t *testing.T) {
	withPath(t, nil)
	for _, tt := range []struct {
		ci              string
		skipped, failed string
	}{
		{"", "this test builds from c: there is no clang", ""},
		{"true", "", "this test builds from c: there is no clang"},
	} {
		t.Setenv("CI", tt.ci)
		var o outcome
		Need(&o, C)
		if !strings.HasPrefix(o.skipped, tt.skipped) || !strings.HasPrefix(o.failed, tt.failed) || (o.skipped == "") == (o.failed == "") {
			t.Errorf("CI=%q: %+v", tt.ci, o)
		}
	}
	if err := Available("cobol"); err == nil || !strings.Contains(err.Error(), `language "cobol" is none of [go c rust as]`) {
		t.Errorf("error is %v", err)
	}
}
