package publish

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"livelab/pipeline/gate"
	"livelab/pipeline/model"
)

// TestDamage spoils a champion in every way that a disk, or a person, can, and
// wants each read to say what happened.
func TestDamage(t *testing.T) {
	t.Parallel()
	type place struct {
		d            *Dir
		dir, another string // folders of versions 1 and 2
	}
	write := func(path, text string) error { return os.WriteFile(path, []byte(text), 0o644) }
	edit := func(path, old, now string) error {
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return write(path, strings.Replace(string(b), old, now, 1))
	}
	for name, test := range map[string]struct {
		spoil func(p place) error
		want  string
	}{
		"file missing":  {func(p place) error { return os.Remove(filepath.Join(p.dir, model.MetricsFile)) }, "metrics.json is missing"},
		"file tampered": {func(p place) error { return edit(filepath.Join(p.dir, model.ModelFile), "-2", "+2") }, "it was changed after training"},
		"file cut":      {func(p place) error { return os.Truncate(filepath.Join(p.dir, model.ModelFile), 100) }, "it was changed after training"},
		"file emptied":  {func(p place) error { return os.Truncate(filepath.Join(p.dir, model.MetadataFile), 0) }, "it was changed after training"},
		"file huge":     {func(p place) error { return os.Truncate(filepath.Join(p.dir, model.MetricsFile), maxFileBytes+1) }, "it is not ours"},
		"file swapped": {func(p place) error {
			return os.Rename(filepath.Join(p.another, model.ModelFile), filepath.Join(p.dir, model.ModelFile))
		}, "it was changed after training"},
		"folder swapped": {func(p place) error {
			return errors.Join(os.RemoveAll(p.dir), os.Rename(p.another, p.dir))
		}, "it belongs to another version"},
		"model with manifest swapped": {func(p place) error {
			for _, f := range []string{model.ModelFile, model.ManifestFile, model.MetadataFile} {
				if err := os.Rename(filepath.Join(p.another, f), filepath.Join(p.dir, f)); err != nil {
					return err
				}
			}
			return nil
		}, "missing"},
		"version gone":     {func(p place) error { return os.RemoveAll(p.dir) }, "follow alias champion"},
		"version a file":   {func(p place) error { return errors.Join(os.RemoveAll(p.dir), write(p.dir, "x")) }, "is not a folder"},
		"version a link":   {func(p place) error { return errors.Join(os.RemoveAll(p.dir), os.Symlink(p.another, p.dir)) }, "is not a folder"},
		"manifest missing": {func(p place) error { return os.Remove(filepath.Join(p.dir, model.ManifestFile)) }, "manifest.json is missing"},
		"manifest cut":     {func(p place) error { return os.Truncate(filepath.Join(p.dir, model.ManifestFile), 50) }, "unexpected EOF"},
		"manifest empty":   {func(p place) error { return write(filepath.Join(p.dir, model.ManifestFile), "{}") }, "model.json is missing"},
		"manifest climbs out": {func(p place) error {
			return write(filepath.Join(p.dir, model.ManifestFile), `{"files":{"../../aliases/champion":"`+strings.Repeat("a", 64)+`"}}`)
		}, "no version has such a file"},
		"listed link": {func(p place) error {
			path := filepath.Join(p.dir, model.MetricsFile)
			return errors.Join(os.Rename(path, path+".kept"), os.Symlink(path+".kept", path))
		}, "is not a regular file"},
		"link beside":      {func(p place) error { return os.Symlink("/", filepath.Join(p.dir, "root")) }, "is not a regular file"},
		"alias empty":      {func(p place) error { return write(p.d.aliasPath(demo, Champion), "") }, "remove it and promote again"},
		"alias climbs out": {func(p place) error { return edit(p.d.aliasPath(demo, Champion), filepath.Base(p.dir), "../x") }, "which is no version"},
		"alias to another digest": {func(p place) error {
			a, err := p.d.Alias(ctx, demo, Champion)
			if err != nil {
				return err
			}
			return edit(p.d.aliasPath(demo, Champion), a.Digest, strings.Repeat("0", 64))
		}, "the version was changed"},
		"alias a folder": {func(p place) error {
			path := p.d.aliasPath(demo, Champion)
			return errors.Join(os.Remove(path), os.Mkdir(path, 0o755))
		}, "no regular file"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := OpenDir(t.TempDir())
			one, two := addJudged(t, d, 1, gate.Pass), addJudged(t, d, 2, gate.Pass)
			promote(t, d, one)
			if err := test.spoil(place{d, d.versionPath(demo, one), d.versionPath(demo, two)}); err != nil {
				t.Fatal(err)
			}
			if _, err := d.Resolve(ctx, demo, Champion); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Fatalf("got %v, want %q", err, test.want)
			}
		})
	}
}

