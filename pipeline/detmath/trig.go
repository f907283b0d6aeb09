package detmath

import "math"

// π/2 in three parts of 33, 33 and 53 bits: k times one of the first two is
// exact for |k| < 2^20.
const (
	halfPiHi  = 0x1.921fb544p+0
	halfPiMid = 0x1.0b4611a6p-34
	halfPiLo  = 0x1.3198a2e037073p-69
)

// Sin is the sine of x in radians, within 2 ulp or 1e-17 of it for |x| < 2^20
// and less exact beyond. It is NaN where x is NaN or infinite.
func Sin(x float64) float64 {
	r, quadrant := reduce(x)
	switch quadrant {
	case 0:
		return sinKernel(r)
	case 1:
		return cosKernel(r)
	case 2:
		return -sinKernel(r)
	default:
		return -cosKernel(r)
	}
}

// Cos is the cosine of x in radians, as exact as Sin.
func Cos(x float64) float64 {
	r, quadrant := reduce(x)
	switch quadrant {
	case 0:
		return cosKernel(r)
	case 1:
		return -sinKernel(r)
	case 2:
		return -cosKernel(r)
	default:
		return sinKernel(r)
	}
}

// reduce gives x - k·π/2, within ±π/4, and k modulo 4.
func reduce(x float64) (r float64, quadrant int) {
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return math.NaN(), 0
	}
	k := math.Floor(float64(x*(2/math.Pi)) + 0.5)
	r = float64(x-float64(k*halfPiHi)) - float64(k*halfPiMid)
	r -= float64(k * halfPiLo)
	return r, int(k - float64(4*math.Floor(k/4)))
}

// sinKernel is Taylor's series to r^19/19!, for |r| <= π/4.
func sinKernel(r float64) float64 {
	z := float64(r * r)
	p := -1.0 / 121645100408832000
	for _, c := range [...]float64{
		1.0 / 355687428096000, -1.0 / 1307674368000, 1.0 / 6227020800, -1.0 / 39916800,
		1.0 / 362880, -1.0 / 5040, 1.0 / 120, -1.0 / 6,
	} {
		p = float64(p*z) + c
	}
	return r + float64(r*float64(z*p))
}

// cosKernel is Taylor's series to r^20/20!, for |r| <= π/4.
func cosKernel(r float64) float64 {
	z := float64(r * r)
	p := 1.0 / 2432902008176640000
	for _, c := range [...]float64{
		-1.0 / 6402373705728000, 1.0 / 20922789888000, -1.0 / 87178291200, 1.0 / 479001600,
		-1.0 / 3628800, 1.0 / 40320, -1.0 / 720, 1.0 / 24, -1.0 / 2,
	} {
		p = float64(p*z) + c
	}
	return 1 + float64(z*p)
}
