package publish

import (
	"bytes"
	"errors"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gofrs/flock"
	"github.com/google/go-cmp/cmp"

	"livelab/pipeline/gate"
	"livelab/pipeline/model"
)

func TestAddAndRead(t *testing.T) {
	t.Parallel()
	d := OpenDir(filepath.Join(t.TempDir(), "artifacts"))
	files := demoFiles(1, t0)
	version, err := d.Add(ctx, demo, files, t0.Add(300*time.Millisecond))
	if err != nil {
		t.Fatal(err)
	}
	digest := model.Digest(files[model.ModelFile])
	if want := "20261123T124243Z-" + digest[:8]; version != want {
		t.Fatalf("version %s, want %s", version, want)
	}
	v, err := d.Read(ctx, demo, version)
	if err != nil {
		t.Fatal(err)
	}
	got := maps.Clone(v.Files)
	delete(got, model.ManifestFile)
	if diff := cmp.Diff(files, got); diff != "" || v.Digest != digest || !v.CreatedAt.Equal(t0) {
		t.Fatalf("read %s of %s, files %s", v.Digest, v.CreatedAt, diff)
	}
	a, err := d.Alias(ctx, demo, Latest)
	if err != nil || a.Version != version || a.Digest != digest {
		t.Fatalf("latest is %+v, %v", a, err)
	}
	wantNoStaging(t, d)
}

func TestAddTwice(t *testing.T) {
	t.Parallel()
	d := OpenDir(t.TempDir())
	version := addJudged(t, d, 1, gate.Pass)
	if again, err := d.Add(ctx, demo, demoFiles(1, t0.Add(time.Second)), t0.Add(time.Second)); err != nil || again != version {
		t.Fatalf("the same again: %s, %v", again, err)
	}
	if v, err := d.Read(ctx, demo, version); err != nil || v.Files[model.GateFile] == nil {
		t.Fatalf("the verdict went lost: %v", err)
	}
	files := demoFiles(1, t0.Add(time.Second))
	files[model.MetricsFile] = []byte(`{"f1":1}`)
	if _, err := d.Add(ctx, demo, files, t0.Add(time.Second)); err == nil || !strings.Contains(err.Error(), "another metrics.json") {
		t.Fatalf("got %v", err)
	}
}

func TestAddRefuses(t *testing.T) {
	t.Parallel()
	other := demoFiles(2, t0)
	for _, test := range []struct {
		name, model string
		change      func(files map[string][]byte)
		want        string
	}{
		{"model climbs out", "../x", nil, "no name for a model"},
		{"model hides", ".x", nil, "no name for a model"},
		{"model in capitals", "Net", nil, "no name for a model"},
		{"another model", "station-shortage", nil, `is the model "network-shortage"`},
		{"file climbs out", demo, func(f map[string][]byte) { f["../x"] = nil }, "no name for a file"},
		{"file climbs out within", demo, func(f map[string][]byte) { f["transforms/../../x"] = nil }, "no name for a file"},
		{"absolute file", demo, func(f map[string][]byte) { f["/x"] = nil }, "no name for a file"},
		{"hidden file", demo, func(f map[string][]byte) { f[".x"] = nil }, "no name for a file"},
		{"manifest given", demo, func(f map[string][]byte) { f[model.ManifestFile] = nil }, "no name for a file"},
		{"no model", demo, func(f map[string][]byte) { delete(f, model.ModelFile) }, ""},
		{"model is not one", demo, func(f map[string][]byte) { f[model.ModelFile] = []byte("{}") }, "model format"},
		{"metadata of another", demo, func(f map[string][]byte) { f[model.MetadataFile] = other[model.MetadataFile] }, "metadata.json is about"},
		{"metadata cut", demo, func(f map[string][]byte) { f[model.MetadataFile] = []byte(`{"mod`) }, "metadata.json"},
		{"transform under a false name", demo, func(f map[string][]byte) {
			f["transforms/"+strings.Repeat("ab", 32)+".wasm"] = []byte("x")
		}, "is not its name"},
		{"transform missing", demo, func(f map[string][]byte) {
			maps.DeleteFunc(f, func(name string, _ []byte) bool { return strings.HasPrefix(name, "transforms/") })
		}, "which the model pins, is missing"},
		{"verdict of another", demo, func(f map[string][]byte) { maps.Copy(f, verdictFiles(other, gate.Pass, "a")) }, "gate.json is about"},
		{"huge file", demo, func(f map[string][]byte) { f["x"] = make([]byte, maxFileBytes+1) }, "at most"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			root := t.TempDir()
			files := demoFiles(1, t0)
			if test.change != nil {
				test.change(files)
			}
			_, err := OpenDir(root).Add(ctx, test.model, files, t0)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Fatalf("got %v, want %q", err, test.want)
			}
			if left, _ := os.ReadDir(root); len(left) > 0 {
				t.Errorf("it wrote %v", left)
			}
		})
	}
}

