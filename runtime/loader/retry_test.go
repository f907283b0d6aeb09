package loader

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"livelab/pipeline/features"
	"livelab/pipeline/publish"
)

func TestFailureIsKept(t *testing.T) {
	t.Parallel()
	r := newRegistry(t)
	l := setup(t, r)
	if l.Failure() != nil {
		t.Error("a failure before the first load")
	}
	reload := func(ctx context.Context) { _, _, _ = l.Reload(ctx) }
	reload(t.Context())
	if f := l.Failure(); f == nil || f.Version != "" || !errors.Is(f.Err, publish.ErrNotFound) || !f.At.Equal(start) {
		t.Errorf("nothing published: %+v", f)
	}
	away := errors.New("the disk is away")
	ctx, cancel := context.WithCancel(t.Context())
	during := func() {}
	l.cfg.Transforms = func(context.Context, publish.Version) ([]features.Transform, error) {
		during()
		return nil, away
	}
	version := r.add(t, testModel(-1))
	r.promote(t, version)
	reload(t.Context())
	first := l.Failure()
	if first == nil || first.Version != version || !errors.Is(first.Err, away) {
		t.Errorf("cannot be served: %+v", first)
	}
	during = cancel
	reload(ctx)
	if l.Failure() != first {
		t.Errorf("who gave up has found out %+v", l.Failure())
	}
	away = nil
	reload(t.Context())
	if l.Failure() != nil || l.Current() == nil {
		t.Errorf("after a good load: %+v", l.Failure())
	}
}

// counted is a registry that counts what it is asked.
type counted struct {
	*registry
	asked int
}

func (c *counted) Alias(ctx context.Context, model, alias string) (publish.Alias, error) {
	c.asked++
	return c.registry.Alias(ctx, model, alias)
}

// A published model serves once what kept it from that is over; nothing is
// asked for where none is published.
func TestRetryFirst(t *testing.T) {
	t.Parallel()
	for title, published := range map[string]bool{"published": true, "nothing published": false} {
		t.Run(title, func(t *testing.T) {
			t.Parallel()
			r := &counted{registry: newRegistry(t)}
			if published {
				r.promote(t, r.add(t, testModel(-1)))
			}
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				const lacking = 3
				l, err := New(Config{Registry: r, Model: name, Transforms: func(context.Context, publish.Version) ([]features.Transform, error) {
					if r.asked <= lacking {
						return nil, errors.New("the disk is away")
					}
					return nil, nil
				}})
				if err != nil {
					t.Fatal(err)
				}
				_, _, _ = l.Reload(ctx)
				ended := make(chan struct{})
				go func() { l.RetryFirst(ctx, 30*time.Second); close(ended) }()
				time.Sleep(10 * time.Minute)
				synctest.Wait()
				want := 1
				if published {
					want = lacking + 1
				}
				if r.asked != want || (l.Current() != nil) != published {
					t.Errorf("loaded %d times, want %d; in service is %v", r.asked, want, l.Current())
				}
				cancel()
				<-ended
			})
		})
	}
}
