package loader

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"livelab/pipeline/features"
	"livelab/pipeline/model"
	"livelab/pipeline/publish"
)

const station = "station-shortage"

// addTo is add for another model.
func (r *registry) addTo(t testing.TB, name string, intercept float64) (version string) {
	t.Helper()
	m := testModel(intercept)
	m.Name = name
	return r.add(t, m)
}

func (r *registry) promoteOf(t testing.TB, name, version string) {
	t.Helper()
	if err := r.Promote(t.Context(), name, version, publish.PromoteOptions{Force: true, At: r.at}); err != nil {
		t.Fatal(err)
	}
}

// remove a model's folder.
func (r *registry) remove(t testing.TB, name string) {
	t.Helper()
	if err := os.RemoveAll(filepath.Join(r.root, name)); err != nil {
		t.Fatal(err)
	}
}

func readFile(t testing.TB, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func challenge(t testing.TB, r *registry, version string) {
	t.Helper()
	if err := r.Challenge(t.Context(), name, version, publish.ChallengeOptions{At: r.at, By: "a test"}); err != nil {
		t.Fatal(err)
	}
}

func newSet(t testing.TB, r Registry, change func(*SetConfig)) *Set {
	t.Helper()
	cfg := SetConfig{Config: Config{Registry: r, Model: name, Now: func() time.Time { return start }}}
	if change != nil {
		change(&cfg)
	}
	s, err := NewSet(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// wantFound checks what Find gives, by version; an empty one is none.
func wantFound(t *testing.T, s *Set, name, version, want string) {
	t.Helper()
	got, err := s.Find(name, version)
	switch {
	case want == "" && !errors.Is(err, ErrNotLoaded):
		t.Errorf("find %s %s: %v, error %v, want it not loaded", name, version, got, err)
	case want != "" && (err != nil || got.Version != want):
		t.Errorf("find %s %s: %+v, error %v, want %s", name, version, got, err, want)
	}
}

func load(t *testing.T, s *Set, name, version string) {
	t.Helper()
	if _, err := s.Load(t.Context(), name, version); err != nil {
		t.Errorf("load %s %s: %v", name, version, err)
	}
}

func unload(t *testing.T, s *Set, name, version string) {
	t.Helper()
	if err := s.Unload(t.Context(), name, version); err != nil {
		t.Errorf("unload %s %s: %v", name, version, err)
	}
}

func TestSeveralModelsAndVersions(t *testing.T) {
	t.Parallel()
	r := newRegistry(t)
	first, second := r.add(t, testModel(-1)), r.add(t, testModel(1))
	other := r.addTo(t, station, 2)
	r.promote(t, second)
	r.promoteOf(t, station, other)
	s := newSet(t, r, nil)
	wantFound(t, s, name, "", "")
	if _, _, err := s.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	wantFound(t, s, name, "", second)
	wantFound(t, s, name, second, second)
	wantFound(t, s, name, first, "")
	wantFound(t, s, station, "", "")

	load(t, s, name, first)
	load(t, s, station, "")
	wantFound(t, s, name, first, first)
	wantFound(t, s, name, "", second)
	wantFound(t, s, station, "", other)
	if found, _ := s.Find(station, ""); found.Model.Name != station {
		t.Errorf("found %s", found.Model.Name)
	}

	unload(t, s, name, first)
	wantFound(t, s, name, first, "")
	wantFound(t, s, name, "", second)
	unload(t, s, station, "")
	wantFound(t, s, station, "", "")
	if err := s.Unload(t.Context(), station, ""); !errors.Is(err, ErrNotLoaded) {
		t.Errorf("unloaded again: %v", err)
	}

	// A version of a model that follows nothing answers by itself.
	load(t, s, station, other)
	wantFound(t, s, station, "", other)
}

func TestUnloadByTheVersionThatIsFollowed(t *testing.T) {
	t.Parallel()
	r := newRegistry(t)
	first, second := r.addTo(t, station, 1), r.addTo(t, station, 2)
	r.promoteOf(t, station, second)
	s := newSet(t, r, nil)
	load(t, s, station, "")
	load(t, s, station, first)
	load(t, s, station, second)
	unload(t, s, station, second) // its pin
	wantFound(t, s, station, "", second)
	unload(t, s, station, second)
	wantFound(t, s, station, second, "")
	wantFound(t, s, station, "", first)
	r.promoteOf(t, station, first)
	if len(s.loaders()) != 3 { // challenger, the default model, first
		t.Errorf("%d loaders are left", len(s.loaders()))
	}
}

func TestLoadRefuses(t *testing.T) {
	t.Parallel()
	r := newRegistry(t)
	r.promote(t, r.add(t, testModel(-1)))
	broken := r.addTo(t, station, 3)
	overwrite(t, r.root+"/"+station+"/versions/"+broken+"/"+model.ModelFile, []byte("{}"))
	s := newSet(t, r, nil)
	for _, tt := range []struct {
		name, version, want string
		is                  error
	}{
		{"moon-shortage", "", "moon-shortage has no champion", publish.ErrNotFound},
		{station, "", "has no champion", publish.ErrNotFound},
		{station, "20200101T000000Z-deadbeef", "not found", publish.ErrNotFound},
		{"../etc", "", "is no name for a model", nil},
		{station, "../x", "is no version", nil},
		{station, broken, "changed after training", nil},
	} {
		_, err := s.Load(t.Context(), tt.name, tt.version)
		if err == nil || !strings.Contains(err.Error(), tt.want) || errors.Is(err, publish.ErrNotFound) != (tt.is != nil) {
			t.Errorf("load %s %s: error %v, want one about %q", tt.name, tt.version, err, tt.want)
		}
		wantFound(t, s, tt.name, tt.version, "")
	}
	if len(*s.shelves.Load()) != 1 || s.loading != 0 {
		t.Errorf("refused loads left %d shelves and %d places", len(*s.shelves.Load()), s.loading)
	}
}

func TestBound(t *testing.T) {
	t.Parallel()
	r := newRegistry(t)
	var versions []string
	for i := range 4 {
		versions = append(versions, r.add(t, testModel(float64(i))))
	}
	r.promote(t, versions[0])
	s := newSet(t, r, func(c *SetConfig) { c.MaxLoaded = 3 })
	load(t, s, name, versions[1])
	load(t, s, name, versions[2])
	if _, err := s.Load(t.Context(), name, versions[3]); !errors.Is(err, ErrFull) || !strings.Contains(err.Error(), "3 models and versions are in service") {
		t.Errorf("a fourth: error %v", err)
	}
	load(t, s, name, "") // has its place
	load(t, s, name, versions[2])
	unload(t, s, name, versions[1])
	load(t, s, name, versions[3])

	// Many at once take no more places than there are.
	unload(t, s, name, versions[2])
	unload(t, s, name, versions[3])
	var loads sync.WaitGroup
	for _, v := range versions[1:] {
		loads.Go(func() { _, _ = s.Load(t.Context(), name, v) })
	}
	loads.Wait()
	if n := len((*s.shelves.Load())[name].all()); n > 3 {
		t.Errorf("%d are in service, want at most 3", n)
	}
	if s.loading != 0 {
		t.Errorf("%d places were not given back", s.loading)
	}
}

func TestUnloadedDefaultStaysOut(t *testing.T) {
	t.Parallel()
	r := newRegistry(t)
	first, second := r.add(t, testModel(-1)), r.add(t, testModel(1))
	r.promote(t, first)
	s := newSet(t, r, nil)
	_, _, _ = s.Reload(t.Context())
	load(t, s, name, second)
	held := s.Current()
	unload(t, s, name, "")
	if f := s.Failure(); s.Current() != nil || f == nil || f.Version != first || !errors.Is(f.Err, ErrUnloaded) {
		t.Errorf("unloaded: serves %v, failure %+v", s.Current(), f)
	}
	wantFound(t, s, name, "", "")
	wantFound(t, s, name, second, "")
	if got := held.Predictor.Model.LogOdds([]float64{0.4}); got != -1 {
		t.Errorf("who held it is answered %v", got)
	}
	r.promote(t, second)
	s.main.refresh(t.Context())
	if err := s.Refresh(t.Context()); s.Current() != nil || !errors.Is(err, ErrUnloaded) {
		t.Errorf("brought back: %v, error %v", s.Current(), err)
	}
	for _, back := range []func(){
		func() { load(t, s, name, "") },
		func() { _, _, _ = s.Reload(t.Context()) },
	} {
		back()
		if s.Failure() != nil {
			t.Errorf("after it was asked for: %+v", s.Failure())
		}
		wantFound(t, s, name, "", second)
		unload(t, s, name, second)
		wantFound(t, s, name, "", "")
	}
}

// A load that is under way does not bring back what was unloaded meanwhile.
func TestUnloadDuringALoad(t *testing.T) {
	t.Parallel()
	r := newRegistry(t)
	r.promote(t, r.add(t, testModel(-1)))
	var s *Set
	s = newSet(t, r, func(c *SetConfig) {
		c.Accept = func(*Loaded) error { return s.Unload(context.Background(), name, "") }
	})
	if _, _, err := s.Reload(t.Context()); !errors.Is(err, ErrUnloaded) {
		t.Errorf("error %v", err)
	}
	if f := s.Failure(); s.Current() != nil || !errors.Is(f.Err, ErrUnloaded) {
		t.Errorf("serves %v, failure %+v", s.Current(), f)
	}
}

func TestIndex(t *testing.T) {
	t.Parallel()
	r := newRegistry(t)
	first, second, third := r.add(t, testModel(-1)), r.add(t, testModel(1)), r.add(t, testModel(2))
	other := r.addTo(t, station, 2)
	r.promote(t, second)
	r.promoteOf(t, station, other)
	s := newSet(t, r, nil)
	index := func() string {
		t.Helper()
		list, err := s.Index(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		var text []string
		for _, e := range list {
			text = append(text, strings.TrimSpace(fmt.Sprintf("%s %s %v %s", e.Name, e.Version, e.Ready, e.Reason)))
		}
		text = append(text, "")
		replaced := strings.NewReplacer(first, "first", second, "second", third, "third", other, "other", name, "n", station, "s")
		return replaced.Replace(strings.Join(text, "\n"))
	}
	want := func(want string) {
		t.Helper()
		if got := index(); got != want {
			t.Errorf("index is\n%swant\n%s", got, want)
		}
	}
	want("n third false\nn second false\nn first false\ns other false\n")
	_, _, _ = s.Reload(t.Context())
	load(t, s, station, "")
	load(t, s, name, first)
	want("n third false\nn second true\nn first true\ns other true\n")
	unload(t, s, name, first)
	unload(t, s, station, "")
	want("n third false\nn second true\nn first false was unloaded\ns other false was unloaded\n")
	load(t, s, name, first)
	overwrite(t, r.root+"/"+name+"/versions/"+third+"/"+model.ManifestFile, []byte("{"))
	if _, err := s.Load(t.Context(), name, third); err == nil {
		t.Error("a broken version was loaded")
	}
	if got := index(); !strings.HasPrefix(got, "n third false read n third: manifest.json: unexpected EOF") {
		t.Errorf("after a failed load:\n%s", got)
	}
	r.remove(t, name)
	want("n second true\nn first true\ns other false was unloaded\n")
	unload(t, s, name, "")
	want("s other false was unloaded\n")
}

// Models beside the default one are asked for their transforms and accepted
// like it.
func TestAllAreAccepted(t *testing.T) {
	t.Parallel()
	r := newRegistry(t)
	other := r.addTo(t, station, 2)
	elsewhere := errors.New("it is of another city")
	asked := 0
	s := newSet(t, r, func(c *SetConfig) {
		c.Accept = func(l *Loaded) error { asked++; return nil }
		c.Transforms = func(context.Context, publish.Version) ([]features.Transform, error) { return nil, elsewhere }
	})
	if _, err := s.Load(t.Context(), station, other); !errors.Is(err, elsewhere) || asked != 1 {
		t.Errorf("asked %d times, error %v", asked, err)
	}
}

func TestSetConfigIsChecked(t *testing.T) {
	t.Parallel()
	r := newRegistry(t)
	for _, cfg := range []SetConfig{
		{},
		{Config: Config{Registry: r}},
		{Config: Config{Registry: r, Model: name, Version: "20200101T000000Z-deadbeef"}},
		{Config: Config{Registry: r, Model: name}, MaxLoaded: -1},
	} {
		if _, err := NewSet(cfg); err == nil {
			t.Errorf("%+v was accepted", cfg)
		}
	}
}

// BenchmarkFind is on the way of every request.
func BenchmarkFind(b *testing.B) {
	r := newRegistry(b)
	version := r.add(b, testModel(-1))
	r.promote(b, version)
	s := newSet(b, r, nil)
	if _, _, err := s.Reload(b.Context()); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	b.RunParallel(func(p *testing.PB) {
		for p.Next() {
			if _, err := s.Find(name, version); err != nil {
				b.Fatal(err)
			}
		}
	})
}
