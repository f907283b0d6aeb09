package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"livelab/plugins/toolchain"
)

// TestPluginScript runs the scenarios in testdata/plugin. They have the
// condition [builds:LANG], which holds where a compiler of the language is
// there, and which is an error where it must be.
func TestPluginScript(t *testing.T) {
	t.Parallel()
	p := scriptParams("testdata/plugin")
	setup := p.Setup
	p.Setup = func(e *testscript.Env) error {
		// The compilers of this machine, with Go's cache of it.
		cache := os.Getenv("GOCACHE")
		if home, err := os.UserCacheDir(); cache == "" && err == nil {
			cache = filepath.Join(home, "go-build")
		}
		e.Setenv("GOCACHE", cache)
		for _, variable := range []string{"ASC", "CLANG", "RUSTC"} {
			e.Setenv(variable, os.Getenv(variable))
		}
		if setup == nil {
			return nil
		}
		return setup(e)
	}
	p.Condition = builds
	testscript.Run(t, p)
}

func builds(condition string) (bool, error) {
	language, ok := strings.CutPrefix(condition, "builds:")
	if !ok {
		return false, fmt.Errorf("unknown condition %q", condition)
	}
	err := toolchain.Available(toolchain.Language(language))
	if err != nil && os.Getenv("CI") == "true" {
		return false, err
	}
	return err == nil, nil
}
