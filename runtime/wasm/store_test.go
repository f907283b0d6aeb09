package wasm

import (
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"livelab/pipeline/features"
	w "livelab/runtime/wasm/wasmtest"
)

// recall what a folder holds of a module, with a new host that cannot compile.
func recall(t *testing.T, folder string, code []byte) *Transform {
	t.Helper()
	h := newHost(t, func(c *Config) { c.CacheFolder = folder })
	src := source{code, digest(code)}
	tr, err := h.recall(t.Context(), h.key(src.digest, h.cfg.Budget), src, h.cfg.Budget)
	if err != nil {
		t.Error(err)
	}
	return tr
}

func TestStoreSavesCompiling(t *testing.T) {
	t.Parallel()
	folder, code := t.TempDir(), w.Transform{}.Bytes()
	if recall(t, folder, code) != nil {
		t.Fatal("an empty folder knew a module")
	}
	want := admit(t, newHost(t, func(c *Config) { c.CacheFolder = folder }), code)
	got := recall(t, folder, code)
	if got == nil || got.Spec().Golden != want.Spec().Golden || got.Spec().Outputs[0] != "ratio" {
		t.Fatalf("got %+v, want %+v", got, want)
	}
	out := []float64{0}
	if err := got.ApplyRow([]float64{1, 3}, out); err != nil || out[0] != 0.25 {
		t.Errorf("got %v, %v", out, err)
	}
	if list, _ := os.ReadDir(folder); len(list) != 1 {
		t.Errorf("the folder has %v, want one entry and no draft", list)
	}
}

func TestStoreKeepsApartWhatDiffers(t *testing.T) {
	t.Parallel()
	h := newHost(t, nil)
	code, b := digest(w.Transform{}.Bytes()), h.cfg.Budget
	seen := map[string]string{h.key(code, b): "itself"}
	for name, key := range map[string]string{
		"code":    h.key(digest(nil), b),
		"budget":  h.key(code, features.Budget{Call: b.Call, Row: b.Row + 1, Pages: b.Pages}),
		"memory":  h.key(code, features.Budget{Call: b.Call, Row: b.Row, Pages: b.Pages + 1}),
		"stack":   newHost(t, func(c *Config) { c.Stack = 4096 }).key(code, b),
		"init":    newHost(t, func(c *Config) { c.InitFuel = 1 << 20 }).key(code, b),
		"limits":  newHost(t, func(c *Config) { c.Limits = c.withDefaults().Limits; c.Limits.Locals-- }).key(code, b),
		"compile": newHost(t, func(c *Config) { c.Compile.CPU = time.Second }).key(code, b),
		"program": func() string { h := newHost(t, nil); h.program = "other"; return h.key(code, b) }(),
	} {
		if seen[key] != "" {
			t.Errorf("%s has the key of %s", name, seen[key])
		}
		seen[key] = name
	}
}

