package train

import (
	"math"

	"livelab/pipeline/detmath"
)

const (
	// blockRows fit into the innermost cache with all their columns. Under
	// 1024, so that a product of as many factors up to 2 does not overflow.
	blockRows = 128

	// tile is how many columns the inner loops take together.
	tile = 4
)

// block is a worker's scratch for up to blockRows rows.
type block struct {
	x [][]float64 // the columns' windows, padded with zeros to a multiple of tile
	t [][]float64 // the same, each row times its curvature
	y []bool

	z         []float64 // log odds
	e         []float64 // exp(-|z|)
	residual  []float64 // derivative of the row's loss by z
	curvature []float64 // second derivative
	zeros     []float64

	sumResidual, sumCurvature float64
}

func newBlock(d int) *block {
	padded := (d + tile - 1) / tile * tile
	column := func() []float64 { return make([]float64, blockRows) }
	b := &block{
		x: make([][]float64, padded), t: make([][]float64, padded),
		z: column(), e: column(), residual: column(), curvature: column(), zeros: column(),
	}
	for j := range b.t {
		b.t[j] = column()
	}
	return b
}

func (b *block) load(p *problem, lo, hi int) {
	n := hi - lo
	b.y = p.y[lo:hi]
	b.z, b.e, b.residual, b.curvature = b.z[:n], b.e[:n], b.residual[:n], b.curvature[:n]
	for j := range b.x {
		if j < len(p.x) {
			b.x[j] = p.x[j][lo:hi]
		} else {
			b.x[j] = b.zeros[:n]
		}
		b.t[j] = b.t[j][:n]
	}
}

func (b *block) logOdds(w []float64) {
	d := len(w) - 1
	for i := range b.z {
		b.z[i] = w[d]
	}
	for j := 0; j < len(b.x); j += tile {
		var c [tile]float64
		copy(c[:], w[j:d])
		addProducts(b.z, c, b.x[j], b.x[j+1], b.x[j+2], b.x[j+3])
	}
}

func addProducts(z []float64, c [tile]float64, x0, x1, x2, x3 []float64) {
	n := len(z)
	x0, x1, x2, x3 = x0[:n], x1[:n], x2[:n], x3[:n]
	c0, c1, c2, c3 := c[0], c[1], c[2], c[3]
	for i := range z {
		z[i] += (float64(c0*x0[i]) + float64(c1*x1[i])) + (float64(c2*x2[i]) + float64(c3*x3[i]))
	}
}

// link computes residuals and curvatures from the log odds and gives the
// rows' loss. With m = y·z, q = 1/(1+exp(m)) and e = exp(-|m|) a row's loss is
// max(−m, 0) + log(1+e), its residual −y·q, its curvature q·(1−q). Selecting
// by bits instead of branching matters: the branches would be coin tosses. So
// does taking one logarithm of the product of all 1+e of a class.
func (b *block) link(classWeight [2]float64, curvature bool) float64 {
	const sign = 1 << 63
	n := len(b.z)
	y, e, residual, curvatures := b.y[:n], b.e[:n], b.residual[:n], b.curvature[:n]
	detmath.ExpNegAbs(e, b.z)
	product0, product1 := 1.0, 1.0
	var linear, sumResidual, sumCurvature float64
	for i, z := range b.z {
		var class uint64
		if y[i] {
			class = 1
		}
		bits := math.Float64bits(z)
		wrong := uint64(int64(bits^(class^1)<<63) >> 63) // all ones where m < 0
		s := classWeight[class&1]

		e1 := 1 + e[i]
		inv := 1 / e1
		small := float64(e[i] * inv) // min(q, 1-q)
		q := math.Float64frombits(math.Float64bits(inv)&wrong | math.Float64bits(small)&^wrong)
		r := float64(s * math.Float64frombits(math.Float64bits(q)^class<<63))
		residual[i] = r
		sumResidual += r
		if curvature {
			c := float64(s * float64(small*inv))
			curvatures[i] = c
			sumCurvature += c
		}
		linear += float64(s * math.Float64frombits(bits&^sign&wrong))
		one := math.Float64bits(1)
		positive := -class // all ones where y is true
		product0 = float64(product0 * math.Float64frombits(math.Float64bits(e1)&^positive|one&positive))
		product1 = float64(product1 * math.Float64frombits(math.Float64bits(e1)&positive|one&^positive))
	}
	b.sumResidual, b.sumCurvature = sumResidual, sumCurvature
	return linear + float64(classWeight[0]*detmath.Log(product0)) + float64(classWeight[1]*detmath.Log(product1))
}

