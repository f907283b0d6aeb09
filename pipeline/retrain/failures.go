package retrain

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"livelab/pipeline/features"
)

// Failures are the rows of a training that a transform failed on: its outputs
// are missing there, as they would be where the model serves.
type Failures struct {
	Name       string           `json:"name"`
	FailedRows int64            `json:"failed_rows"`
	Rows       int64            `json:"rows"`    // of the training
	Reasons    map[string]int64 `json:"reasons"` // rows, by what went wrong in words that follow "it"
}

// String says it in one line.
func (f Failures) String() string {
	reasons := slices.SortedFunc(maps.Keys(f.Reasons), func(a, b string) int {
		return cmp.Or(cmp.Compare(f.Reasons[b], f.Reasons[a]), strings.Compare(a, b))
	})
	for i, reason := range reasons {
		if len(reasons) > 1 {
			reasons[i] = fmt.Sprintf("%s on %d", reason, f.Reasons[reason])
		}
	}
	return fmt.Sprintf("transform %s failed on %d of %d rows: it %s", f.Name, f.FailedRows, f.Rows, strings.Join(reasons, ", "))
}

// failing is a transform that counts the rows that it ever failed on.
type failing interface {
	FailedRows() map[string]int64 // by what went wrong in words that follow "it"
}

// tally is what was counted up to a moment, a map for each transform.
func tally(ts []features.Transform) []map[string]int64 {
	counts := make([]map[string]int64, len(ts))
	for i, t := range ts {
		if t, ok := t.(failing); ok {
			counts[i] = t.FailedRows()
		}
	}
	return counts
}

// failuresSince says what failed since a tally in making a number of rows, in
// the order of the transforms. One that serves meanwhile counts its rows there
// too.
func failuresSince(before []map[string]int64, ts []features.Transform, rows int) []Failures {
	var all []Failures
	for i, now := range tally(ts) {
		f := Failures{Name: ts[i].Spec().Name, Rows: int64(rows), Reasons: make(map[string]int64)}
		for reason, n := range now {
			if n -= before[i][reason]; n > 0 {
				f.Reasons[reason] = n
				f.FailedRows += n
			}
		}
		if f.FailedRows > 0 {
			all = append(all, f)
		}
	}
	return all
}