// Whatever is wrong with an entry, it is as if it had not been there.
func TestBrokenEntriesAreMadeAnew(t *testing.T) {
	t.Parallel()
	folder, code := t.TempDir(), w.Transform{}.Bytes()
	admit(t, newHost(t, func(c *Config) { c.CacheFolder = folder }), code)
	pristine := t.TempDir()
	if err := os.CopyFS(pristine, os.DirFS(folder)); err != nil {
		t.Fatal(err)
	}
	var files []string
	err := filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			files = append(files, path)
		}
		return err
	})
	if err != nil || len(files) != 3 {
		t.Fatalf("the entry has %v, %v, want a record, a module and machine code", files, err)
	}
	for _, file := range files {
		name := filepath.Base(file)[:5]
		whole, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		broken := map[string][]byte{"empty": {}, "half": whole[:len(whole)/2], "gone": nil}
		for _, at := range []int{0, 20, 70, len(whole) / 2, len(whole) - 1} {
			flipped := append([]byte(nil), whole...)
			flipped[at] ^= 0x10
			broken[fmt.Sprint("flipped at ", at)] = flipped
		}
		for how, content := range broken {
			if how == "gone" {
				err = os.Remove(file)
			} else {
				err = os.WriteFile(file, content, 0o600)
			}
			if err != nil {
				t.Fatal(err)
			}
			if recall(t, folder, code) != nil {
				t.Errorf("%s, %s: the entry was used", name, how)
			}
			if list, _ := os.ReadDir(folder); len(list) != 0 {
				t.Errorf("%s, %s: the entry was left", name, how)
			}
			if err := os.CopyFS(folder, os.DirFS(pristine)); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// What is kept must still answer as it did: here the record is whole, and
// pins answers that the module does not give.
func TestOtherGoldenAnswersAreNotServed(t *testing.T) {
	t.Parallel()
	folder, code := t.TempDir(), w.Transform{}.Bytes()
	golden := admit(t, newHost(t, func(c *Config) { c.CacheFolder = folder }), code).Spec().Golden
	editRecord(t, folder, golden, digest(nil))
	if recall(t, folder, code) != nil {
		t.Error("the entry was used")
	}
	if got := admit(t, newHost(t, func(c *Config) { c.CacheFolder = folder }), code).Spec().Golden; got != golden {
		t.Errorf("golden is %s, want %s", got, golden)
	}
}

// editRecord of the one entry in a folder, so that it is whole.
func editRecord(t *testing.T, folder, before, after string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(folder, "*", recordFile))
	if err != nil || len(files) != 1 {
		t.Fatal(files, err)
	}
	text, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	_, body, _ := strings.Cut(string(text), "\n")
	body = strings.Replace(body, before, after, 1)
	if err := os.WriteFile(files[0], []byte(digest([]byte(body))+"\n"+body), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestStorePrunes(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	h := newHost(t, func(c *Config) { c.CacheFolder, c.CacheEntries = folder, 2 })
	for i := range 4 {
		admit(t, h, w.Transform{Name: fmt.Sprint("t", i)}.Bytes())
	}
	if list, _ := os.ReadDir(folder); len(list) != 2 {
		t.Errorf("%d entries are kept, want 2", len(list))
	}
}

func TestFolderIsPrivate(t *testing.T) {
	t.Parallel()
	log := slog.New(slog.DiscardHandler)
	base := t.TempDir()
	if err := os.Chmod(base, 0o700); err != nil {
		t.Fatal(err)
	}
	made, _, err := openFolder(filepath.Join(base, "a", "b"), log)
	if err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{made, filepath.Dir(made)} {
		if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != 0o700 {
			t.Errorf("%s has mode %v, %v, want 0700", dir, info.Mode(), err)
		}
	}
	mode := func(name string, perm fs.FileMode) string {
		dir := filepath.Join(base, name)
		if err := os.MkdirAll(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(dir, perm); err != nil {
			t.Fatal(err)
		}
		return dir
	}
	link := filepath.Join(base, "link")
	if err := os.Symlink(mode("open", 0o777), link); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(base, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, folder := range map[string]string{
		"world":       mode("world", 0o777),
		"group":       mode("group", 0o770),
		"above":       filepath.Join(mode("above", 0o777), "inside"),
		"link to one": link,
		"file":        file,
	} {
		if _, _, err := openFolder(folder, log); err == nil {
			t.Errorf("%s: it was taken", name)
		} else if strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %q is not one line", name, err)
		}
	}
	if _, _, err := openFolder(filepath.Join(mode("sticky", 0o777|fs.ModeSticky), "inside"), log); err != nil {
		t.Errorf("under a sticky folder: %v", err)
	}
}

func TestTemporaryFolder(t *testing.T) {
	t.Setenv("XDG_CACHE_HOME", "")
	t.Setenv("HOME", "")
	h := newHost(t, func(c *Config) { c.CacheFolder = "" })
	folder := h.store.folder
	if info, err := os.Stat(folder); err != nil || info.Mode().Perm() != 0o700 {
		t.Fatalf("the temporary folder: %v, %v", info, err)
	}
	admit(t, h, w.Transform{}.Bytes())
	if err := h.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(folder); !os.IsNotExist(err) {
		t.Errorf("the temporary folder is left: %v", err)
	}
}
