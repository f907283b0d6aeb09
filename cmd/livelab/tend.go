package main

import (
	"context"
	"errors"
	"net"
	"strconv"
	"time"

	"livelab/pipeline/features"
	"livelab/pipeline/ingest"
)

// gapWorthFilling is how far the newest snapshot may be behind before the
// history is asked for what lies between.
const gapWorthFilling = time.Hour

// findNewest remembers how far each network's data reaches. It is asked before
// anything is collected: the first snapshot of today would hide the gap.
func (t *tender) findNewest(ctx context.Context) error {
	t.newest = make(map[string]time.Time)
	for _, id := range t.source.networks {
		newest, _, err := t.store.Newest(ctx, id)
		if err != nil {
			return err
		}
		t.newest[id] = newest
	}
	return nil
}

// backfill fetches the history that the store lacks up to now: what lies after
// its newest snapshot or, with whole, all of it, since a start that was
// interrupted may have left any of it out. What is stored already is skipped.
// That some or all of it cannot be had is said and no reason to stop.
func (t *tender) backfill(ctx context.Context, bars *progress, whole bool) error {
	if t.source.kind == sourceReplay {
		return nil
	}
	h := &historian{app: t.app, store: t.store, source: t.source, flags: t.flags.source, bars: bars}
	now := t.source.now()
	for _, id := range t.source.networks {
		from := now.AddDate(0, -t.flags.months, 0)
		if newest := t.newest[id]; !whole && newest.After(from) {
			from = newest
		}
		if now.Sub(from) < gapWorthFilling {
			continue
		}
		if _, err := h.run(ctx, id, from, now); err != nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			t.app.log.Warn("the history could not be fetched as a whole; going on with what there is", "network", id, "error", err)
		}
	}
	return nil
}

// findTransforms finds what --transform names as it is offered now. What is
// taken by default is left out, and that is said, where it cannot be had.
func (t *tender) findTransforms(ctx context.Context) ([]features.Transform, error) {
	ts, err := t.app.resolveTransforms(ctx, t.flags.train.transforms)
	if err == nil || ctx.Err() != nil || !t.flags.byDefault {
		return ts, err
	}
	hint := "see `livelab plugin list`"
	if len(shipped()) == 0 {
		hint = "this program was built without the shipped ones; build it with `make build`"
	}
	t.app.log.Warn("training without transforms", "error", err, "hint", hint)
	return nil, nil
}

// keepTraining retrains when it is due, and each hour while there is too little
// data for a first model. A retraining that fails is said, and tried again the
// next time.
func (t *tender) keepTraining(ctx context.Context, s schedule) error {
	for {
		wait := s.next(time.Now())
		if t.lacksModel() {
			wait = min(wait, time.Hour)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(wait):
		}
		for _, q := range t.questions {
			if err := t.tolerate(ctx, q, t.retrain(ctx, &progress{}, q, "livelab up, on schedule")); err != nil {
				return err
			}
		}
	}
}

// schedule is a time of day, UTC.
type schedule struct {
	at    time.Duration // since midnight
	never bool
}

func parseSchedule(s string) (schedule, error) {
	if s == "never" {
		return schedule{never: true}, nil
	}
	t, err := time.Parse("15:04", s)
	if err != nil {
		return schedule{}, usageError("--retrain-at is %q, must be a time of day such as 02:00, or never", s)
	}
	return schedule{at: time.Duration(t.Hour())*time.Hour + time.Duration(t.Minute())*time.Minute}, nil
}

// next is how long it is from now until the schedule's time.
func (s schedule) next(now time.Time) time.Duration {
	if s.never {
		return 100 * 365 * 24 * time.Hour
	}
	now = now.UTC()
	due := now.Truncate(24 * time.Hour).Add(s.at)
	if !due.After(now) {
		due = due.Add(24 * time.Hour)
	}
	return due.Sub(now)
}

func newestSuccess(status []ingest.NetworkStatus) time.Time {
	var newest time.Time
	for _, s := range status {
		if s.Bikes.LastSuccess.After(newest) {
			newest = s.Bikes.LastSuccess
		}
	}
	return newest
}

// printAddresses says where to look, last of all.
func (a *app) printAddresses(l net.Listener, svc *service) {
	base := "http://" + openable(l.Addr())
	if svc.encrypted {
		base = "https://" + openable(l.Addr())
	}
	if c := svc.models.Current(); c != nil {
		a.printf("\nserving %s %s\n", c.Model.Name, c.Version)
	} else {
		a.printf("\nno model serves yet, and /predict answers 503 until one is published: see `livelab models list`,\n")
		a.printf("`livelab models show latest` for what the gate said, `livelab publish --help`\n")
	}
	a.printf("  dashboard  %s/dashboard\n  health     %s/health\n  metrics    %s/metrics\n", base, base, base)
	a.printf("  predict    curl -X POST -H 'Content-Type: application/json' -d '{}' %s/predict\n", base)
}

// openable is the address as this machine's user can open it: all addresses of
// the machine, 0.0.0.0 or [::], are none for a browser.
func openable(address net.Addr) string {
	if a, ok := address.(*net.TCPAddr); ok && a.IP.IsUnspecified() {
		return net.JoinHostPort("localhost", strconv.Itoa(a.Port))
	}
	return address.String()
}

// ownStore opens the store for this process alone: two that collect into one
// store would do everything twice.
func (a *app) ownStore(ctx context.Context) (store, error) {
	s, err := a.openStore(ctx)
	if err != nil {
		return nil, err
	}
	release, err := s.Own(ctx)
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return &ownedStore{store: s, release: release}, nil
}

type ownedStore struct {
	store
	release func() error
}

func (s *ownedStore) Close() error { return errors.Join(s.release(), s.store.Close()) }
