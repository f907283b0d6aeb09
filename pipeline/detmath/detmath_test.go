package detmath

import (
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"math"
	"math/big"
	"math/rand/v2"
	"testing"
)

const precision = 160

func bigFloat(x float64) *big.Float { return new(big.Float).SetPrec(precision).SetFloat64(x) }

// bigExp is e**x to about 150 bits: Taylor's series for x/2^12, squared 12
// times.
func bigExp(x *big.Float) *big.Float {
	const halvings = 12
	r := new(big.Float).SetPrec(precision+32).SetMantExp(x, -halvings)
	sum := new(big.Float).SetPrec(precision + 32).SetInt64(1)
	term := new(big.Float).SetPrec(precision + 32).SetInt64(1)
	for n := int64(1); n < 60; n++ {
		term.Mul(term, r)
		term.Quo(term, new(big.Float).SetInt64(n))
		sum.Add(sum, term)
	}
	for range halvings {
		sum.Mul(sum, sum)
	}
	return sum.SetPrec(precision)
}

// bigLog is log(x) by Halley's iteration on bigExp, which triples the digits
// of the standard library's answer each time.
func bigLog(x *big.Float) *big.Float {
	guess, _ := x.Float64()
	y := bigFloat(math.Log(guess))
	for range 3 {
		e := bigExp(y)
		d := new(big.Float).SetPrec(precision).Sub(x, e)
		d.Quo(d, new(big.Float).SetPrec(precision).Add(x, e))
		y.Add(y, d.Add(d, d))
	}
	return y
}

// ulps is the distance of got from want in units of the last place of want.
func ulps(got float64, want *big.Float) float64 {
	w, _ := want.Float64()
	if w == 0 || math.IsInf(w, 0) {
		if got == w {
			return 0
		}
		return math.Inf(1)
	}
	_, e := math.Frexp(w)
	ulp := math.Ldexp(1, max(e-53, -1074))
	d := new(big.Float).SetPrec(precision).Sub(bigFloat(got), want)
	f, _ := d.Quo(d, bigFloat(ulp)).Float64()
	return math.Abs(f)
}

func TestAccuracy(t *testing.T) {
	t.Parallel()
	one := bigFloat(1)
	uniform := func(lo, hi float64) func(*rand.Rand) float64 {
		return func(r *rand.Rand) float64 { return lo + r.Float64()*(hi-lo) }
	}
	decades := func(lo, hi float64) func(*rand.Rand) float64 {
		return func(r *rand.Rand) float64 { return math.Pow(10, lo+r.Float64()*(hi-lo)) }
	}
	tests := []struct {
		name string
		got  func(float64) float64
		want func(x *big.Float) *big.Float
		x    func(*rand.Rand) float64
		ulps float64
	}{
		{"Exp/near", Exp, bigExp, uniform(-1, 1), 0.52},
		{"Exp/common", Exp, bigExp, uniform(-40, 40), 0.52},
		{"Exp/far", Exp, bigExp, uniform(-708, 709.78), 0.52},
		{"Exp/subnormal", Exp, bigExp, uniform(-745, -708), 1},
		{"Log/near", Log, bigLog, uniform(0.5, 2), 1},
		{"Log/far", Log, bigLog, decades(-300, 300), 1},
		{"Log1p/near", Log1p, func(x *big.Float) *big.Float { return bigLog(new(big.Float).SetPrec(precision).Add(one, x)) }, uniform(-0.9, 3), 1},
		{"Log1p/small", Log1p, func(x *big.Float) *big.Float { return bigLog(new(big.Float).SetPrec(precision).Add(one, x)) }, decades(-12, 0), 1},
		{"Sigmoid", Sigmoid, func(x *big.Float) *big.Float {
			e := bigExp(new(big.Float).Neg(x))
			return e.Quo(one, e.Add(e, one))
		}, uniform(-40, 40), 2.5},
		{"Softplus", Softplus, func(x *big.Float) *big.Float {
			e := bigExp(x)
			return bigLog(e.Add(e, one))
		}, uniform(-30, 40), 2.5},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := rand.New(rand.NewPCG(1, 2))
			worst, at := 0.0, 0.0
			for range 2000 {
				x := tt.x(r)
				if d := ulps(tt.got(x), tt.want(bigFloat(x))); d > worst {
					worst, at = d, x
				}
			}
			t.Logf("worst error %.4f ulp at %v", worst, at)
			if worst > tt.ulps {
				t.Errorf("off by %.4f ulp at %v, want at most %v", worst, at, tt.ulps)
			}
		})
	}
}

