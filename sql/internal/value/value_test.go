package value

import (
	"maps"
	"math"
	"testing"
	"time"

	"livelab/pipeline/observation"
)

func FuzzDecodeFeatures(f *testing.F) {
	for _, seed := range []string{`{}`, `null`, `{"a": 1.5, "b": null, "c": "Infinity", "d": "-Infinity"}`, `{"a": "x"}`, `{"a": {}}`, `[1]`, `{"a": 1e999}`, `{"a"`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		features, err := DecodeFeatures(text)
		if err != nil {
			return
		}
		back, err := DecodeFeatures(AppendFeatures(nil, features))
		if err != nil {
			t.Fatalf("decode it again: %v", err)
		}
		if !maps.EqualFunc(features.Map(), back.Map(), sameBits) {
			t.Errorf("%v became %v", features, back)
		}
	})
}

func sameBits(a, b float64) bool {
	return math.Float64bits(a) == math.Float64bits(b) || math.IsNaN(a) && math.IsNaN(b)
}

func TestRange(t *testing.T) {
	t.Parallel()
	var never time.Time
	at := func(s, ns int64) time.Time { return time.Unix(s, ns) }
	tests := []struct {
		from, to    time.Time
		first, last int64
	}{
		{never, never, math.MinInt64, math.MaxInt64},
		{at(5, 0), at(9, 0), 5, 9},
		{at(5, 1), at(9, 999_999_999), 6, 9},
		{at(-5, 1), at(-2, 1), -4, -2},
	}
	for _, tt := range tests {
		if first, last := Range(tt.from, tt.to); first != tt.first || last != tt.last {
			t.Errorf("Range(%v, %v) = %d, %d; want %d, %d", tt.from, tt.to, first, last, tt.first, tt.last)
		}
	}
}

func TestChangesKeepsTheLast(t *testing.T) {
	t.Parallel()
	keys := map[string]int32{"b": 1, "a": 7}
	row := func(id string, at int64, free int32) observation.Observation {
		return observation.Observation{StationID: id, At: time.Unix(at, 0), State: observation.State{FreeBikes: free}}
	}
	got := Changes([]observation.Observation{
		row("a", 2, 1), row("b", 3, 2), row("a", 1, 3), row("b", 3, -9), row("a", 2, 4), row("b", -1, 5),
	}, keys)
	want := []Change{
		{-1, 1, observation.State{FreeBikes: 5}},
		{3, 1, observation.State{FreeBikes: observation.Unknown}},
		{1, 7, observation.State{FreeBikes: 3}},
		{2, 7, observation.State{FreeBikes: 4}},
	}
	if len(got) != len(want) {
		t.Fatalf("got %v, want %v", got, want)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("row %d is %v, want %v", i, got[i], want[i])
		}
	}
}
