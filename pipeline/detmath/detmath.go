// Package detmath has the few elementary functions that models and features
// need, with the same bits on every machine. The standard library's Exp, Log
// and Sin use assembly on some architectures, and let the compiler fuse
// multiplications with additions on others; here every product is rounded
// explicitly, which the language guarantees to hold.
package detmath

import "math"

// ln 2 in two parts. The upper one has 32 significant bits, so that its
// products with integers under 2^21 are exact.
const (
	ln2Hi = 6.93147180369123816490e-01
	ln2Lo = 1.90821492927058770002e-10
)

// Sigmoid is 1 / (1 + e**-x).
func Sigmoid(x float64) float64 {
	if x >= 0 {
		return 1 / (1 + Exp(-x))
	}
	e := Exp(x)
	return e / (1 + e)
}

// Softplus is log(1 + e**x), the loss of a forecast with log odds -x. It
// neither overflows for large x nor loses small values to rounding.
func Softplus(x float64) float64 {
	if x > 0 {
		return x + Log1p(Exp(-x))
	}
	return Log1p(Exp(x))
}

func isFinite(x float64) bool { return !math.IsNaN(x) && !math.IsInf(x, 0) }
