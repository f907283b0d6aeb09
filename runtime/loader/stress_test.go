package loader

import (
	"bytes"
	"context"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"livelab/pipeline/model"
	"livelab/pipeline/publish"
)

// readers ask for a model again and again, each with the answer that it must
// give, until stop is called. They count what they were not given.
type readers struct {
	done          chan struct{}
	all           sync.WaitGroup
	asked, failed atomic.Int64
}

func startReaders(t *testing.T, s *Set, want map[string]float64) *readers {
	t.Helper()
	r := &readers{done: make(chan struct{})}
	for range 4 {
		r.all.Go(func() {
			x, values := make([]float64, 1), make([]float64, len(s.Current().Predictor.Columns()))
			for {
				select {
				case <-r.done:
					return
				default:
				}
				r.asked.Add(1)
				found, err := s.Find(name, "")
				if err != nil || s.Current() == nil {
					r.failed.Add(1)
					continue
				}
				// Also held for a while, a model answers as itself.
				if err := found.Predictor.Vector(x, values); err != nil {
					t.Error(err)
					return
				}
				runtime.Gosched()
				if got := found.Model.LogOdds([]float64{0.4}); got != want[found.Version] {
					t.Errorf("version %s answers %v", found.Version, got)
					return
				}
			}
		})
	}
	return r
}

func (r *readers) stop(t *testing.T) {
	t.Helper()
	close(r.done)
	r.all.Wait()
	t.Logf("%d lookups", r.asked.Load())
	if n := r.failed.Load(); n > 0 {
		t.Errorf("%d of %d lookups found no default model", n, r.asked.Load())
	}
}

