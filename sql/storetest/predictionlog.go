package storetest

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"livelab/runtime/predlog"
)

// predictionLogCases are about predictions as a log: who is in it, over which
// time, and for how long.
var predictionLogCases = map[string]func(*testing.T, Store){
	"roles and stations":      rolesAndStations,
	"same ID at another time": sameIDOtherTime,
	"duplicates":              duplicatePredictions,
	"duplicates at once":      duplicatesAtOnce,
	"any time":                anyTime,
	"weeks made at once":      weeksAtOnce,
	"refusal names itself":    refusalNamesItself,
	"prune":                   prune,
	"prune many":              pruneMany,
	"prune at one time":       pruneAtOneTime,
	"prune while adding":      pruneWhileAdding,
	"add after prune":         addAfterPrune,
	"prune cancelled":         pruneCancelled,
}

// on gives prediction n at another time, and as old as it was.
func on(n int, at time.Time) predlog.Prediction {
	p := prediction(n)
	p.At, p.AsOf = at.Truncate(time.Microsecond), time.Time{}
	return p
}

func rolesAndStations(t *testing.T, s Store) {
	shadow, station, plain := prediction(3), prediction(2), prediction(1)
	shadow.Role = predlog.Shadow
	station.Station = `ø "42"`
	plain.Role = ""
	add(t, s, shadow, station, plain)
	plain.Role = predlog.Served
	equal(t, "predictions", recent(t, s, 10), []predlog.Prediction{station, plain})
	equal(t, "newest", recent(t, s, 1), []predlog.Prediction{station})
	equal(t, "removed", must[int64](t)(s.PrunePredictions(ctxFor(t), at(100))), 3)
}

func sameIDOtherTime(t *testing.T, s Store) {
	early := prediction(1)
	late, far := early, early
	late.At = early.At.Add(time.Microsecond)
	far.At = early.At.AddDate(0, 1, 0)
	within := early
	within.At, within.Probability = early.At.Add(999*time.Nanosecond), 0.9 // of the same microsecond
	add(t, s, early, within, far)
	add(t, s, late, within)
	equal(t, "predictions", recent(t, s, 10), []predlog.Prediction{far, late, early})
}

// duplicatePredictions offers every batch again as a log would that does not
// know whether it was stored: whole, overlapping, within itself, reversed.
func duplicatePredictions(t *testing.T, s Store) {
	var all []predlog.Prediction
	for n := range 300 {
		all = append(all, on(n, at(0).Add(time.Duration(n)*time.Hour))) // over two weeks
	}
	other := slices.Clone(all)
	for i := range other {
		other[i].Probability = 0.75
	}
	reversed := slices.Clone(other)
	slices.Reverse(reversed)
	add(t, s, all[:100]...)
	add(t, s, other[:100]...)
	add(t, s, append(slices.Clone(all[100:150]), other[50:150]...)...)
	add(t, s, slices.Concat(other[:150], all[150:], other[200:])...)
	add(t, s, reversed...)
	slices.Reverse(all)
	equal(t, "predictions", recent(t, s, 1000), all)
}

