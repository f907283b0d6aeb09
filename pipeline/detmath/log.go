package detmath

import "math"

// Log is the natural logarithm, within 1 ulp.
func Log(x float64) float64 {
	switch {
	case x == 0:
		return math.Inf(-1)
	case !(x > 0): // negative or NaN
		return math.NaN()
	case math.IsInf(x, 1):
		return x
	}
	m, k := math.Frexp(x) // m in [1/2, 1)
	if m < math.Sqrt2/2 {
		m *= 2
		k--
	}
	return logNear(float64(k), m-1, 0)
}

// Log1p is log(1 + x), within 1 ulp also where x is so small that 1 + x loses
// it.
func Log1p(x float64) float64 {
	switch {
	case x == -1:
		return math.Inf(-1)
	case !(x > -1):
		return math.NaN()
	case !isFinite(x) || x == 0:
		return x
	case x > math.Sqrt2/2-1 && x < math.Sqrt2-1:
		return logNear(0, x, 0)
	}
	u := 1 + x
	// What u lost to rounding, relative to u: log(1+x) = log(u) + lost/u.
	lost := x - (u - 1)
	if x >= 1 {
		lost = 1 - (u - x)
	}
	m, k := math.Frexp(u)
	if m < math.Sqrt2/2 {
		m *= 2
		k--
	}
	return logNear(float64(k), m-1, lost/u)
}

// logNear is k·ln2 + log(1+f) + extra, for 1+f between √½ and √2. With
// s = f/(2+f) the series' first term 2s is f - s·f; taking f²/2 out as well
// leaves only small terms to round before f itself is added.
func logNear(k, f, extra float64) float64 {
	s := f / (2 + f)
	s2 := float64(s * s)
	s4 := float64(s2 * s2)
	// The rest of the series, Σ 2/(2n+1)·s^2n for n from 1 to 11 (the next
	// term is under 2^-65), odd and even n apart so that they overlap.
	odd := 2.0 / 23
	odd = float64(odd*s4) + 2.0/19
	odd = float64(odd*s4) + 2.0/15
	odd = float64(odd*s4) + 2.0/11
	odd = float64(odd*s4) + 2.0/7
	odd = float64(odd*s4) + 2.0/3
	even := 2.0 / 21
	even = float64(even*s4) + 2.0/17
	even = float64(even*s4) + 2.0/13
	even = float64(even*s4) + 2.0/9
	even = float64(even*s4) + 2.0/5
	p := float64(s2*odd) + float64(s4*even)
	half := float64(float64(0.5*f) * f)
	small := float64(s*(half+p)) + (float64(k*ln2Lo) + extra)
	return float64(k*ln2Hi) - ((half - small) - f)
}
