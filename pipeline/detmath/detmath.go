// Package detmath has the few elementary functions that models and features
// need, with the same bits on every machine. The standard library's Exp, Log
// and Sin use assembly on some architectures, and let the compiler fuse
// multiplications with additions on others; here every product is rounded
// explicitly, which the language guarantees to hold.
package detmath

import "math"

const (
	log2e = 1 / math.Ln2
	ln2Hi = 6.93147180369123816490e-01 // the upper bits of ln 2, so that k*ln2Hi is exact
	ln2Lo = 1.90821492927058770002e-10 // ln 2 - ln2Hi
)

// Exp is e**x, within 1 ulp.
func Exp(x float64) float64 {
	switch {
	case math.IsNaN(x):
		return x
	case x > 709.782712893384:
		return math.Inf(1)
	case x < -745.1332191019412:
		return 0
	}
	k := math.Floor(float64(x*log2e) + 0.5)
	r := float64(x-float64(k*ln2Hi)) - float64(k*ln2Lo)
	// Taylor's series to r^13/13!, |r| <= ln2/2: the rest is under 2^-57.
	p := 1.0 / 6227020800
	for _, c := range [...]float64{
		1.0 / 479001600, 1.0 / 39916800, 1.0 / 3628800, 1.0 / 362880, 1.0 / 40320,
		1.0 / 5040, 1.0 / 720, 1.0 / 120, 1.0 / 24, 1.0 / 6, 1.0 / 2, 1, 1,
	} {
		p = float64(p*r) + c
	}
	return math.Ldexp(p, int(k))
}

// Sigmoid is 1 / (1 + e**-x).
func Sigmoid(x float64) float64 {
	if x >= 0 {
		return 1 / (1 + Exp(-x))
	}
	e := Exp(x)
	return e / (1 + e)
}
