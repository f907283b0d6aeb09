package storetest

import (
	"context"
	"errors"
	"testing"
	"time"

	"livelab/pipeline/ingest"
	"livelab/pipeline/observation"
)

var updateCases = map[string]func(*testing.T, Store){
	"origin":              claimOrigin,
	"origin given up":     originGivenUp,
	"error rolls back":    errorRollsBack,
	"panic rolls back":    panicRollsBack,
	"cancelled before":    cancelledBefore,
	"cancelled within":    cancelledWithin,
	"network not named":   networkNotNamed,
	"no network":          noNetwork,
	"network named twice": networkNamedTwice,
	"used afterwards":     usedAfterwards,
	"invisible before":    invisibleBefore,
}

func claim(t *testing.T, s Store, origin observation.Origin) (has observation.Origin) {
	t.Helper()
	update(t, s, func(tx ingest.Tx) (err error) {
		has, err = tx.ClaimOrigin(t.Context(), origin)
		return err
	})
	return has
}

func claimOrigin(t *testing.T, s Store) {
	equal(t, "first claim", claim(t, s, observation.OriginSimulated), observation.OriginSimulated)
	equal(t, "claim of the same", claim(t, s, observation.OriginSimulated), observation.OriginSimulated)
	equal(t, "claim of another", claim(t, s, observation.OriginReal), observation.OriginSimulated)
	equal(t, "origin", must[observation.Origin](t)(s.Origin(ctxFor(t))), observation.OriginSimulated)
}

func originGivenUp(t *testing.T, s Store) {
	mind := errors.New("changed my mind")
	err := s.Update(ctxFor(t), []string{oslo}, func(tx ingest.Tx) error {
		_, err := tx.ClaimOrigin(t.Context(), observation.OriginSimulated)
		return errors.Join(err, mind)
	})
	if !errors.Is(err, mind) {
		t.Fatal(err)
	}
	equal(t, "claim after one that was given up", claim(t, s, observation.OriginReal), observation.OriginReal)
}

// writeAll does everything that an Update can do.
func writeAll(t *testing.T, tx ingest.Tx) error {
	_, origin := tx.ClaimOrigin(t.Context(), observation.OriginReal)
	_, payload := tx.AddPayload(t.Context(), observation.Payload{Kind: observation.KindBikes, Network: oslo, FetchedAt: at(0), Body: []byte("{}")})
	batch := tx.Write(t.Context(), oslo, ingest.Batch{
		Stations: []observation.Station{{ID: "a"}},
		Totals:   []observation.Totals{{At: at(0)}},
		Changes:  []observation.Observation{change("b", 0, 1, 1)},
		Weather:  []observation.Weather{{At: at(0)}},
	})
	return errors.Join(origin, payload, batch)
}

// untouched checks that the store is as it was made, and can be used.
func untouched(t *testing.T, s Store) {
	t.Helper()
	emptyStore(t, s)
	update(t, s, func(tx ingest.Tx) error { return writeAll(t, tx) })
	equal(t, "changes after a good Update", len(changes(t, s, time.Time{}, time.Time{})), 1)
}

func errorRollsBack(t *testing.T, s Store) {
	own := errors.New("own error")
	err := s.Update(ctxFor(t), []string{oslo}, func(tx ingest.Tx) error {
		if err := writeAll(t, tx); err != nil {
			t.Errorf("write: %v", err)
		}
		return own
	})
	if err != own {
		t.Errorf("Update gave %v, want the error of fn itself", err)
	}
	untouched(t, s)
}

func panicRollsBack(t *testing.T, s Store) {
	func() {
		defer func() {
			if r := recover(); r != "boom" {
				t.Errorf("recovered %v, want the panic of fn", r)
			}
		}()
		s.Update(ctxFor(t), []string{oslo}, func(tx ingest.Tx) error {
			if err := writeAll(t, tx); err != nil {
				t.Errorf("write: %v", err)
			}
			panic("boom")
		})
	}()
	untouched(t, s)
}

func cancelledBefore(t *testing.T, s Store) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	err := s.Update(ctx, []string{oslo}, func(ingest.Tx) error {
		t.Error("fn was called")
		return nil
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("Update gave %v, want that the context was cancelled", err)
	}
	untouched(t, s)
}

// cancelledWithin cancels while fn runs, which then writes on or returns as if
// all were well.
func cancelledWithin(t *testing.T, s Store) {
	for _, writeOn := range []bool{true, false} {
		ctx, cancel := context.WithCancel(t.Context())
		err := s.Update(ctx, []string{oslo}, func(tx ingest.Tx) error {
			if err := writeAll(t, tx); err != nil {
				t.Errorf("write: %v", err)
			}
			cancel()
			if writeOn {
				return tx.Write(ctx, oslo, ingest.Batch{Changes: []observation.Observation{change("c", 0, 1, 1)}})
			}
			return nil
		})
		if !errors.Is(err, context.Canceled) {
			t.Errorf("Update gave %v, want that the context was cancelled", err)
		}
		emptyStore(t, s)
	}
	untouched(t, s)
}

func networkNotNamed(t *testing.T, s Store) {
	const other = "elsewhere"
	ctx := ctxFor(t)
	update(t, s, func(tx ingest.Tx) error {
		_, states := tx.States(ctx, other, at(0))
		_, times := tx.SnapshotTimes(ctx, other, at(0), at(1))
		_, payload := tx.AddPayload(ctx, observation.Payload{Kind: observation.KindBikes, Network: other, FetchedAt: at(0), Body: []byte("{}")})
		batch := tx.Write(ctx, other, ingest.Batch{})
		for _, err := range []error{states, times, payload, batch} {
			refused(t, err, other)
		}
		return nil
	})
}

func noNetwork(t *testing.T, s Store) {
	err := s.Update(ctxFor(t), nil, func(tx ingest.Tx) error {
		_, err := tx.ClaimOrigin(t.Context(), observation.OriginReal)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "origin", must[observation.Origin](t)(s.Origin(ctxFor(t))), observation.OriginReal)
}

func networkNamedTwice(t *testing.T, s Store) {
	err := s.Update(ctxFor(t), []string{oslo, "b", oslo}, func(tx ingest.Tx) error { return writeAll(t, tx) })
	if err != nil {
		t.Fatal(err)
	}
}

func usedAfterwards(t *testing.T, s Store) {
	var kept ingest.Tx
	update(t, s, func(tx ingest.Tx) error {
		kept = tx
		return nil
	})
	if err := writeAll(t, kept); err == nil {
		t.Error("a transaction can be used after its Update")
	}
	untouched(t, s)
}

// invisibleBefore reads from outside while an Update is under way.
func invisibleBefore(t *testing.T, s Store) {
	update(t, s, func(tx ingest.Tx) error {
		if err := writeAll(t, tx); err != nil {
			return err
		}
		equal(t, "changes before the commit", changes(t, s, time.Time{}, time.Time{}), nil)
		return nil
	})
	equal(t, "changes after the commit", len(changes(t, s, time.Time{}, time.Time{})), 1)
}
