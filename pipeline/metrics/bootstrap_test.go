package metrics

import (
	"math"
	"math/rand/v2"
	"testing"
)

// days makes rows every hour whose values are the day's own plus noise.
func days(n int, mean, daySD, rowSD float64) (at []int64, perRow []float64) {
	r := rand.New(rand.NewPCG(11, 12))
	for d := range n {
		day := mean + daySD*r.NormFloat64()
		for h := range 24 {
			at = append(at, int64(d)*secondsPerDay+int64(h)*3600)
			perRow = append(perRow, day+rowSD*r.NormFloat64())
		}
	}
	return at, perRow
}

func TestBootstrapDays(t *testing.T) {
	t.Parallel()
	at, perRow := days(60, 1, 0.5, 0.1)
	lo, hi := BootstrapDays(at, perRow, 2000, 42)
	m := mean(perRow)
	if !(lo < m && m < hi) {
		t.Errorf("the interval [%v, %v] leaves the mean %v out", lo, hi, m)
	}
	// The days' standard error is about 0.5/√60; rows alone would give a
	// fifth of it.
	if want := 2 * 1.96 * 0.5 / math.Sqrt(60); math.Abs((hi-lo)/want-1) > 0.3 {
		t.Errorf("the interval is %v wide, want about %v", hi-lo, want)
	}
	if lo2, hi2 := BootstrapDays(at, perRow, 2000, 42); lo2 != lo || hi2 != hi {
		t.Error("the same seed gave another interval")
	}
	if lo2, _ := BootstrapDays(at, perRow, 2000, 43); lo2 == lo {
		t.Error("another seed gave the same interval")
	}
}

// TestBootstrapGolden fails where the generator or the rounding differ.
func TestBootstrapGolden(t *testing.T) {
	t.Parallel()
	at := make([]int64, 200)
	perRow := make([]float64, len(at))
	for i := range at {
		at[i] = int64(i) * 10_000
		perRow[i] = float64(i*i%17) / 7
	}
	lo, hi := BootstrapDays(at, perRow, 500, 1)
	if lo != 0x1.070a013863cc3p+00 || hi != 0x1.459c8a0712401p+00 {
		t.Errorf("got [%x, %x]", lo, hi)
	}
}

func TestBootstrapDaysUndefined(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		at   []int64
		n    int
	}{
		{"no rows", nil, 10},
		{"one day", []int64{0, 3600, secondsPerDay - 1}, 10},
		{"no draws", []int64{0, secondsPerDay}, 0},
	} {
		if lo, hi := BootstrapDays(tt.at, make([]float64, len(tt.at)), tt.n, 1); !math.IsNaN(lo) || !math.IsNaN(hi) {
			t.Errorf("%s: got [%v, %v], want NaN", tt.name, lo, hi)
		}
	}
	// Before 1970 days count down: these two are one day.
	if lo, _ := BootstrapDays([]int64{-2, -1}, []float64{0, 1}, 10, 1); !math.IsNaN(lo) {
		t.Errorf("two seconds of 1969-12-31 count as two days")
	}
}