func TestAmend(t *testing.T) {
	t.Parallel()
	d := OpenDir(t.TempDir())
	version := addJudged(t, d, 1, gate.Fail)
	files := demoFiles(1, t0.Add(time.Second))

	other := verdictFiles(files, gate.Pass, "another")
	delete(other, model.GateTable)
	if err := d.Amend(ctx, demo, version, other); err != nil {
		t.Fatal(err)
	}
	v, err := d.Read(ctx, demo, version)
	if err != nil || !bytes.Equal(v.Files[model.GateFile], other[model.GateFile]) || v.Files[model.GateTable] != nil {
		t.Fatalf("the old verdict's table is still listed, or the new verdict is not: %v", err)
	}
	for want, amendment := range map[string]map[string][]byte{
		"never changes":      {model.ModelFile: nil},
		"no files":           {},
		"gate.json is about": verdictFiles(demoFiles(2, t0), gate.Pass, "a"),
		"parse verdict":      {model.GateFile: []byte("{}")},
	} {
		if err := d.Amend(ctx, demo, version, amendment); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	if err := d.Amend(ctx, demo, "20260101T000000Z-00000000", other); !errors.Is(err, ErrNotFound) {
		t.Errorf("a version that is not there: %v", err)
	}
	wantWhole(t, d)
}

func TestPromoteAndRollback(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	d := OpenDir(t.TempDir())
	d.Log = slog.New(slog.NewTextHandler(&log, nil))
	a, b, c := addJudged(t, d, 1, gate.Pass), addJudged(t, d, 2, gate.Pass), addJudged(t, d, 3, gate.Fail)
	promote(t, d, a)
	promote(t, d, b)
	promote(t, d, b) // changes nothing
	wantChampion(t, d, b)

	err := d.Promote(ctx, demo, c, PromoteOptions{At: t0})
	var refused *RefusedError
	if !errors.As(err, &refused) || refused.Result != gate.Fail || !strings.Contains(err.Error(), "F1 at least") {
		t.Fatalf("a refused version: %v", err)
	}
	wantChampion(t, d, b)

	if err := d.Promote(ctx, demo, c, PromoteOptions{Force: true, At: t0, By: "someone"}); err != nil {
		t.Fatal(err)
	}
	wantChampion(t, d, c)
	alias, err := d.Alias(ctx, demo, Champion)
	if err != nil || !alias.Forced || alias.By != "someone" || !strings.Contains(alias.Reason, `"fail"`) {
		t.Fatalf("force is not recorded: %+v, %v", alias, err)
	}
	if !strings.Contains(log.String(), "level=ERROR msg=\"FORCED PROMOTION") {
		t.Errorf("force is not logged: %s", log.String())
	}
	for _, want := range []string{b, a} {
		if _, to, err := d.Rollback(ctx, demo, t0); err != nil || to != want {
			t.Fatalf("rolled back to %s (%v), want %s", to, err, want)
		}
		wantChampion(t, d, want)
	}
	if _, _, err := d.Rollback(ctx, demo, t0); !errors.Is(err, ErrNotFound) {
		t.Fatalf("before the first champion there is none: %v", err)
	}
	wantChampion(t, d, a)
}

func TestPromoteRefuses(t *testing.T) {
	t.Parallel()
	d := OpenDir(t.TempDir())
	unjudged, err := d.Add(ctx, demo, demoFiles(1, t0), t0)
	if err != nil {
		t.Fatal(err)
	}
	undecided := addJudged(t, d, 2, gate.Inconclusive)
	for version, want := range map[string]string{unjudged: "no verdict", undecided: "inconclusive"} {
		var refused *RefusedError
		err := d.Promote(ctx, demo, version, PromoteOptions{At: t0})
		if !errors.As(err, &refused) || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	for name, call := range map[string]func() error{
		"promote": func() error {
			return d.Promote(ctx, demo, "20260101T000000Z-00000000", PromoteOptions{At: t0, Force: true})
		},
		"rollback":      func() error { _, _, err := d.Rollback(ctx, demo, t0); return err },
		"unknown model": func() error { _, _, err := d.Rollback(ctx, "none", t0); return err },
		"alias":         func() error { _, err := d.Alias(ctx, demo, Champion); return err },
		"read":          func() error { _, err := d.Read(ctx, "none", unjudged); return err },
	} {
		if err := call(); !errors.Is(err, ErrNotFound) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := d.Alias(ctx, demo, Champion); err == nil || err.Error() != demo+" has no champion: none has been published" {
		t.Errorf("without a champion: %v", err)
	}
	if _, err := os.Stat(d.modelPath("none")); err == nil {
		t.Error("asking for a model made its folder")
	}
}

func TestRollbackPassesOverBroken(t *testing.T) {
	t.Parallel()
	d := OpenDir(t.TempDir())
	a, b, c := addJudged(t, d, 1, gate.Pass), addJudged(t, d, 2, gate.Pass), addJudged(t, d, 3, gate.Pass)
	for _, v := range []string{a, b, c} {
		promote(t, d, v)
	}
	if err := os.Remove(filepath.Join(d.versionPath(demo, b), model.MetricsFile)); err != nil {
		t.Fatal(err)
	}
	if from, to, err := d.Rollback(ctx, demo, t0); err != nil || from != c || to != a {
		t.Fatalf("from %s to %s, %v", from, to, err)
	}
	promote(t, d, c)
	if err := os.RemoveAll(d.versionPath(demo, a)); err != nil {
		t.Fatal(err)
	}
	if _, _, err := d.Rollback(ctx, demo, t0); err == nil || !strings.Contains(err.Error(), "none of the champions before") {
		t.Fatalf("got %v", err)
	}
	wantChampion(t, d, c)
}

func TestList(t *testing.T) {
	t.Parallel()
	d := OpenDir(filepath.Join(t.TempDir(), "none yet"))
	if names, err := d.Models(ctx); err != nil || len(names) != 0 {
		t.Fatalf("%v, %v", names, err)
	}
	old, broken, newest := addJudged(t, d, 1, gate.Fail), addJudged(t, d, 2, gate.Pass), addJudged(t, d, 3, gate.Pass)
	if err := os.WriteFile(filepath.Join(d.versionPath(demo, broken), model.MetricsFile), []byte("x"), 0o644); err != nil {
		t.Fatal(err)
	}
	infos, err := d.Versions(ctx, demo)
	if err != nil || len(infos) != 3 {
		t.Fatalf("%v, %v", infos, err)
	}
	if infos[0].Version != newest || infos[0].Result != gate.Pass || infos[0].Metadata.F1 != 0.9 || infos[0].Err != nil {
		t.Errorf("newest: %+v", infos[0])
	}
	if infos[1].Version != broken || infos[1].Err == nil {
		t.Errorf("what is broken is hidden: %+v", infos[1])
	}
	if infos[2].Version != old || infos[2].Result != gate.Fail {
		t.Errorf("oldest: %+v", infos[2])
	}
	if names, err := d.Models(ctx); err != nil || len(names) != 1 || names[0] != demo {
		t.Errorf("%v, %v", names, err)
	}
}

func TestWritersWaitForEachOther(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	var all sync.WaitGroup
	for n := range 8 {
		all.Go(func() {
			d := OpenDir(root) // as a process of its own would
			d.LockWait = time.Minute
			promote(t, d, addJudged(t, d, n+1, gate.Pass))
		})
	}
	all.Wait()
	d := OpenDir(root)
	a, err := d.Alias(ctx, demo, Champion)
	if err != nil || len(a.History) != 7 {
		t.Fatalf("one promotion overwrote another: %+v, %v", a, err)
	}
	wantWhole(t, d)
}

func TestLockIsHeld(t *testing.T) {
	t.Parallel()
	d := OpenDir(t.TempDir())
	version := addJudged(t, d, 1, gate.Pass)
	l := flock.New(filepath.Join(d.modelPath(demo), lockFile))
	if err := l.Lock(); err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	d.LockWait = 30 * time.Millisecond
	err := d.Promote(ctx, demo, version, PromoteOptions{At: t0})
	if err == nil || !strings.Contains(err.Error(), "another process has held") {
		t.Fatalf("got %v", err)
	}
	if _, err := d.Read(ctx, demo, version); err != nil {
		t.Fatalf("a reader must not wait: %v", err)
	}
}
