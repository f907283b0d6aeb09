package llm

import (
	"testing"
	"time"
)

// TestCircuit walks through its states.
func TestCircuit(t *testing.T) {
	t.Parallel()
	var c circuit
	now := eleven
	enter := func(wantMay, wantProbe bool) {
		t.Helper()
		if may, probe := c.enter(now); may != wantMay || probe != wantProbe {
			t.Fatalf("may %v, probe %v", may, probe)
		}
	}
	leave := func(out outcome, probe bool, want time.Duration) {
		t.Helper()
		if got := c.leave(now, out, probe); got != want {
			t.Fatalf("opened for %v, want %v", got, want)
		}
	}
	for range 5 { // a success between keeps it closed
		leave(timeout, false, 0)
		leave(timeout, false, 0)
		leave(ok, false, 0)
	}
	leave(timeout, false, 0)
	leave(canceled, false, 0) // says nothing
	leave(timeout, false, 0)
	enter(true, false)
	leave(timeout, false, firstPause)
	leave(timeout, false, 0) // was under way; the pause is no longer for it
	enter(false, false)
	now = now.Add(firstPause)
	enter(true, true)
	enter(false, false) // one at a time
	leave(canceled, true, 0)
	enter(true, true) // the one that was given up is made up for
	for want := 2 * firstPause; want < longestPause; want *= 2 {
		leave(serverError, true, want)
		now = now.Add(want - 1)
		enter(false, false)
		now = now.Add(1)
		enter(true, true)
	}
	leave(serverError, true, longestPause)
	now = now.Add(longestPause)
	enter(true, true)
	leave(serverError, true, longestPause)
	now = now.Add(longestPause)
	enter(true, true)
	leave(ok, true, 0)
	enter(true, false)
	leave(timeout, false, 0)
	enter(true, false)
}
