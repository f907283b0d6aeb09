package sim

import "math"

// source is an endless row of random numbers, addressed by index: any of them
// can be had at any time, in any order.
type source uint64

// newSource gives the row of its own that a name has under a seed.
func newSource(seed uint64, name string) source {
	h := mix(seed + goldenGamma)
	for _, b := range []byte(name) {
		h = mix(h ^ uint64(b))
	}
	return source(h)
}

// child is the row of its own of the i-th entity of a kind.
func (s source) child(i int) source { return source(s.at(^int64(i))) }

// at is the number at an index, uniform over all 64 bits.
func (s source) at(index int64) uint64 { return mix(uint64(s) + uint64(index)*goldenGamma) }

const goldenGamma = 0x9e3779b97f4a7c15

// mix is the finaliser of SplitMix64 (Steele, Lea and Flood, 2014).
func mix(z uint64) uint64 {
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// uniform is in [0, 1).
func (s source) uniform(index int64) float64 {
	return float64(s.at(index)>>11) / (1 << 53)
}

// between is a whole number in [low, high].
func (s source) between(index int64, low, high int) int {
	return low + int(s.at(index)%uint64(high-low+1))
}

// normal is close to a standard normal variable: the sum of four uniform
// 16-bit numbers, scaled. It stays within ±3.5.
func (s source) normal(index int64) float64 {
	h := s.at(index)
	sum := int64(h&0xffff) + int64(h>>16&0xffff) + int64(h>>32&0xffff) + int64(h>>48)
	const mean, deviation = 2 * 0xffff, 37837.22754
	return float64(sum-mean) / deviation
}

// noise is smooth noise of mean 0 and variance 1 at a time in seconds: normal
// variables at knots one period apart, blended by a smoothstep and scaled back
// to variance 1.
func (s source) noise(sec, period int64) float64 {
	knot := floorDiv(sec, period)
	f := float64(sec-knot*period) / float64(period)
	w := float64(f * f * float64(3-float64(2*f)))
	v := 1 - w
	blend := float64(v*s.normal(knot)) + float64(w*s.normal(knot+1))
	return blend / math.Sqrt(float64(v*v)+float64(w*w))
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}
