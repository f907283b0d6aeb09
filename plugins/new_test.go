package plugins_test

import (
	"bytes"
	"context"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"livelab/plugins"
	"livelab/plugins/plugintest"
	"livelab/plugins/toolchain"
)

// start writes a new transform into a folder under parent and builds it.
func start(t *testing.T, parent string, language toolchain.Language) (dir string, code []byte) {
	t.Helper()
	toolchain.Need(t, language)
	dir = filepath.Join(parent, "crowding")
	if err := plugins.New(dir, language, "crowding"); err != nil {
		t.Fatal(err)
	}
	built, err := toolchain.Build(context.Background(), dir, "")
	if err != nil {
		t.Fatal(err)
	}
	if built.Output != "" {
		t.Errorf("the compiler has something to say:\n%s", built.Output)
	}
	code, err = os.ReadFile(filepath.Join(dir, "crowding.wasm"))
	if err != nil {
		t.Fatal(err)
	}
	return dir, code
}

// TestStartingPoints builds the starting point of each language, twice and in
// two folders, and holds that it gives the same bytes, and that all of them
// give the same answers, bit for bit.
func TestStartingPoints(t *testing.T) {
	t.Parallel()
	rows := exampleRows()
	for _, language := range toolchain.Languages {
		t.Run(string(language), func(t *testing.T) {
			t.Parallel()
			_, code := start(t, t.TempDir(), language)
			_, again := start(t, filepath.Join(t.TempDir(), "elsewhere"), language)
			if !bytes.Equal(code, again) {
				t.Error("another folder makes other bytes")
			}
			if path := []byte(os.TempDir() + "/"); bytes.Contains(code, path) {
				t.Errorf("the module names %s", path)
			}
			m := plugintest.Open(t, code)
			d := m.Description()
			if d.Name != "crowding" || len(d.Inputs) != 2 || len(d.Outputs) != 2 || *d.Outputs[1].Min != 0 || *d.Outputs[1].Max != 1 {
				t.Errorf("description is %+v", d)
			}
			got, err := m.Apply(2, rows...)
			if err != nil {
				t.Fatal(err)
			}
			for r, row := range rows {
				for i, want := range example(row) {
					if bits(got[r][i]) != bits(want) {
						t.Errorf("%s of %v is %v, want %v", d.Outputs[i].Name, row, got[r][i], want)
					}
				}
			}
		})
	}
}

// example is what the starting points compute.
func example(in []float64) []float64 {
	if !(in[0] >= 0 && in[1] >= 0) {
		return []float64{math.NaN(), math.NaN()}
	}
	share := in[0] / (in[0] + in[1])
	return []float64{share, math.Abs(float64(2*share) - 1)}
}

func exampleRows() [][]float64 {
	none := math.NaN()
	rows := [][]float64{{10, 10}, {20, 0}, {0, 20}, {0, 0}, {-1, 20}, {20, -1}, {none, 20}, {20, none}, {none, none}}
	random := rand.New(rand.NewPCG(1, 2))
	for len(rows) < 4096 {
		rows = append(rows, []float64{float64(random.IntN(2000)), 100 * random.Float64()})
	}
	return rows
}

// bits are those of x, one pattern for all missing values.
func bits(x float64) uint64 {
	if math.IsNaN(x) {
		return math.Float64bits(math.NaN())
	}
	return math.Float64bits(x)
}

func TestNewRefuses(t *testing.T) {
	t.Parallel()
	full := t.TempDir()
	if err := os.WriteFile(filepath.Join(full, "mine.txt"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	fresh := filepath.Join(t.TempDir(), "fresh")
	for _, tt := range []struct {
		dir      string
		language toolchain.Language
		name     string
		want     string
	}{
		{fresh, "cobol", "crowding", `language "cobol" is none of [go c rust as]`},
		{fresh, toolchain.Go, "9crowding", `name "9crowding": use a letter`},
		{fresh, toolchain.Go, "../crowding", "use a letter"},
		{fresh, toolchain.Go, "", "use a letter"},
		{full, toolchain.Go, "crowding", "is there and not empty"},
		{filepath.Join(full, "mine.txt"), toolchain.Go, "crowding", "not a directory"},
	} {
		if err := plugins.New(tt.dir, tt.language, tt.name); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s in %s: error is %v, want %q", tt.name, tt.language, err, tt.want)
		}
	}
	if _, err := os.Stat(fresh); err == nil {
		t.Error("a refusal left a folder")
	}
	if err := plugins.New(t.TempDir(), toolchain.C, "crowding"); err != nil {
		t.Errorf("an empty folder: %v", err)
	}
}

// TestNewWrites holds the files of each starting point, so that neither a test
// of the kit nor anything else of ours ends up with an author.
func TestNewWrites(t *testing.T) {
	t.Parallel()
	for language, want := range map[toolchain.Language][]string{
		toolchain.Go: {".gitignore", "README.md", "go.mod", "livelab/go.mod",
			"livelab/plugins/pdk/apply.go", "livelab/plugins/pdk/describe.go", "livelab/plugins/pdk/exports_wasip1.go",
			"livelab/plugins/pdk/pdk.go", "livelab/plugins/pdk/try.go", "main.go", "main_test.go"},
		toolchain.C:              {".gitignore", "README.md", "livelab.h", "transform.c", "transform_test.c"},
		toolchain.Rust:           {".gitignore", "README.md", "livelab.rs", "transform.rs"},
		toolchain.AssemblyScript: {".gitignore", ".npmrc", "README.md", "livelab.ts", "package.json", "transform.test.mjs", "transform.ts"},
	} {
		dir := t.TempDir()
		if err := plugins.New(dir, language, "crowding"); err != nil {
			t.Fatal(err)
		}
		if got := listing(t, dir); !slices.Equal(got, want) {
			t.Errorf("%s: wrote %v, want %v", language, got, want)
		}
	}
}

// listing gives the paths of the files in a folder, and fails where one still
// holds the name that stands for the transform's.
func listing(t *testing.T, dir string) []string {
	t.Helper()
	var paths []string
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		if bytes.Contains(b, []byte("template_name")) {
			t.Errorf("%s holds template_name", path)
		}
		relative, _ := filepath.Rel(dir, path)
		paths = append(paths, filepath.ToSlash(relative))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(paths)
	return paths
}