// A verdict that was slipped in with a fitting manifest still is not one for
// this digest.
func TestForeignVerdictDoesNotPublish(t *testing.T) {
	t.Parallel()
	d := OpenDir(t.TempDir())
	passed, refused := addJudged(t, d, 1, gate.Pass), addJudged(t, d, 2, gate.Fail)
	from, err := d.Read(ctx, demo, passed)
	if err != nil {
		t.Fatal(err)
	}
	to, err := d.Read(ctx, demo, refused)
	if err != nil {
		t.Fatal(err)
	}
	to.Files[model.GateFile] = from.Files[model.GateFile]
	manifest := must(model.NewManifest(to.Files).Encode())
	for f, b := range map[string][]byte{model.GateFile: to.Files[model.GateFile], model.ManifestFile: manifest} {
		if err := os.WriteFile(filepath.Join(d.versionPath(demo, refused), f), b, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	var e *RefusedError
	err = d.Promote(ctx, demo, refused, PromoteOptions{At: t0})
	if !errors.As(err, &e) || !strings.Contains(err.Error(), "gate.json is about") {
		t.Fatalf("got %v", err)
	}
	if infos, err := d.Versions(ctx, demo); err != nil || infos[0].Err == nil {
		t.Errorf("the list does not say it: %+v, %v", infos, err)
	}
}

func TestLeftOversAreIgnoredAndCleared(t *testing.T) {
	t.Parallel()
	d := OpenDir(t.TempDir())
	version := addJudged(t, d, 1, gate.Pass)
	half := filepath.Join(d.stagingPath(demo), "HALFWRITTEN")
	if err := os.MkdirAll(half, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(half, model.ModelFile), []byte("{"), 0o644); err != nil {
		t.Fatal(err)
	}
	// An Amend that was killed between its first file and the manifest.
	if err := os.WriteFile(filepath.Join(d.versionPath(demo, version), "unlisted.json"), []byte("{"), 0o644); err != nil {
		t.Fatal(err)
	}
	wantWhole(t, d)
	if _, err := d.Add(ctx, demo, demoFiles(2, t0), t0); err != nil {
		t.Fatal(err)
	}
	wantNoStaging(t, d)
}

func TestReadGivesUpWithItsContext(t *testing.T) {
	t.Parallel()
	d := OpenDir(t.TempDir())
	version := addJudged(t, d, 1, gate.Pass)
	done, cancel := context.WithCancel(ctx)
	cancel()
	for name, call := range map[string]func() error{
		"read":    func() error { _, err := d.Read(done, demo, version); return err },
		"alias":   func() error { _, err := d.Alias(done, demo, Latest); return err },
		"list":    func() error { _, err := d.Versions(done, demo); return err },
		"promote": func() error { return d.Promote(done, demo, version, PromoteOptions{At: t0}) },
		"add":     func() error { _, err := d.Add(done, demo, demoFiles(3, t0), t0); return err },
	} {
		if err := call(); !errors.Is(err, done.Err()) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzParseAlias(f *testing.F) {
	step := `{"version":"20261123T124243Z-1a2b3c4d","digest":"` + strings.Repeat("1a2b3c4d", 8) + `","at":"2026-11-23T12:42:43Z","forced":false}`
	f.Add([]byte(step))
	f.Add([]byte(`{"version":"../x"}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		_, _ = parseAlias(b, Challenger)
		a, err := parseAlias(b, Champion)
		if err != nil {
			return
		}
		for _, s := range append(a.History, a.Step) {
			if checkVersion(demo, s.Version) != nil || len(s.Digest) != 64 {
				t.Fatalf("points nowhere: %+v", s)
			}
		}
	})
}

func FuzzParseManifest(f *testing.F) {
	f.Add(must(model.NewManifest(demoFiles(1, t0)).Encode()))
	f.Add([]byte(`{"files":{"a/../b":"00"}}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := parseManifest(b)
		if err != nil {
			return
		}
		for name := range m.Files {
			if !filepath.IsLocal(name) {
				t.Fatalf("%q climbs out", name)
			}
		}
	})
}

func BenchmarkRead1Version(b *testing.B) {
	d := OpenDir(b.TempDir())
	version := addJudged(b, d, 1, gate.Pass)
	for b.Loop() {
		if _, err := d.Read(ctx, demo, version); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkPromoteAmong2Versions(b *testing.B) {
	d := OpenDir(b.TempDir())
	versions := []string{addJudged(b, d, 1, gate.Pass), addJudged(b, d, 2, gate.Pass)}
	for i := 0; b.Loop(); i++ {
		if err := d.Promote(ctx, demo, versions[i%2], PromoteOptions{At: t0.Add(time.Duration(i))}); err != nil {
			b.Fatal(err)
		}
	}
}
