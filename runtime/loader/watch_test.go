package loader

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"livelab/pipeline/features"
	"livelab/pipeline/model"
	"livelab/pipeline/publish"
)

// counted is a registry that counts what it is asked.
type counted struct {
	*registry
	aliases, read atomic.Int64
}

func (c *counted) Alias(ctx context.Context, model, alias string) (publish.Alias, error) {
	if alias == publish.Champion {
		c.aliases.Add(1)
	}
	return c.registry.Alias(ctx, model, alias)
}

func (c *counted) Read(ctx context.Context, model, version string) (publish.Version, error) {
	c.read.Add(1)
	return c.registry.Read(ctx, model, version)
}

// watched has a set watched every 5 seconds in a bubble of its own, and gives
// the lines that it logs.
func watched(t *testing.T, r *counted, change func(*SetConfig), do func(t *testing.T, s *Set, said func() string)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		var log bytes.Buffer
		var mu sync.Mutex
		s := newSet(t, r, func(c *SetConfig) {
			c.Now = nil
			c.Logger = slog.New(slog.NewTextHandler(locked{&mu, &log}, &slog.HandlerOptions{Level: slog.LevelWarn}))
			if change != nil {
				change(c)
			}
		})
		_, _, _ = s.Reload(ctx)
		ended := make(chan struct{})
		go func() { s.Watch(ctx, 5*time.Second); close(ended) }()
		do(t, s, func() string {
			mu.Lock()
			defer mu.Unlock()
			return log.String()
		})
		cancel()
		<-ended
	})
}

type locked struct {
	mu *sync.Mutex
	b  *bytes.Buffer
}

func (l locked) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

// pass lets time go by and what it set off come to an end.
func pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func TestWatchFollowsTheAliases(t *testing.T) {
	t.Parallel()
	r := &counted{registry: newRegistry(t)}
	first, second := r.add(t, testModel(-1)), r.add(t, testModel(1))
	other, another := r.addTo(t, station, 1), r.addTo(t, station, 2)
	watched(t, r, nil, func(t *testing.T, s *Set, _ func() string) {
		pass(time.Minute)
		if s.Current() != nil {
			t.Error("something serves and nothing is published")
		}
		r.promote(t, first)
		r.promoteOf(t, station, other)
		pass(5 * time.Second)
		wantFound(t, s, name, "", first)
		wantFound(t, s, station, "", "")
		load(t, s, station, "")
		load(t, s, name, first)

		read := r.read.Load()
		pass(time.Hour)
		if r.read.Load() != read || r.aliases.Load() < 720 {
			t.Errorf("with no news, %d versions were read, and the aliases looked at %d times", r.read.Load()-read, r.aliases.Load())
		}
		r.promote(t, second)
		r.promoteOf(t, station, another)
		pass(5 * time.Second)
		wantFound(t, s, name, "", second)
		wantFound(t, s, name, first, first)
		wantFound(t, s, station, "", another)
		if _, _, err := r.Rollback(t.Context(), name, r.at); err != nil {
			t.Fatal(err)
		}
		pass(5 * time.Second)
		wantFound(t, s, name, "", first)
	})
}

func TestWatchLeavesAloneWhatWasUnloaded(t *testing.T) {
	t.Parallel()
	r := &counted{registry: newRegistry(t)}
	first, second := r.add(t, testModel(-1)), r.add(t, testModel(1))
	r.promote(t, first)
	watched(t, r, nil, func(t *testing.T, s *Set, _ func() string) {
		load(t, s, name, second)
		unload(t, s, name, "")
		r.promote(t, second)
		pass(time.Hour)
		wantFound(t, s, name, "", "")
		wantFound(t, s, name, second, "")
		_, _, _ = s.Reload(t.Context())
		wantFound(t, s, name, "", second)
		r.promote(t, first)
		pass(5 * time.Second)
		wantFound(t, s, name, "", first)
	})
}

// What failed is tried again soon, then ever more seldom: every 30 seconds in the
// end while nothing serves, else every 5 minutes. It is said once.
func TestWatchTriesAgain(t *testing.T) {
	t.Parallel()
	for title, tt := range map[string]struct {
		serving bool
		pace    time.Duration
		tries   int // in an hour: at 5, 10, 20 and 40 s, and so on up to the pace
		say     string
	}{
		"nothing serves": {false, retryFirst, 4 + 118, "cannot serve yet"},
		"one serves on":  {true, retryNewer, 7 + 10, "the model before serves on"},
	} {
		t.Run(title, func(t *testing.T) {
			t.Parallel()
			r := &counted{registry: newRegistry(t)}
			first, second := r.add(t, testModel(-1)), r.add(t, testModel(1))
			if tt.serving {
				r.promote(t, first)
			}
			var back atomic.Bool
			change := func(c *SetConfig) {
				c.Transforms = func(_ context.Context, v publish.Version) ([]features.Transform, error) {
					if v.Version == second && !back.Load() {
						return nil, errors.New("the disk is away")
					}
					return nil, nil
				}
			}
			watched(t, r, change, func(t *testing.T, s *Set, said func() string) {
				r.promote(t, second)
				read := r.read.Load()
				pass(time.Hour + time.Second)
				tries := int(r.read.Load() - read)
				if tries != tt.tries {
					t.Errorf("tried %d times in an hour, want %d", tries, tt.tries)
				}
				if n := strings.Count(said(), tt.say); n != 1 || strings.Count(said(), "\n") != 1 {
					t.Errorf("said %d times:\n%s", n, said())
				}
				if f := s.Failure(); f == nil || f.Version != second || (s.Current() != nil) != tt.serving {
					t.Errorf("failure %+v, serves %v", f, s.Current())
				}
				back.Store(true)
				pass(tt.pace)
				wantFound(t, s, name, "", second)
				if s.Failure() != nil {
					t.Errorf("failure %v after all went well", s.Failure())
				}
			})
		})
	}
}

