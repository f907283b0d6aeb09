package boost

import (
	"math"

	"livelab/pipeline/detmath"
)

// A row's gradient by its log odds z is p - y, for p = 1/(1+e**-z). It is kept
// as a multiple of 2^-30, which also tells the row's hessian, p·(1-p): with
// a = |p-y| that is a·(1-a).
const (
	gradientBits = 30
	gradientOne  = 1 << gradientBits
)

// gradients stores the rows' gradients at their log odds. e is scratch.
func gradients(dst []int32, z []float64, y []bool, e []float64) {
	detmath.ExpNegAbs(e, z)
	z, y, e = z[:len(dst)], y[:len(dst)], e[:len(dst)]
	for i := range dst {
		var class uint64
		if y[i] {
			class = 1
		}
		inverse := 1 / (1 + e[i])
		small := float64(e[i] * inverse)
		// a is how far p is from the outcome: 1/(1+e) where z has the wrong
		// sign, else e/(1+e).
		wrong := uint64(int64((math.Float64bits(z[i]) ^ (class^1)<<63)) >> 63) // all ones where it has
		a := math.Float64frombits(math.Float64bits(inverse)&wrong | math.Float64bits(small)&^wrong)
		g := int32(float64(a*gradientOne) + 0.5)
		sign := -int32(class)
		dst[i] = g ^ sign - sign
	}
}

// hessian of a gradient, as a multiple of 2^-30.
func hessian(gradient int32) int64 {
	a := int64(gradient)
	if a < 0 {
		a = -a
	}
	return (a*(gradientOne-a) + gradientOne/2) >> gradientBits
}

// A word holds sums of gradients, of hessians and of rows, so that one addition
// adds to all: the gradients, as multiples of 2^-15, from bit 36 on, the
// hessians, as multiples of 2^-14, from bit 12 on, the rows under these. The
// sums of chunkRows rows fit:
//
//	|gradient| <= 2^15, 4000·2^15 < 2^27, and the sign
//	 hessian   <= 2^12, 4000·2^12 < 2^24
//	 row        = 1,    4000      < 2^12
const (
	chunkRows = 4000

	coarseGradientBits = 15
	coarseHessianBits  = 14

	wordGradient = 36 // the lowest bit of the gradients
	wordHessian  = 12

	wordHessianMask = 1<<(wordGradient-wordHessian) - 1
	wordRowsMask    = 1<<wordHessian - 1
)

// word of one row.
func word(gradient int32) uint64 {
	const (
		g = gradientBits - coarseGradientBits
		h = gradientBits - coarseHessianBits
	)
	coarse := (int64(gradient) + 1<<(g-1)) >> g
	return uint64(coarse)<<wordGradient + uint64((hessian(gradient)+1<<(h-1))>>h)<<wordHessian + 1
}

// bin holds the sums of any number of rows under mostRows: the hessians from
// bit rowBits on, the rows under these.
type bin struct {
	gradient    int64
	hessianRows uint64
}

const (
	rowBits  = 26
	rowsMask = 1<<rowBits - 1
)

// bin of a word's sums.
func binOf(w uint64) bin {
	return bin{
		gradient:    int64(w) >> wordGradient,
		hessianRows: (w>>wordHessian&wordHessianMask)<<rowBits | w&wordRowsMask,
	}
}

func (b bin) rows() int      { return int(b.hessianRows & rowsMask) }
func (b bin) hessian() int64 { return int64(b.hessianRows >> rowBits) }

func (b bin) plus(o bin) bin {
	return bin{b.gradient + o.gradient, b.hessianRows + o.hessianRows}
}

// minus takes away a part of the rows.
func (b bin) minus(o bin) bin {
	return bin{b.gradient - o.gradient, b.hessianRows - o.hessianRows}
}
