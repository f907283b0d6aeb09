package featurestest

import (
	_ "embed"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"livelab/plugins"
	"livelab/plugins/toolchain"
)

//go:embed skewed.go.txt
var skewed string

// BuildSkewed builds the transform "skewed" into a file: one in Go whose
// answers, full of transcendental functions, show the least difference between
// two rows, machines or ways to compile it. Another tilt, "1.0" or "2.0", makes
// another transform of the same name. The test is skipped where there is no Go.
func BuildSkewed(t testing.TB, tilt, out string) {
	t.Helper()
	toolchain.Need(t, toolchain.Go)
	dir := filepath.Join(t.TempDir(), "skewed")
	if err := plugins.New(dir, toolchain.Go, "skewed"); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(dir, "main_test.go")); err != nil {
		t.Fatal(err)
	}
	source := strings.Replace(skewed, "tilt = 1.0", "tilt = "+tilt, 1)
	if err := os.WriteFile(filepath.Join(dir, "main.go"), []byte(source), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Dir(out), 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err := toolchain.Build(t.Context(), dir, out); err != nil {
		t.Fatal(err)
	}
}
