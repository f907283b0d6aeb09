package train

import (
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
		p := Split(f, Config{})
		last := time.Time{}
		for _, part := range [][]int{p.Train, p.Validation, p.Test} {
			for i, row := range part {
				if f.Short[row] == features.Unlabelled || f.ShortNow[row] == features.Unlabelled {
					t.Fatalf("row %d is not labelled", row)
				}
				if i > 0 && row <= part[i-1] {
					t.Fatalf("row %d comes after %d", row, part[i-1])
				}
			}
			if len(part) == 0 {
				continue
			}
			if first := f.At[part[0]]; !last.IsZero() && (first.Sub(last) < task.Embargo() || !first.After(last)) {
				t.Fatalf("%v between parts, want at least %v", first.Sub(last), task.Embargo())
			}
			last = f.At[part[len(part)-1]]
		}
	})
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
	p := Split(f, Config{})
	// The time of row 600 begins at row 595 and that of row 800 at row 798; the
	// embargo takes the seven times before each.
	if p.Validation[0] != 595 || p.Test[0] != 798 {
		t.Errorf("parts start at rows %d and %d, want 595 and 798", p.Validation[0], p.Test[0])
	}
	if trained, validated := p.Train[len(p.Train)-1], p.Validation[len(p.Validation)-1]; trained != 595-7*7-1 || validated != 798-7*7-1 {
		t.Errorf("parts end at rows %d and %d, want %d and %d", trained, validated, 595-7*7-1, 798-7*7-1)
	}
}

func TestSplitShares(t *testing.T) {
	t.Parallel()
	f := plainFrame(make([]float64, 1000), alternating(1000, 5))
	p := Split(f, Config{})
	// The embargo of 75 minutes takes seven rows from the end of a part.
	if len(p.Train) != 593 || len(p.Validation) != 193 || len(p.Test) != 200 {
		t.Errorf("%d, %d and %d rows, want 593, 193 and 200", len(p.Train), len(p.Validation), len(p.Test))
	}
	if p.Validation[0] != 600 || p.Test[0] != 800 {
		t.Errorf("parts start at rows %d and %d, want 600 and 800", p.Validation[0], p.Test[0])
	}
}
