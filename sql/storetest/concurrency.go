package storetest

import (
	"context"
	"fmt"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"livelab/pipeline/ingest"
	"livelab/pipeline/observation"
)

var concurrencyCases = map[string]func(*testing.T, Store){
	"no lost update":        noLostUpdate,
	"networks in any order": networksInAnyOrder,
	"origin claimed once":   originClaimedOnce,
	"waiting ends":          waitingEnds,
	"readers and a writer":  readersAndWriter,
}

// noLostUpdate counts up in many goroutines: each reads the state and writes
// the next. A count that is too low means that two Updates saw the same.
func noLostUpdate(t *testing.T, s Store) {
	const workers, rounds = 8, 5
	write(t, s, ingest.Batch{Changes: []observation.Observation{change("counter", 0, 0, 0)}})
	g, ctx := errgroup.WithContext(ctxFor(t))
	for range workers {
		g.Go(func() error {
			for range rounds {
				if err := s.Update(ctx, []string{oslo}, func(tx ingest.Tx) error { return countUp(ctx, tx) }); err != nil {
					return err
				}
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		t.Fatal(err)
	}
	equal(t, "counter", states(t, s, at(0)), map[string]observation.State{"counter": state(workers*rounds, 0)})
}

func countUp(ctx context.Context, tx ingest.Tx) error {
	states, err := tx.States(ctx, oslo, at(0))
	if err != nil {
		return err
	}
	next := change("counter", 0, states["counter"].FreeBikes+1, 0)
	return tx.Write(ctx, oslo, ingest.Batch{Changes: []observation.Observation{next}})
}

// networksInAnyOrder updates sets of networks that overlap, named in orders
// that would deadlock if they were locked as named.
func networksInAnyOrder(t *testing.T, s Store) {
	sets := [][]string{{"a", "b", "c"}, {"c", "b", "a"}, {"b", "c"}, {"c", "a"}, {"a"}, {"d"}}
	g, ctx := errgroup.WithContext(ctxFor(t))
	for i, set := range sets {
		g.Go(func() error {
			for round := range 5 {
				err := s.Update(ctx, set, func(tx ingest.Tx) error {
					for _, network := range set {
						if err := tx.Write(ctx, network, ingest.Batch{Changes: []observation.Observation{change(fmt.Sprint("s", i), round, 1, 1)}}); err != nil {
							return err
						}
					}
					return nil
				})
				if err != nil {
					return fmt.Errorf("update of %v: %w", set, err)
				}
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		t.Fatal(err)
	}
	for network, want := range map[string]int{"a": 4, "b": 3, "c": 4, "d": 1} {
		stations := must[[]observation.Station](t)(s.Stations(ctxFor(t), network))
		equal(t, "stations of "+network, len(stations), want)
	}
}

func originClaimedOnce(t *testing.T, s Store) {
	origins := []observation.Origin{observation.OriginReal, observation.OriginSimulated}
	got := make([]observation.Origin, 8)
	g, ctx := errgroup.WithContext(ctxFor(t))
	for i := range got {
		g.Go(func() error {
			return s.Update(ctx, []string{fmt.Sprint(i)}, func(tx ingest.Tx) (err error) {
				got[i], err = tx.ClaimOrigin(ctx, origins[i%2])
				return err
			})
		})
	}
	if err := g.Wait(); err != nil {
		t.Fatal(err)
	}
	has := must[observation.Origin](t)(s.Origin(ctxFor(t)))
	for i, origin := range got {
		equal(t, fmt.Sprintf("answer to claim %d", i), origin, has)
	}
}

// waitingEnds cancels an Update that waits for another of the same network.
func waitingEnds(t *testing.T, s Store) {
	update(t, s, func(ingest.Tx) error {
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		err := s.Update(ctx, []string{oslo}, func(ingest.Tx) error {
			t.Error("two Updates of one network run at the same time")
			return nil
		})
		if err == nil || ctx.Err() == nil {
			t.Errorf("the waiting Update ended with %v before its context did", err)
		}
		return nil
	})
	untouched(t, s)
}

// readersAndWriter reads while batches are written, and never sees half of one.
func readersAndWriter(t *testing.T, s Store) {
	const batches, rows = 10, 20
	g, ctx := errgroup.WithContext(ctxFor(t))
	g.Go(func() error {
		for i := range batches {
			b := ingest.Batch{Totals: []observation.Totals{{At: at(i)}}}
			for j := range rows {
				b.Changes = append(b.Changes, change(fmt.Sprint("s", j), i, 1, 1))
			}
			if err := s.Update(ctx, []string{oslo}, func(tx ingest.Tx) error { return tx.Write(ctx, oslo, b) }); err != nil {
				return err
			}
		}
		return nil
	})
	for range 3 {
		g.Go(func() error {
			for seen := 0; seen < batches*rows; {
				seen = 0
				err := s.Changes(ctx, oslo, time.Time{}, time.Time{}, func(observation.Observation) error {
					seen++
					return nil
				})
				if err != nil {
					return err
				}
				if seen%rows != 0 {
					return fmt.Errorf("%d changes, which is no whole number of batches", seen)
				}
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		t.Fatal(err)
	}
}
