package pdk_test

import (
	"math"
	"math/big"
)

// digits is the precision of the exact functions, in bits: far more than a
// float64 has, for arguments that one can hold.
const digits = 300

func exact(x float64) *big.Float { return new(big.Float).SetPrec(digits).SetFloat64(x) }

// ln2 is the logarithm of 2, as 2 atanh 1/3.
var ln2 = atanhTwice(new(big.Float).SetPrec(digits).Quo(exact(1), exact(3)))

// exactExp is e to the x, by halving x until the series is short.
func exactExp(x *big.Float) *big.Float {
	k, _ := new(big.Float).Quo(x, ln2).Int64()
	r := new(big.Float).Sub(x, new(big.Float).Mul(exact(float64(k)), ln2))
	const halvings = 16
	r.SetMantExp(r, -halvings)
	sum, term := exact(1), exact(1)
	for n := 1; n < 30; n++ {
		term.Mul(term, r).Quo(term, exact(float64(n)))
		sum.Add(sum, term)
	}
	for range halvings {
		sum.Mul(sum, sum)
	}
	return sum.SetMantExp(sum, int(k))
}

// exactLog is the logarithm of a finite x above 0.
func exactLog(x float64) *big.Float {
	m, k := math.Frexp(x)
	if m < math.Sqrt2/2 {
		m, k = 2*m, k-1
	}
	s := new(big.Float).SetPrec(digits).Quo(exact(m-1), new(big.Float).Add(exact(m), exact(1)))
	return new(big.Float).Add(new(big.Float).Mul(exact(float64(k)), ln2), atanhTwice(s))
}

func atanhTwice(s *big.Float) *big.Float {
	square := new(big.Float).Mul(s, s)
	sum, power := exact(0), new(big.Float).Mul(exact(2), s)
	for n := 1; n < 201; n += 2 {
		sum.Add(sum, new(big.Float).Quo(power, exact(float64(n))))
		power.Mul(power, square)
	}
	return sum
}

// unitsOff tells how far got is from want, in units in the last place of a
// float64 of want's size.
func unitsOff(got float64, want *big.Float) float64 {
	exponent := max(want.MantExp(nil)-53, -1074)
	off := new(big.Float).Sub(exact(got), want)
	units, _ := off.SetMantExp(off.Abs(off), -exponent).Float64()
	return units
}
