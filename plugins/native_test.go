package plugins_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"livelab/plugins"
	"livelab/plugins/toolchain"
)

// TestAuthorsTests runs the unit test that comes with each starting point by
// the command that its README names.
func TestAuthorsTests(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		language toolchain.Language
		tool     string
		command  string
	}{
		{toolchain.Go, "go", "go vet ./... && go test ./..."},
		{toolchain.C, "clang", "clang -Wall -Wextra -Werror -ffp-contract=off -o transform_test transform_test.c && ./transform_test"},
		{toolchain.Rust, "rustc", "rustc --edition 2021 -D warnings --test -o transform_test transform.rs && ./transform_test"},
		{toolchain.AssemblyScript, "node", "node --test"},
	} {
		t.Run(string(tt.language), func(t *testing.T) {
			t.Parallel()
			toolchain.Need(t, tt.language)
			if _, err := exec.LookPath(tt.tool); err != nil {
				t.Fatalf("there is a compiler, but no %s for the test", tt.tool)
			}
			dir := filepath.Join(t.TempDir(), "crowding")
			if tt.language == toolchain.AssemblyScript { // its test is of the module
				dir, _ = start(t, t.TempDir(), tt.language)
			} else if err := plugins.New(dir, tt.language, "crowding"); err != nil {
				t.Fatal(err)
			}
			cmd := exec.Command("sh", "-c", tt.command)
			cmd.Dir = dir
			cmd.Env = append(os.Environ(), "GOPROXY=off", "GOFLAGS=")
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("%s: %v\n%s", tt.command, err, out)
			}
		})
	}
}