// gradient adds the block's gradient, and the intercept's row of the Hessian.
func (b *block) gradient(s *sums, hessian bool) {
	d := len(s.gradient) - 1
	s.gradient[d] += b.sumResidual
	lastRow := s.hessian[d*(d+1):]
	lastRow[d] += b.sumCurvature
	for j := 0; j < len(b.x); j += tile {
		var sum [tile]float64
		dot4(&sum, b.residual, b.x[j], b.x[j+1], b.x[j+2], b.x[j+3])
		for k := j; k < min(j+tile, d); k++ {
			s.gradient[k] += sum[k-j]
			if hessian {
				lastRow[k] += scale(b.t[k], b.curvature, b.x[k])
			}
		}
	}
}

func dot4(sum *[tile]float64, r, x0, x1, x2, x3 []float64) {
	n := len(r)
	x0, x1, x2, x3 = x0[:n], x1[:n], x2[:n], x3[:n]
	var s0, s1, s2, s3 float64
	for i, v := range r {
		s0 += float64(v * x0[i])
		s1 += float64(v * x1[i])
		s2 += float64(v * x2[i])
		s3 += float64(v * x3[i])
	}
	*sum = [tile]float64{s0, s1, s2, s3}
}

// scale stores a·x in t and gives its sum.
func scale(t, a, x []float64) float64 {
	n := len(t)
	a, x = a[:n], x[:n]
	var s0, s1 float64
	i := 0
	for ; i+1 < n; i += 2 {
		u, v := float64(a[i]*x[i]), float64(a[i+1]*x[i+1])
		t[i], t[i+1] = u, v
		s0 += u
		s1 += v
	}
	if i < n {
		t[i] = float64(a[i] * x[i])
		s0 += t[i]
	}
	return s0 + s1
}

// hessian adds the weights' part of the Hessian, two rows and four columns at
// a time.
func (b *block) hessian(s *sums) {
	d := len(s.gradient) - 1
	for j := 0; j < d; j += 2 {
		for k := 0; k <= min(j+1, d-1); k += tile {
			var sum [2 * tile]float64
			dot8(&sum, b.t[j], b.t[j+1], b.x[k], b.x[k+1], b.x[k+2], b.x[k+3])
			for c := k; c < min(k+tile, j+2, d); c++ {
				if c <= j {
					s.hessian[j*(d+1)+c] += sum[c-k]
				}
				if j+1 < d {
					s.hessian[(j+1)*(d+1)+c] += sum[tile+c-k]
				}
			}
		}
	}
}

func dot8(sum *[2 * tile]float64, t0, t1, x0, x1, x2, x3 []float64) {
	n := len(t0)
	t1, x0, x1, x2, x3 = t1[:n], x0[:n], x1[:n], x2[:n], x3[:n]
	var s0, s1, s2, s3, s4, s5, s6, s7 float64
	for i, a := range t0 {
		b := t1[i]
		s0 += float64(a * x0[i])
		s4 += float64(b * x0[i])
		s1 += float64(a * x1[i])
		s5 += float64(b * x1[i])
		s2 += float64(a * x2[i])
		s6 += float64(b * x2[i])
		s3 += float64(a * x3[i])
		s7 += float64(b * x3[i])
	}
	*sum = [2 * tile]float64{s0, s1, s2, s3, s4, s5, s6, s7}
}