// TestReloadsUnderLoad reloads, promotes, rolls back, loads and unloads under
// load: no lookup of the default model may fail.
func TestReloadsUnderLoad(t *testing.T) {
	t.Parallel()
	r := newRegistry(t)
	want := make(map[string]float64)
	var versions []string
	for i := range 3 {
		versions = append(versions, r.add(t, testModel(float64(i))))
		want[versions[i]] = float64(i)
	}
	other := r.addTo(t, station, 9)
	r.promoteOf(t, station, other)
	r.promote(t, versions[0])
	s := newSet(t, r, nil)
	if _, _, err := s.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	under := startReaders(t, s, want)
	var beside sync.WaitGroup
	beside.Go(func() {
		for range 40 {
			for _, v := range []string{"", other} {
				if _, err := s.Load(context.Background(), station, v); err != nil {
					t.Error(err)
				}
			}
			_ = s.Unload(context.Background(), station, "")
		}
	})
	changes := 0
	for i := range 120 {
		r.promote(t, versions[i%3])
		if i%10 == 9 {
			if _, _, err := r.Rollback(t.Context(), name, r.at); err != nil {
				t.Fatal(err)
			}
		}
		pinned := versions[(i+1)%3]
		load(t, s, name, pinned)
		_, changed, err := s.Reload(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if changed {
			changes++
		}
		unload(t, s, name, pinned)
	}
	beside.Wait()
	under.stop(t)
	if changes < 100 {
		t.Errorf("%d reloads changed the model, want at least 100", changes)
	}
}

// TestDamagedVersionsUnderLoad has the registry name a version whose files are
// damaged, each in its way: the one before serves on, and the next good one is
// taken up.
func TestDamagedVersionsUnderLoad(t *testing.T) {
	t.Parallel()
	damage := map[string]func(t *testing.T, r *registry, folder string){
		"half-written": func(t *testing.T, r *registry, folder string) {
			for _, f := range []string{model.MetricsFile, model.ManifestFile} {
				if err := os.Remove(filepath.Join(folder, f)); err != nil {
					t.Fatal(err)
				}
			}
		},
		"gone": func(t *testing.T, r *registry, folder string) {
			if err := os.RemoveAll(folder); err != nil {
				t.Fatal(err)
			}
		},
		"truncated": func(t *testing.T, r *registry, folder string) {
			for _, f := range []string{model.ModelFile, model.ManifestFile, model.MetadataFile, model.MetricsFile} {
				path := filepath.Join(folder, f)
				overwrite(t, path, readFile(t, path)[:len(readFile(t, path))/2])
			}
		},
		"a bit flipped": func(t *testing.T, r *registry, folder string) {
			path := filepath.Join(folder, []string{model.ModelFile, model.MetricsFile, model.MetadataFile}[rand.N(3)])
			b := readFile(t, path)
			b[rand.N(len(b))] ^= 1 << rand.N(8)
			overwrite(t, path, b)
		},
		"tampered, sealed anew": func(t *testing.T, r *registry, folder string) {
			path := filepath.Join(folder, model.ModelFile)
			b := readFile(t, path)
			changed := bytes.Replace(b, []byte(`"scale": 0.1`), []byte(`"scale": 0.2`), 1)
			if bytes.Equal(b, changed) {
				t.Fatal("nothing was tampered with")
			}
			overwrite(t, path, changed)
			reseal(t, folder)
		},
		"another's files": func(t *testing.T, r *registry, folder string) {
			first := filepath.Join(filepath.Dir(folder), firstVersion(t, r))
			for _, f := range []string{model.ModelFile, model.ManifestFile, model.MetadataFile, model.MetricsFile} {
				overwrite(t, filepath.Join(folder, f), readFile(t, filepath.Join(first, f)))
			}
		},
		"a half alias": func(t *testing.T, r *registry, folder string) {
			path := filepath.Join(r.root, name, "aliases", publish.Champion)
			overwrite(t, path, readFile(t, path)[:40])
		},
	}
	for title, spoil := range damage {
		t.Run(title, func(t *testing.T) {
			t.Parallel()
			r := newRegistry(t)
			first, second, third := r.add(t, testModel(1)), r.add(t, testModel(2)), r.add(t, testModel(3))
			want := map[string]float64{first: 1, second: 2, third: 3}
			r.promote(t, first)
			s := newSet(t, r, nil)
			if _, _, err := s.Reload(t.Context()); err != nil {
				t.Fatal(err)
			}
			under := startReaders(t, s, want)
			r.promote(t, second)
			spoil(t, r, filepath.Join(r.root, name, "versions", second))
			for range 5 {
				if _, _, err := s.Reload(t.Context()); err == nil {
					t.Fatal("a damaged version was loaded")
				}
				s.main.refresh(t.Context())
				wantFound(t, s, name, "", first)
			}
			if f := s.Failure(); f == nil || s.main.failures.Load() < 5 {
				t.Errorf("failure %+v, %d counted", f, s.main.failures.Load())
			}
			if title == "a half alias" {
				if err := os.Remove(filepath.Join(r.root, name, "aliases", publish.Champion)); err != nil {
					t.Fatal(err)
				}
			}
			r.promote(t, third)
			s.main.refresh(t.Context())
			wantFound(t, s, name, "", third)
			under.stop(t)
		})
	}
}

func firstVersion(t *testing.T, r *registry) string {
	t.Helper()
	names, err := r.VersionNames(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	return names[len(names)-1]
}

// reseal has the manifest vouch for what the folder holds by now.
func reseal(t *testing.T, folder string) {
	t.Helper()
	files := make(map[string][]byte)
	for _, f := range []string{model.ModelFile, model.MetricsFile, model.MetadataFile} {
		files[f] = readFile(t, filepath.Join(folder, f))
	}
	b, err := model.NewManifest(files).Encode()
	if err != nil {
		t.Fatal(err)
	}
	overwrite(t, filepath.Join(folder, model.ManifestFile), b)
}

// What lies on the disk does not reach a model in service.
func TestFilesReplacedWhileServed(t *testing.T) {
	t.Parallel()
	r := newRegistry(t)
	version, pinned := r.add(t, testModel(1)), r.add(t, testModel(2))
	r.promote(t, version)
	s := newSet(t, r, nil)
	if _, _, err := s.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	load(t, s, name, pinned)
	for v, want := range map[string]float64{version: 1, pinned: 2} {
		path := filepath.Join(r.root, name, "versions", v, model.ModelFile)
		// Into the same file, as a careless copy does.
		if err := os.WriteFile(path, []byte(strings.Replace(string(readFile(t, path)), `"scale"`, `"SCALE"`, 1)), 0o600); err != nil {
			t.Fatal(err)
		}
		s.main.refresh(t.Context())
		if _, err := s.Load(t.Context(), name, v); err == nil {
			t.Errorf("%s was loaded again, changed", v)
		}
		found, err := s.Find(name, v)
		if err != nil || found.Model.LogOdds([]float64{0.4}) != want {
			t.Errorf("%s answers otherwise: %v", v, err)
		}
	}
}
