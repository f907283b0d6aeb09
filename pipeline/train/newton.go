package train

import (
	"context"
	"math"

	"gonum.org/v1/gonum/mat"
)

const (
	// tolerance is how far from the optimum, in any parameter, the fit may
	// end.
	tolerance = 1e-9

	// chordStep: after a step no longer than this the Hessian is kept, as it
	// has hardly changed. A pass without it costs less than half.
	chordStep = 0.001

	// sufficient is the share of the predicted decrease that a step must
	// bring (Armijo, 1966).
	sufficient = 1e-4

	maxPasses = 200
)

// solver minimises the penalised loss by Newton's method with backtracking.
type solver struct {
	p    *problem
	opts FitOptions

	value   float64 // of the objective at the last evaluated parameters
	sums    sums    // there, with C and the penalty
	hessian *mat.SymDense
	l       *mat.TriDense // factor of the last Hessian
	passes  int
}

func newSolver(x [][]float64, y []bool, classWeight [2]float64, opts FitOptions) *solver {
	n := len(x) + 1
	return &solver{
		p: newProblem(x, y, classWeight, opts.Workers), opts: opts,
		sums: newSums(n), hessian: mat.NewSymDense(n, nil), l: mat.NewTriDense(n, mat.Lower, nil),
	}
}

// minimise moves the parameters w to the optimum, within the tolerance.
func (s *solver) minimise(ctx context.Context, w []float64, tolerance float64) error {
	if !s.evaluate(w, true) {
		return ErrNotConverged
	}
	last := math.Inf(1) // length of the step before
	fresh := true       // whether the Hessian is of w
	for s.passes < maxPasses {
		if err := ctx.Err(); err != nil {
			return err
		}
		step := solve(s.l, s.sums.gradient)
		length, decrease := maxAbs(step), dot(step, s.sums.gradient)
		s.report(length)
		// Steps shrink by at least the last ratio, so the rest of the way is
		// no longer than the last step times it. What is less than the
		// rounding of the objective cannot be improved either.
		ratio := 1.0
		if length < last && !math.IsInf(last, 1) {
			ratio = length / last
		}
		if float64(length*ratio) <= tolerance || decrease <= float64(4e-16*math.Abs(s.value)) {
			move(w, step, 1)
			return nil
		}
		if !fresh && ratio > 0.1 {
			if !s.evaluate(w, true) {
				return ErrNotConverged
			}
			last, fresh = math.Inf(1), true
			continue
		}
		renew := length > chordStep
		t, ok := s.search(w, step, decrease, renew)
		if !ok {
			return ErrNotConverged
		}
		fresh, last = renew, length
		if t < 1 {
			last = math.Inf(1)
		}
	}
	return ErrNotConverged
}

// search moves w against the step, by half as much each time until the
// objective has fallen enough, and leaves the sums of the new w.
func (s *solver) search(w, step []float64, decrease float64, hessian bool) (t float64, ok bool) {
	before := s.value
	slack := s.rounding(before)
	trial := make([]float64, len(w))
	for t = 1; s.passes < maxPasses; t /= 2 {
		copy(trial, w)
		move(trial, step, t)
		if s.evaluate(trial, hessian) && s.value <= before-float64(sufficient*float64(t*decrease))+slack {
			copy(w, trial)
			return t, true
		}
	}
	return t, false
}

// rounding is how much of a rise of the objective may be nothing but rounding:
// of its sums, and of 1+e in each row's loss.
func (s *solver) rounding(value float64) float64 {
	perRow := float64(s.opts.C * max(s.p.classWeight[0], s.p.classWeight[1]))
	return float64(1e-14*math.Abs(value)) + float64(3e-16*float64(perRow*float64(len(s.p.y))))
}

// evaluate computes the objective and its gradient, and on demand the factored
// Hessian. It reports false where one of them is not finite.
func (s *solver) evaluate(w []float64, hessian bool) bool {
	s.passes++
	s.p.pass(w, hessian, &s.sums)
	d := len(w) - 1
	c := s.opts.C
	s.value = float64(c * s.sums.loss)
	for j, v := range w[:d] {
		s.value += float64(0.5 * float64(v*v))
		s.sums.gradient[j] = float64(c*s.sums.gradient[j]) + v
	}
	s.sums.gradient[d] = float64(c * s.sums.gradient[d])
	if math.IsNaN(s.value) || math.IsInf(s.value, 0) {
		return false
	}
	if !hessian {
		return true
	}
	for i := range d + 1 {
		for j := range i + 1 {
			h := float64(c * s.sums.hessian[i*(d+1)+j])
			if i == j && i < d {
				h++
			}
			s.hessian.SetSym(i, j, h)
		}
	}
	return factorDamped(s.l, s.hessian)
}

func (s *solver) report(step float64) {
	if s.opts.Iteration != nil {
		s.opts.Iteration(s.passes, step)
	}
}

// move subtracts t times the step.
func move(w, step []float64, t float64) {
	for i, v := range step {
		w[i] -= float64(t * v)
	}
}

func dot(a, b []float64) float64 {
	var sum float64
	for i, v := range a {
		sum += float64(v * b[i])
	}
	return sum
}

func maxAbs(xs []float64) float64 {
	var m float64
	for _, x := range xs {
		m = max(m, math.Abs(x))
	}
	return m
}
