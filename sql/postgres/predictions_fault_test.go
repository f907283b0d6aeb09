package postgres_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"livelab/runtime/predlog"
	"livelab/sql/pgtest"
	"livelab/sql/postgres"
)

// TestFrozen freezes the database: every call ends with its context, and the
// store works again as soon as the database does.
func TestFrozen(t *testing.T) {
	t.Parallel()
	server := pgtest.Start(t)
	s := reopen(t, server.URL(), postgres.Options{})
	mustAdd(t, s, predictions(0, 10)...)
	for round := range 2 {
		server.Freeze(t)
		start := time.Now()
		var calls sync.WaitGroup
		for range 20 { // more than the store has connections
			calls.Go(func() { mustEnd(t, s, 300*time.Millisecond) })
		}
		calls.Wait()
		if took := time.Since(start); took > 10*time.Second {
			t.Errorf("round %d: calls with 300 ms took %v", round, took)
		}
		server.Thaw(t)
		start = time.Now()
		// What was sent to the frozen server may have been stored by it.
		mustAdd(t, s, predictions(0, 20)...)
		if took := time.Since(start); took > 10*time.Second {
			t.Errorf("round %d: the store took %v to recover", round, took)
		}
		mustHave(t, s, predictions(0, 20))
	}
}

// TestCloseWhileFrozen closes the store of a frozen database after calls that
// ended with their context: the driver still asks the database to end them.
func TestCloseWhileFrozen(t *testing.T) {
	t.Parallel()
	server := pgtest.Start(t)
	s := reopen(t, server.URL(), postgres.Options{})
	mustAdd(t, s, predictions(0, 10)...)
	server.Freeze(t)
	mustEnd(t, s, 300*time.Millisecond)
	start := time.Now()
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if took := time.Since(start); took > 5*time.Second {
		t.Errorf("closing took %v, want a second", took)
	}
	server.Thaw(t)
}

func mustEnd(t *testing.T, s *postgres.Store, patience time.Duration) {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	err := s.AddPredictions(ctx, predictions(5, 20))
	if !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, predlog.ErrRefused) {
		t.Errorf("adding to a frozen database gave %v, want the end of the context", err)
	}
}

// TestKilledWhileAdding kills the database with -9 under a log that offers
// each batch until it is taken. In the end each prediction is there once.
func TestKilledWhileAdding(t *testing.T) {
	t.Parallel()
	server := pgtest.Start(t)
	s := reopen(t, server.URL(), postgres.Options{ConnectTimeout: time.Second})
	const kills, size = 4, 50
	stop := make(chan struct{})
	batches := make(chan int, 1)
	go func() {
		n, failures := 0, 0
		defer func() { batches <- n }()
		for {
			err := s.AddPredictions(t.Context(), predictions(n*size, (n+1)*size))
			switch {
			case err == nil:
				n++
				select {
				case <-stop:
					if failures == 0 {
						t.Error("no batch failed while the database was away")
					}
					return
				default:
				}
			case errors.Is(err, predlog.ErrRefused):
				t.Errorf("batch %d is refused for ever: %v", n, err)
				return
			default:
				failures++
				time.Sleep(time.Millisecond)
			}
		}
	}()
	for range kills {
		time.Sleep(50 * time.Millisecond)
		server.Kill(t)
		server.Restart(t)
	}
	close(stop)
	n := <-batches
	if n == 0 {
		t.Fatal("no batch was stored")
	}
	got, err := s.RecentPredictions(t.Context(), 1_000_000)
	if err != nil || len(got) != n*size {
		t.Errorf("%d predictions, %v; want %d, each once", len(got), err, n*size)
	}
}
