// Package storetest is the conformance suite of the stores: what the rooms
// ingest, dataset and predlog may rely on, whatever the database. A store that
// passes Run can take the place of any other.
package storetest

import (
	"context"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"livelab/pipeline/dataset"
	"livelab/pipeline/ingest"
	"livelab/pipeline/observation"
	"livelab/runtime/predlog"
)

// Store is everything that a store does.
type Store interface {
	ingest.Store
	dataset.Store
	predlog.Store
}

// Run runs the suite. Open gives an empty, migrated store, and closes it when
// the test is over; each call gives another one.
func Run(t *testing.T, open func(t *testing.T) Store) {
	groups := []struct {
		name  string
		cases map[string]func(*testing.T, Store)
	}{
		{"dataset", datasetCases},
		{"payload", payloadCases},
		{"write", writeCases},
		{"stations", stationCases},
		{"update", updateCases},
		{"concurrency", concurrencyCases},
		{"prediction", predictionCases},
		{"prediction log", predictionLogCases},
	}
	for _, g := range groups {
		for name, run := range g.cases {
			t.Run(g.name+"/"+name, func(t *testing.T) {
				t.Parallel()
				run(t, open(t))
			})
		}
	}
}

// oslo is the network that most cases write to.
const oslo = "oslo-bysykkel"

// patience bounds what could wait for ever in a wrong store.
const patience = time.Minute

// at is a whole second some minutes after the start of the tests' time.
func at(minutes int) time.Time {
	return time.Date(2024, 8, 23, 0, 0, 0, 0, time.UTC).Add(time.Duration(minutes) * time.Minute)
}

func state(free, empty int32) observation.State {
	return observation.State{FreeBikes: free, EmptySlots: empty, InService: true}
}

func change(station string, minutes int, free, empty int32) observation.Observation {
	return observation.Observation{StationID: station, At: at(minutes), State: state(free, empty)}
}

// ctxFor is a context that ends before go test loses its patience.
func ctxFor(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return ctx
}

// update runs an Update of oslo that has to succeed.
func update(t *testing.T, s Store, fn func(ingest.Tx) error) {
	t.Helper()
	if err := s.Update(ctxFor(t), []string{oslo}, fn); err != nil {
		t.Fatalf("Update: %v", err)
	}
}

// write stores a batch for oslo.
func write(t *testing.T, s Store, b ingest.Batch) {
	t.Helper()
	update(t, s, func(tx ingest.Tx) error { return tx.Write(t.Context(), oslo, b) })
}

// changes reads oslo's changes.
func changes(t *testing.T, s Store, from, to time.Time) []observation.Observation {
	t.Helper()
	var all []observation.Observation
	err := s.Changes(ctxFor(t), oslo, from, to, func(o observation.Observation) error {
		all = append(all, o)
		return nil
	})
	if err != nil {
		t.Fatalf("Changes: %v", err)
	}
	return all
}

// states reads oslo's states as of a time.
func states(t *testing.T, s Store, at time.Time) (states map[string]observation.State) {
	t.Helper()
	update(t, s, func(tx ingest.Tx) (err error) {
		states, err = tx.States(t.Context(), oslo, at)
		return err
	})
	return states
}

// must gives what a read answered, and ends the test where it failed.
func must[T any](t *testing.T) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// equal compares values of which NaN equals NaN, and times as instants. Whether
// nothing is nil or empty makes no difference.
func equal[T any](t *testing.T, what string, got, want T) {
	t.Helper()
	if diff := cmp.Diff(want, got, cmpopts.EquateNaNs(), cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

// refused checks that an error is there and that it names what it is about.
func refused(t *testing.T, err error, names string) {
	t.Helper()
	switch {
	case err == nil:
		t.Errorf("no error, want one that names %q", names)
	case !strings.Contains(err.Error(), names):
		t.Errorf("error %q does not name %q", err, names)
	}
}

var nan = math.NaN()
