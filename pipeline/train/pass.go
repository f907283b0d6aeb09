package train

import (
	"sync"
	"sync/atomic"
)

// chunkRows is what one worker sums up at a time. Partial sums are added in
// the order of the chunks, so the result does not depend on how many workers
// there are or which is first.
const chunkRows = 4096

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
