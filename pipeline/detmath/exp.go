package detmath

import "math"

const (
	expSteps = 128 // entries of the table for each power of two
	expShift = 7   // log2(expSteps)

	stepsPerUnit = expSteps / math.Ln2
	stepHi       = ln2Hi / expSteps
	stepLo       = ln2Lo / expSteps

	// Adding and subtracting 1.5·2^52 rounds to an integer, which then stands
	// in the low bits.
	roundToInt = 3 << 51

	// Beyond these the result is 0 or +Inf.
	expLowest  = -745.1332191019412
	expHighest = 709.782712893384
)

// Exp is e**x, within 0.52 ulp where the result is normal, within 1 ulp where
// it is subnormal.
//
// It splits x into k·ln2/128 + r, looks 2^(k/128) up and multiplies it with
// the polynomial for e**r (Tang, 1989).
func Exp(x float64) float64 {
	if !(x > -708 && x < 708) {
		return expEdge(x)
	}
	shifted := float64(x*stepsPerUnit) + roundToInt
	k := math.Float64bits(shifted)
	scale, m := expStep(x, shifted-roundToInt, k)
	// The exponent is added to the bits of the table's value.
	scale = math.Float64frombits(math.Float64bits(scale) + uint64(int64(k<<13)>>(13+expShift))<<52)
	return scale + float64(scale*m)
}

// expStep gives the table's 2^(i/128), where i is k's place in the table, and
// m such that e**x = 2^(k div 128) · 2^(i/128) · (1 + m).
func expStep(x, steps float64, k uint64) (scale, m float64) {
	r := float64(x-float64(steps*stepHi)) - float64(steps*stepLo)
	e := &expTable[k%expSteps]
	r2 := float64(r * r)
	// |r| <= ln2/256, so r^6/720 is under 2^-60.
	low := float64(r2 * (0.5 + float64(r*(1.0/6))))
	high := float64(float64(r2*r2) * (1.0/24 + float64(r*(1.0/120))))
	return e.value, e.rest + r + low + high
}

// expEdge answers where the result may overflow or be subnormal.
func expEdge(x float64) float64 {
	switch {
	case math.IsNaN(x):
		return x
	case x > expHighest:
		return math.Inf(1)
	case x < expLowest:
		return 0
	}
	shifted := float64(x*stepsPerUnit) + roundToInt
	k := math.Float64bits(shifted)
	scale, m := expStep(x, shifted-roundToInt, k)
	return math.Ldexp(scale+float64(scale*m), int(int64(k<<13)>>(13+expShift)))
}

// ExpNegAbs stores e**-|x| for each x in dst, which is as long. It is Exp
// without the call for each value: what the inner loop of a logistic fit
// needs.
func ExpNegAbs(dst, xs []float64) {
	dst = dst[:len(xs)]
	for i, x := range xs {
		x = math.Float64frombits(math.Float64bits(x) | 1<<63)
		if !(x > -708) {
			dst[i] = expEdge(x)
			continue
		}
		shifted := float64(x*stepsPerUnit) + roundToInt
		k := math.Float64bits(shifted)
		steps := shifted - roundToInt
		r := float64(x-float64(steps*stepHi)) - float64(steps*stepLo)
		e := &expTable[k%expSteps]
		r2 := float64(r * r)
		low := float64(r2 * (0.5 + float64(r*(1.0/6))))
		high := float64(float64(r2*r2) * (1.0/24 + float64(r*(1.0/120))))
		scale := math.Float64frombits(math.Float64bits(e.value) + uint64(int64(k<<13)>>(13+expShift))<<52)
		dst[i] = scale + float64(scale*(e.rest+r+low+high))
	}
}