// duplicatesAtOnce has several logs add what overlaps, in any order and over
// weeks that are new to all.
func duplicatesAtOnce(t *testing.T, s Store) {
	const n, workers = 200, 4
	g, ctx := errgroup.WithContext(ctxFor(t))
	for worker := range workers {
		g.Go(func() error {
			for from := 0; from < n; from += 20 {
				var ps []predlog.Prediction
				for i := range 40 {
					k := (from + i) % n
					ps = append(ps, on(k, at(0).Add(time.Duration(k)*6*time.Hour)))
				}
				if worker%2 == 1 {
					slices.Reverse(ps)
				}
				if err := s.AddPredictions(ctx, ps); err != nil {
					return fmt.Errorf("worker %d from %d: %w", worker, from, err)
				}
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		t.Fatal(err)
	}
	equal(t, "predictions", len(recent(t, s, 1000)), n)
}

// anyTime has the ends of what can be stored, the ends of weeks, and times
// before 1970, in one batch.
func anyTime(t *testing.T, s Store) {
	monday := time.Date(2024, 8, 19, 0, 0, 0, 0, time.UTC)
	times := []time.Time{
		time.Date(9999, 12, 31, 23, 59, 59, 999_999_000, time.UTC),
		monday.AddDate(0, 0, 7), monday.AddDate(0, 0, 7).Add(-time.Microsecond), monday, monday.Add(-time.Microsecond),
		time.Unix(0, 0), time.Unix(0, -1000),
		time.Date(1969, 12, 29, 0, 0, 0, 0, time.UTC), time.Date(1969, 12, 28, 23, 59, 59, 999_999_000, time.UTC),
		time.Date(1, 1, 1, 0, 0, 0, 1000, time.UTC),
	}
	var want []predlog.Prediction
	for n, at := range times {
		want = append(want, on(n, at))
	}
	add(t, s, want...)
	equal(t, "predictions", recent(t, s, 100), want)
	for i := range want {
		// All from the oldest on, one after the other.
		before := times[len(times)-1-i].Add(time.Microsecond)
		equal(t, fmt.Sprint("removed before ", before), must[int64](t)(s.PrunePredictions(ctxFor(t), before)), 1)
	}
}

// weeksAtOnce has many logs add the first predictions of the same weeks.
func weeksAtOnce(t *testing.T, s Store) {
	const workers, weeks = 6, 8
	g, ctx := errgroup.WithContext(ctxFor(t))
	for worker := range workers {
		g.Go(func() error {
			for w := range weeks {
				if worker%2 == 1 {
					w = weeks - 1 - w
				}
				p := on(worker*weeks+w, at(0).AddDate(0, 0, 7*w))
				next := on(1000+worker*weeks+w, p.At.AddDate(0, 0, 7))
				if err := s.AddPredictions(ctx, []predlog.Prediction{next, p}); err != nil {
					return err
				}
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		t.Fatal(err)
	}
	equal(t, "predictions", len(recent(t, s, 1000)), 2*workers*weeks)
}

func refusalNamesItself(t *testing.T, s Store) {
	for name, spoil := range map[string]func(*predlog.Prediction){
		"probability": func(p *predlog.Prediction) { p.Probability = math.Inf(1) },
		"role":        func(p *predlog.Prediction) { p.Role = "guessed" },
		"station":     func(p *predlog.Prediction) { p.Station = "\x00" },
		"time":        func(p *predlog.Prediction) { p.At = time.Time{} },
		"names":       func(p *predlog.Prediction) { p.Features.Values = p.Features.Values[1:] },
		"ID":          func(p *predlog.Prediction) { p.ID = "seven" },
	} {
		bad := prediction(2)
		spoil(&bad)
		err := s.AddPredictions(ctxFor(t), []predlog.Prediction{prediction(1), bad})
		refused(t, err, bad.ID)
		if !errors.Is(err, predlog.ErrRefused) {
			t.Errorf("%s: error %q is not a refusal", name, err)
		}
	}
	equal(t, "predictions", recent(t, s, 10), nil)
}

// prune has times on both sides of a bound within a week and at its end.
func prune(t *testing.T, s Store) {
	monday := time.Date(2024, 8, 19, 0, 0, 0, 0, time.UTC)
	var ps []predlog.Prediction
	for n, hours := range []int{-200, -100, -1, 0, 1, 24, 100, 167, 168, 169, 400} {
		ps = append(ps, on(n, monday.Add(time.Duration(hours)*time.Hour)))
	}
	add(t, s, ps...)
	left := ps
	for _, hours := range []int{-1000, -200, -199, 0, 24, 168, 168, 169, 1000} {
		before := monday.Add(time.Duration(hours) * time.Hour)
		keep := slices.IndexFunc(append(left, on(99, before)), func(p predlog.Prediction) bool { return !p.At.Before(before) })
		removed := must[int64](t)(s.PrunePredictions(ctxFor(t), before))
		equal(t, fmt.Sprintf("removed before %dh", hours), removed, int64(keep))
		left = left[keep:]
		want := slices.Clone(left)
		slices.Reverse(want)
		equal(t, fmt.Sprintf("left from %dh", hours), recent(t, s, 100), want)
	}
}

// pruneMany removes more than one step does, a part of a week and whole ones.
func pruneMany(t *testing.T, s Store) {
	const n = 14_000
	ps := make([]predlog.Prediction, n)
	for i := range ps {
		ps[i] = on(i, at(2*i)) // over 19 days
	}
	add(t, s, ps...)
	equal(t, "removed", must[int64](t)(s.PrunePredictions(ctxFor(t), ps[13_000].At)), 13_000)
	equal(t, "left", len(recent(t, s, n)), 1000)
}

// pruneAtOneTime has more rows at one time than one step removes.
func pruneAtOneTime(t *testing.T, s Store) {
	ps := make([]predlog.Prediction, 12_000)
	for i := range ps {
		ps[i] = on(i, at(0))
	}
	add(t, s, ps...)
	equal(t, "removed before", must[int64](t)(s.PrunePredictions(ctxFor(t), at(0))), 0)
	equal(t, "removed after", must[int64](t)(s.PrunePredictions(ctxFor(t), at(0).Add(time.Microsecond))), int64(len(ps)))
}

// pruneWhileAdding adds old and new predictions while others are pruned: what
// is new stays, what is old was removed once or is still there.
func pruneWhileAdding(t *testing.T, s Store) {
	const rounds = 30
	bound := at(0)
	var removed int64
	g, ctx := errgroup.WithContext(ctxFor(t))
	added := make(chan struct{})
	g.Go(func() error {
		defer close(added)
		for i := range rounds {
			// Of three old weeks, one after the other, and of the week of the bound.
			old := on(i, bound.AddDate(0, 0, -7*(1+i%3)))
			kept := on(1000+i, bound.Add(time.Duration(i)*time.Second))
			if err := s.AddPredictions(ctx, []predlog.Prediction{old, kept}); err != nil {
				return fmt.Errorf("round %d: %w", i, err)
			}
		}
		return nil
	})
	g.Go(func() error {
		for last := false; ; {
			n, err := s.PrunePredictions(ctx, bound)
			removed += n
			if err != nil || last {
				return err
			}
			select {
			case <-added:
				last = true
			default:
			}
		}
	})
	if err := g.Wait(); err != nil {
		t.Fatal(err)
	}
	equal(t, "removed", removed, rounds)
	equal(t, "left", len(recent(t, s, 1000)), rounds)
}

// addAfterPrune adds to a week again that was removed.
func addAfterPrune(t *testing.T, s Store) {
	add(t, s, prediction(1))
	must[int64](t)(s.PrunePredictions(ctxFor(t), at(0).AddDate(0, 1, 0)))
	add(t, s, prediction(2))
	equal(t, "predictions", recent(t, s, 10), []predlog.Prediction{prediction(2)})
}

func pruneCancelled(t *testing.T, s Store) {
	add(t, s, prediction(1))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if n, err := s.PrunePredictions(ctx, at(100)); n != 0 || !errors.Is(err, context.Canceled) {
		t.Errorf("PrunePredictions gave %d, %v, want that the context was cancelled", n, err)
	}
	equal(t, "predictions", recent(t, s, 10), []predlog.Prediction{prediction(1)})
}
