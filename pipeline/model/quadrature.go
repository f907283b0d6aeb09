package model

import (
	"math"
	"sync"

	"livelab/pipeline/detmath"
)

// point of a rule for integrals over t from 0 to 1.
type point struct {
	t, rest float64 // rest is 1−t
	weight  float64
}

// rules are those of Gauss and Legendre: the one of n points is exact for
// polynomials of degree up to 2n−1.
var rules = sync.OnceValue(func() (rs [MostDepth/2 + 1][]point) {
	for n := 1; n < len(rs); n++ {
		for i := range n {
			rs[n] = append(rs[n], gaussLegendre(n, i))
		}
	}
	return rs
})

// gaussLegendre finds root i of the Legendre polynomial of degree n by Newton's
// method, from a start that is close enough for every n (Tricomi).
func gaussLegendre(n, i int) point {
	x := detmath.Cos(math.Pi * (float64(i) + 0.75) / (float64(n) + 0.5))
	var slope float64
	for range 8 {
		value, before := legendre(n, x)
		slope = float64(n) * (float64(x*value) - before) / (float64(x*x) - 1)
		x -= value / slope
	}
	return point{t: (1 - x) / 2, rest: (1 + x) / 2, weight: 1 / float64((1-float64(x*x))*slope*slope)}
}

// legendre gives the polynomials of degree n and n−1 at x.
func legendre(n int, x float64) (value, before float64) {
	value, before = x, 1
	for k := 2; k <= n; k++ {
		next := (float64(float64(2*k-1)*x*value) - float64(float64(k-1)*before)) / float64(k)
		value, before = next, value
	}
	return value, before
}
