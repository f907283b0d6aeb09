package train

import (
	"math"
	"sync"
	"sync/atomic"

	"livelab/pipeline/detmath"
)

const (
	// chunkRows is what one worker sums up at a time. Partial sums are added
	// in the order of the chunks, so the result does not depend on how many
	// workers there are or which is first.
	chunkRows = 4096

	// blockRows fit into the innermost cache with all their columns. Under
	// 1024, so that a product of as many factors up to 2 does not overflow.
	blockRows = 256

	// tile is how many columns the inner loops take together.
	tile = 4
)

// problem is a weighted logistic loss over n rows:
//
//	Σ s_i·log(1 + exp(−y_i·z_i)), z_i = intercept + Σ_j w_j·x_ij, y_i = ±1
type problem struct {
	x           [][]float64 // d columns of n values
	y           []bool
	classWeight [2]float64 // s_i where y_i is false, and where it is true
	workers     int

	parts []sums // one for each chunk, reused from pass to pass
}

// sums is what a pass over rows adds up. The parameters are the d weights,
// then the intercept.
type sums struct {
	loss     float64
	gradient []float64 // d+1
	hessian  []float64 // (d+1)×(d+1) row-major, the lower triangle
}

func newProblem(x [][]float64, y []bool, classWeight [2]float64, workers int) *problem {
	p := &problem{x: x, y: y, classWeight: classWeight, workers: workers}
	p.parts = make([]sums, (len(y)+chunkRows-1)/chunkRows)
	for i := range p.parts {
		p.parts[i] = newSums(len(x) + 1)
	}
	return p
}

func newSums(parameters int) sums {
	return sums{gradient: make([]float64, parameters), hessian: make([]float64, parameters*parameters)}
}

func (s *sums) reset() {
	s.loss = 0
	clear(s.gradient)
	clear(s.hessian)
}

func (s *sums) add(o *sums, hessian bool) {
	s.loss += o.loss
	for i, g := range o.gradient {
		s.gradient[i] += g
	}
	if hessian {
		for i, h := range o.hessian {
			s.hessian[i] += h
		}
	}
}

// pass sums up the loss and its derivatives at the parameters w into total.
// The Hessian is left zero unless it is asked for.
func (p *problem) pass(w []float64, hessian bool, total *sums) {
	var next atomic.Int64
	var wg sync.WaitGroup
	for range min(p.workers, len(p.parts)) {
		wg.Go(func() {
			b := newBlock(len(p.x))
			for {
				i := int(next.Add(1)) - 1
				if i >= len(p.parts) {
					return
				}
				p.sumChunk(i, w, hessian, b)
			}
		})
	}
	wg.Wait()
	total.reset()
	for i := range p.parts {
		total.add(&p.parts[i], hessian)
	}
}

func (p *problem) sumChunk(i int, w []float64, hessian bool, b *block) {
	s := &p.parts[i]
	s.reset()
	end := min((i+1)*chunkRows, len(p.y))
	for lo := i * chunkRows; lo < end; lo += blockRows {
		b.load(p, lo, min(lo+blockRows, end))
		b.logOdds(w)
		s.loss += b.link(p.classWeight, hessian)
		b.gradient(s, hessian)
		if hessian {
			b.hessian(s)
		}
	}
}

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
	for i := range z {
		z[i] += (float64(c[0]*x0[i]) + float64(c[1]*x1[i])) + (float64(c[2]*x2[i]) + float64(c[3]*x3[i]))
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
	product := [2]float64{1, 1}
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
		product[0] = float64(product[0] * math.Float64frombits(math.Float64bits(e1)&^positive|one&positive))
		product[1] = float64(product[1] * math.Float64frombits(math.Float64bits(e1)&positive|one&^positive))
	}
	b.sumResidual, b.sumCurvature = sumResidual, sumCurvature
	return linear + float64(classWeight[0]*detmath.Log(product[0])) + float64(classWeight[1]*detmath.Log(product[1]))
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