func TestEdges(t *testing.T) {
	t.Parallel()
	inf, nan := math.Inf(1), math.NaN()
	tests := []struct {
		name    string
		f       func(float64) float64
		x, want float64
	}{
		{"Exp", Exp, 0, 1},
		{"Exp", Exp, math.Copysign(0, -1), 1},
		{"Exp", Exp, inf, inf},
		{"Exp", Exp, -inf, 0},
		{"Exp", Exp, nan, nan},
		{"Exp", Exp, 710, inf},
		{"Exp", Exp, -746, 0},
		{"Exp", Exp, -745.1, math.SmallestNonzeroFloat64},
		{"Exp", Exp, expHighest, 0x1.fffffffffff2ap+1023},
		{"Log", Log, 1, 0},
		{"Log", Log, 0, -inf},
		{"Log", Log, -1, nan},
		{"Log", Log, inf, inf},
		{"Log", Log, nan, nan},
		{"Log", Log, math.SmallestNonzeroFloat64, -744.4400719213812},
		{"Log1p", Log1p, 0, 0},
		{"Log1p", Log1p, 1e-300, 1e-300},
		{"Log1p", Log1p, -1, -inf},
		{"Log1p", Log1p, -2, nan},
		{"Log1p", Log1p, inf, inf},
		{"Log1p", Log1p, nan, nan},
		{"Log1p", Log1p, math.MaxFloat64, 709.782712893384},
		{"Sigmoid", Sigmoid, 0, 0.5},
		{"Sigmoid", Sigmoid, inf, 1},
		{"Sigmoid", Sigmoid, -inf, 0},
		{"Sigmoid", Sigmoid, nan, nan},
		{"Softplus", Softplus, 1000, 1000},
		{"Softplus", Softplus, -1000, 0},
		{"Softplus", Softplus, nan, nan},
	}
	for _, tt := range tests {
		if got := tt.f(tt.x); got != tt.want && !(math.IsNaN(got) && math.IsNaN(tt.want)) {
			t.Errorf("%s(%v) = %v, want %v", tt.name, tt.x, got, tt.want)
		}
	}
}

// TestGoldenBits holds the bits of many answers, summed up. It fails where an
// architecture or a compiler rounds differently.
func TestGoldenBits(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		f      func(float64) float64
		lo, hi float64
		want   string
	}{
		{"Exp", Exp, -750, 712, "7e4b94efe73870fa"},
		{"Exp near 0", Exp, -2, 2, "550f16113c97c167"},
		{"Log", Log, 0, 1e4, "e72ef11c8ea7a8da"},
		{"Log1p", Log1p, -1, 10, "ac0e28b01d5cf528"},
		{"Sigmoid", Sigmoid, -40, 40, "2ec9355a79b3e934"},
		{"Softplus", Softplus, -40, 40, "cab9249a7d208fe1"},
	}
	for _, tt := range tests {
		r := rand.New(rand.NewPCG(3, 4))
		sum := fnv.New64a()
		for range 20_000 {
			// 53 random bits divide exactly, so the inputs are portable too.
			u := float64(r.Uint64()>>11) / (1 << 53)
			x := tt.lo + float64(u*(tt.hi-tt.lo))
			_ = binary.Write(sum, binary.LittleEndian, tt.f(x))
		}
		if got := fmt.Sprintf("%016x", sum.Sum64()); got != tt.want {
			t.Errorf("%s: the bits sum up to %s, want %s", tt.name, got, tt.want)
		}
	}
}

var sink float64

func BenchmarkExp(b *testing.B) {
	r := rand.New(rand.NewPCG(5, 6))
	xs := make([]float64, 1024)
	for i := range xs {
		xs[i] = r.NormFloat64() * 5
	}
	for _, f := range []struct {
		name string
		f    func(float64) float64
	}{{"detmath", Exp}, {"math", math.Exp}} {
		b.Run(f.name, func(b *testing.B) {
			for i := 0; b.Loop(); i++ {
				sink += f.f(xs[i&1023])
			}
		})
	}
}

func BenchmarkLog(b *testing.B) {
	r := rand.New(rand.NewPCG(5, 6))
	xs := make([]float64, 1024)
	for i := range xs {
		xs[i] = r.Float64() * 100
	}
	for _, f := range []struct {
		name string
		f    func(float64) float64
	}{{"detmath", Log}, {"math", math.Log}} {
		b.Run(f.name, func(b *testing.B) {
			for i := 0; b.Loop(); i++ {
				sink += f.f(xs[i&1023])
			}
		})
	}
}

func TestExpNegAbsIsExp(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(7, 8))
	xs := []float64{0, math.Inf(1), math.Inf(-1), math.NaN(), 707.9, 708, -708, 720, -745, 746, 1e300}
	for range 5000 {
		xs = append(xs, r.NormFloat64()*20)
	}
	got := make([]float64, len(xs))
	ExpNegAbs(got, xs)
	for i, x := range xs {
		if want := Exp(-math.Abs(x)); math.Float64bits(got[i]) != math.Float64bits(want) && !(math.IsNaN(x) && math.IsNaN(got[i])) {
			t.Errorf("ExpNegAbs(%v) = %x, Exp has %x", x, got[i], want)
		}
	}
}

func BenchmarkExpNegAbs(b *testing.B) {
	r := rand.New(rand.NewPCG(5, 6))
	xs := make([]float64, 1024)
	for i := range xs {
		xs[i] = r.NormFloat64() * 5
	}
	dst := make([]float64, len(xs))
	for b.Loop() {
		ExpNegAbs(dst, xs)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(xs)), "ns/value")
}
