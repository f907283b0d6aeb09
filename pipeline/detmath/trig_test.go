package detmath_test

import (
	"encoding/binary"
	"hash/fnv"
	"math"
	"testing"

	"livelab/pipeline/detmath"
)

func TestTrigAgreesWithTheStandardLibrary(t *testing.T) {
	t.Parallel()
	for i := -200_000; i <= 200_000; i++ {
		x := float64(i) * 0.0131
		if i%2 == 0 {
			x *= 397
		}
		for _, f := range []struct {
			name      string
			got, want float64
		}{
			{"Sin", detmath.Sin(x), math.Sin(x)},
			{"Cos", detmath.Cos(x), math.Cos(x)},
		} {
			if diff := math.Abs(f.got - f.want); diff > 4.5e-16*math.Abs(f.want)+2e-16 {
				t.Fatalf("%s(%v) = %v, want %v (off by %v)", f.name, x, f.got, f.want, diff)
			}
		}
	}
}

func TestTrigAtTheEdges(t *testing.T) {
	t.Parallel()
	if got := detmath.Sin(0); got != 0 {
		t.Errorf("Sin(0) = %v, want 0", got)
	}
	if got := detmath.Cos(0); got != 1 {
		t.Errorf("Cos(0) = %v, want 1", got)
	}
	for _, x := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
		if s, c := detmath.Sin(x), detmath.Cos(x); !math.IsNaN(s) || !math.IsNaN(c) {
			t.Errorf("Sin(%v), Cos(%v) = %v, %v, want NaN", x, x, s, c)
		}
	}
}

// The digest was made on amd64; every other machine must find the same bits.
func TestTrigBitsAreTheSameEverywhere(t *testing.T) {
	t.Parallel()
	h := fnv.New64a()
	for i := -5000; i <= 5000; i++ {
		x := float64(i) * 0.7310585786300049
		for _, v := range []float64{detmath.Sin(x), detmath.Cos(x)} {
			var b [8]byte
			binary.LittleEndian.PutUint64(b[:], math.Float64bits(v))
			h.Write(b[:])
		}
	}
	if got, want := h.Sum64(), uint64(0xfb918b65ed16c768); got != want {
		t.Errorf("digest of 10,001 sines and cosines is %#x, want %#x", got, want)
	}
}
