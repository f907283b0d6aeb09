package main

import (
	"fmt"
	"os"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"livelab/runtime/wasm"
	"livelab/sql/pgtest"
)

// withPostgres stops the PostgreSQL of the tests after them.
type withPostgres struct{ m *testing.M }

func (w withPostgres) Run() int {
	dir, err := os.MkdirTemp("", "livelab-transforms-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	transformCache = dir
	defer os.RemoveAll(dir)
	return pgtest.Run(w.m)
}

// transformCache is where the tests keep compiled transforms: one folder for
// all, as compiling the same code again proves nothing.
var transformCache string

// TestMain puts the program on the PATH of the tests, scripts or not.
func TestMain(m *testing.M) {
	wasm.CompileIfChild()
	testscript.Main(withPostgres{m}, map[string]func(){
		"livelab": func() {
			ctx, stop := untilSignal()
			defer stop()
			os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
		},
	})
}

// scriptParams are those of all scripts. Beside the usual commands they have
//
//	refuses CODE PROGRAM ARG…   the program ends with the code and one line of error
//	dump STORE FILE             writes what a SQLite store holds to the file
//	edit FILE OLD NEW           replaces text in a file, which must be there
func scriptParams(dir string) testscript.Params {
	return testscript.Params{
		Dir:                 dir,
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"refuses": scriptRefuses,
			"dump":    scriptDump,
			"edit":    scriptEdit,
		},
		Setup: func(e *testscript.Env) error {
			e.Setenv("LIVELAB_TRANSFORM_CACHE", transformCache)
			return nil
		},
	}
}

// TestScript runs the command lines in testdata/script: each file is a
// scenario with the files that it needs.
func TestScript(t *testing.T) {
	t.Parallel()
	testscript.Run(t, scriptParams("testdata/script"))
}

// storeKinds are the stores and the ways to name them, as environments.
var storeKinds = []struct {
	name string
	env  func(t *testing.T) []string
}{
	{"SQLite", func(*testing.T) []string { return nil }},
	{"DATABASE_URL", func(t *testing.T) []string { return []string{"DATABASE_URL=" + pgtest.URL(t)} }},
	{"POSTGRES_HOST", classicPostgres},
}

// TestStoreScript runs the scenarios in testdata/store on each store, and on
// PostgreSQL by each way to name it.
func TestStoreScript(t *testing.T) {
	t.Parallel()
	for _, store := range storeKinds {
		t.Run(store.name, func(t *testing.T) {
			t.Parallel()
			p := scriptParams("testdata/store")
			vars := store.env(t) // one store, so there is one scenario
			setup := p.Setup
			p.Setup = func(e *testscript.Env) error {
				e.Vars = append(e.Vars, vars...)
				return setup(e)
			}
			t.Run("scenario", func(t *testing.T) { testscript.Run(t, p) })
		})
	}
}