// A copy that brings the alias before the files of its version, as rsync does,
// is in service soon after its end.
func TestAliasBeforeItsVersion(t *testing.T) {
	t.Parallel()
	r := &counted{registry: newRegistry(t)}
	first, second := r.add(t, testModel(-1)), r.add(t, testModel(1))
	r.promote(t, first)
	watched(t, r, nil, func(t *testing.T, s *Set, _ func() string) {
		r.promote(t, second)
		folder := filepath.Join(r.root, name, "versions", second)
		if err := os.Rename(folder, folder+".partial"); err != nil {
			t.Fatal(err)
		}
		pass(8 * time.Second)
		wantFound(t, s, name, "", first)
		if err := os.Rename(folder+".partial", folder); err != nil {
			t.Fatal(err)
		}
		pass(8 * time.Second)
		wantFound(t, s, name, "", second)
	})
}

// A rollback to what serves settles the failure of the version after it.
func TestFailureEndsWithTheAlias(t *testing.T) {
	t.Parallel()
	r := &counted{registry: newRegistry(t)}
	first, second := r.add(t, testModel(-1)), r.add(t, testModel(1))
	r.promote(t, first)
	watched(t, r, nil, func(t *testing.T, s *Set, said func() string) {
		r.promote(t, second)
		file := filepath.Join(r.root, name, "versions", second, model.ModelFile)
		overwrite(t, file, []byte("{"))
		pass(5 * time.Second)
		wantFound(t, s, name, "", first)
		if f := s.Failure(); f == nil || f.Version != second {
			t.Errorf("failure %+v, want one of %s", f, second)
		}
		if _, _, err := r.Rollback(t.Context(), name, r.at); err != nil {
			t.Fatal(err)
		}
		pass(5 * time.Second)
		if s.Failure() != nil {
			t.Errorf("failure %+v after the rollback", s.Failure())
		}
		r.remove(t, name)
		pass(time.Minute)
		wantFound(t, s, name, "", first)
		if f := s.Failure(); f == nil || !errors.Is(f.Err, publish.ErrNotFound) || strings.Count(said(), "has no champion") != 1 {
			t.Errorf("the registry is lost: failure %+v\n%s", f, said())
		}
	})
}

// A model that Keep could not load comes by itself; one that Load could not
// does not.
func TestKeep(t *testing.T) {
	t.Parallel()
	r := &counted{registry: newRegistry(t)}
	watched(t, r, nil, func(t *testing.T, s *Set, _ func() string) {
		if _, err := s.Keep(t.Context(), station, ""); !errors.Is(err, publish.ErrNotFound) {
			t.Errorf("keep: error %v", err)
		}
		other := r.addTo(t, station, 1)
		pinned := r.addTo(t, station, 2)
		r.promoteOf(t, station, other)
		if _, err := s.Load(t.Context(), "moon-shortage", ""); err == nil {
			t.Error("loaded what is not there")
		}
		moon := r.addTo(t, "moon-shortage", 1)
		r.promoteOf(t, "moon-shortage", moon)
		file := filepath.Join(r.root, station, "versions", pinned, model.ModelFile)
		b := readFile(t, file)
		overwrite(t, file, []byte("{"))
		if _, err := s.Keep(t.Context(), station, pinned); err == nil {
			t.Error("a broken version was loaded")
		}
		pass(5 * time.Second)
		wantFound(t, s, station, "", other)
		wantFound(t, s, station, pinned, "")
		wantFound(t, s, "moon-shortage", "", "")
		overwrite(t, file, b)
		pass(retryFirst)
		wantFound(t, s, station, pinned, pinned)
		unload(t, s, station, "")
		pass(time.Hour)
		wantFound(t, s, station, "", "")
	})
}

func TestChallengerIsFollowed(t *testing.T) {
	t.Parallel()
	r := &counted{registry: newRegistry(t)}
	first, second := r.add(t, testModel(-1)), r.add(t, testModel(1))
	r.promote(t, first)
	watched(t, r, nil, func(t *testing.T, s *Set, said func() string) {
		if s.Challenger() != nil {
			t.Error("a challenger that nobody named")
		}
		challenge(t, r.registry, second)
		pass(5 * time.Second)
		if c := s.Challenger(); c == nil || c.Version != second || s.Current().Version != first {
			t.Errorf("challenger %+v", c)
		}
		wantFound(t, s, name, second, "")
		if err := r.EndChallenge(t.Context(), name, publish.ChallengeOptions{At: r.at}); err != nil {
			t.Fatal(err)
		}
		pass(5 * time.Second)
		if c := s.Challenger(); c != nil {
			t.Errorf("challenger %+v after its end", c)
		}
		challenge(t, r.registry, second)
		_, _, _ = s.Reload(t.Context())
		if c := s.Challenger(); c == nil {
			t.Error("a reload left the challenger out")
		}
		if said() != "" {
			t.Errorf("warned: %s", said())
		}
	})
}
