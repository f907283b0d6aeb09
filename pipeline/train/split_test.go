package train

import (
	"context"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"livelab/pipeline/features"
)

func TestSplitKeepsTheEmbargo(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		task := features.NetworkShortage()
		task.HorizonMinutes = rapid.IntRange(0, 1440).Draw(t, "horizon")
		task.ToleranceMinutes = rapid.IntRange(0, 30).Draw(t, "tolerance")
		n := rapid.IntRange(0, 300).Draw(t, "rows")
		f := randomTimes(t, task, n)
		rows := tableOf(t, f)
		if !slices.IsSorted(rows.at) {
			t.Fatal("the rows do not ascend")
		}
		p := split(rows, Config{}.withDefaults(features.NetworkShortage()))
		end, last := 0, time.Time{}
		for _, part := range []span{p.train, p.validation, p.test} {
			if part.len() == 0 {
				continue
			}
			if part.lo < end || part.hi > rows.len() {
				t.Fatalf("rows %d to %d of %d after row %d", part.lo, part.hi, rows.len(), end)
			}
			first, to := rows.window(part)
			if !last.IsZero() && (first.Sub(last) < task.Embargo() || !first.After(last)) {
				t.Fatalf("%v between parts, want at least %v", first.Sub(last), task.Embargo())
			}
			end, last = part.hi, to
		}
	})
}

func tableOf(t interface {
	Context() context.Context
	Fatal(...any)
}, f *features.Frame) *table {
	rows, err := collect(t.Context(), Whole{Frame: f}, newLogistic(Config{}))
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

// randomTimes may have many rows at one time, as a station task has.
func randomTimes(t *rapid.T, task features.Task, n int) *features.Frame {
	at := make([]time.Time, n)
	short, now := make([]features.Label, n), make([]features.Label, n)
	when := start
	for i := range at {
		when = when.Add(time.Duration(rapid.IntRange(0, 40).Draw(t, "minutes")) * time.Minute)
		at[i] = when
		short[i] = features.Label(rapid.IntRange(0, 2).Draw(t, "short"))
		now[i] = features.Label(rapid.IntRange(0, 2).Draw(t, "now"))
	}
	return features.NewFrame(task, at, short, now, nil, nil)
}

// TestSplitKeepsATimeTogether has seven rows at each time, as a task of
// stations has. A part begins with all of them, wherever the share falls.
func TestSplitKeepsATimeTogether(t *testing.T) {
	t.Parallel()
	f := plainFrame(make([]float64, 1000), alternating(1000, 5))
	for i := range f.At {
		f.At[i] = start.Add(time.Duration(i/7) * 10 * time.Minute)
	}
	p := split(tableOf(t, f), Config{}.withDefaults(features.NetworkShortage()))
	// The time of row 600 begins at row 595 and that of row 800 at row 798; the
	// embargo takes the seven times before each.
	if p.validation.lo != 595 || p.test.lo != 798 {
		t.Errorf("parts start at rows %d and %d, want 595 and 798", p.validation.lo, p.test.lo)
	}
	if trained, validated := p.train.hi-1, p.validation.hi-1; trained != 595-7*7-1 || validated != 798-7*7-1 {
		t.Errorf("parts end at rows %d and %d, want %d and %d", trained, validated, 595-7*7-1, 798-7*7-1)
	}
}

func TestSplitShares(t *testing.T) {
	t.Parallel()
	f := plainFrame(make([]float64, 1000), alternating(1000, 5))
	p := split(tableOf(t, f), Config{}.withDefaults(features.NetworkShortage()))
	// The embargo of 75 minutes takes seven rows from the end of a part.
	if p.train.len() != 593 || p.validation.len() != 193 || p.test.len() != 200 {
		t.Errorf("%d, %d and %d rows, want 593, 193 and 200", p.train.len(), p.validation.len(), p.test.len())
	}
	if p.validation.lo != 600 || p.test.lo != 800 {
		t.Errorf("parts start at rows %d and %d, want 600 and 800", p.validation.lo, p.test.lo)
	}
}
