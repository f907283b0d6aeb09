package ingest

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"livelab/pipeline/observation"
)

// ledger is what each station of a network showed last, sorted by station ID.
// Snapshots come sorted too, so that finding the changes is one walk along
// both. A station that never showed anything is not in it.
type ledger struct {
	ids    []string
	states []observation.State

	// The new stations of one snapshot, kept to be reused.
	newIDs    []string
	newStates []observation.State
}

func newLedger(states map[string]observation.State) *ledger {
	l := &ledger{ids: slices.Sorted(maps.Keys(states))}
	l.states = make([]observation.State, len(l.ids))
	for i, id := range l.ids {
		l.states[i] = states[id]
	}
	return l
}

// apply appends the changes that a snapshot brings: one for each station that
// shows something else than before, is new, or has gone.
func (l *ledger) apply(s observation.Snapshot, changes []observation.Observation) ([]observation.Observation, error) {
	emit := func(id string, state observation.State) {
		changes = append(changes, observation.Observation{StationID: id, At: s.At, State: state})
	}
	leave := func(i int) {
		if l.states[i] != observation.Gone {
			l.states[i] = observation.Gone
			emit(l.ids[i], observation.Gone)
		}
	}
	i := 0
	for j := range s.Readings {
		r := &s.Readings[j]
		if j > 0 && r.StationID <= s.Readings[j-1].StationID {
			return changes, fmt.Errorf("snapshot of %s: station %q comes after %q; stations must be sorted and each be there once",
				s.At.Format(time.RFC3339), r.StationID, s.Readings[j-1].StationID)
		}
		for ; i < len(l.ids) && l.ids[i] < r.StationID; i++ {
			leave(i)
		}
		switch {
		case i == len(l.ids) || l.ids[i] != r.StationID:
			emit(r.StationID, r.State)
			l.newIDs = append(l.newIDs, r.StationID)
			l.newStates = append(l.newStates, r.State)
			continue
		case l.states[i] != r.State:
			l.states[i] = r.State
			emit(r.StationID, r.State)
		}
		i++
	}
	for ; i < len(l.ids); i++ {
		leave(i)
	}
	l.admit()
	return changes, nil
}

// admit merges the new stations in.
func (l *ledger) admit() {
	if len(l.newIDs) == 0 {
		return
	}
	n := len(l.ids)
	l.ids = append(l.ids, l.newIDs...)
	l.states = append(l.states, l.newStates...)
	// From the back, so that nothing is overwritten that is still needed.
	for k, i, j := len(l.ids)-1, n-1, len(l.newIDs)-1; j >= 0; k-- {
		if i >= 0 && l.ids[i] > l.newIDs[j] {
			l.ids[k], l.states[k] = l.ids[i], l.states[i]
			i--
		} else {
			l.ids[k], l.states[k] = l.newIDs[j], l.newStates[j]
			j--
		}
	}
	l.newIDs, l.newStates = l.newIDs[:0], l.newStates[:0]
}

// restore appends the changes at a stored snapshot that make it show again
// what it showed before other snapshots were put in front of it: held says
// what that was. A station that is in held only came into being at this very
// snapshot, which has a change for it already.
func (l *ledger) restore(at time.Time, held map[string]observation.State, changes []observation.Observation) []observation.Observation {
	for i, id := range l.ids {
		state, ok := held[id]
		if !ok {
			state = observation.Gone
		}
		if state != l.states[i] {
			changes = append(changes, observation.Observation{StationID: id, At: at, State: state})
		}
	}
	return changes
}
