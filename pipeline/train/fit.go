package train

import (
	"context"
	"errors"
	"fmt"
	"math"
	"runtime"

	"livelab/pipeline/detmath"
)

// FitOptions say how to fit.
type FitOptions struct {
	// C is the inverse strength of the penalty, as scikit-learn has it; 1
	// where it is 0.
	C float64

	// Balanced gives a row of a class with n_c of the n rows the weight
	// n/(2·n_c), so that both classes weigh the same. Otherwise rows weigh 1.
	Balanced bool

	// Workers is the number of goroutines, GOMAXPROCS where it is 0. The
	// result does not depend on it.
	Workers int

	// Iteration is called after each pass over the rows, where it is not nil.
	Iteration func(passes int, step float64)
}

// Fitted is a logistic regression: the log odds are Intercept + Σ w_j·x_j.
type Fitted struct {
	Weights   []float64
	Intercept float64

	// ClassWeight is what a negative and a positive row weighed.
	ClassWeight [2]float64

	Objective float64 // at the optimum, see Fit
	Passes    int     // over all rows
}

// ErrNotConverged is returned by Fit where no optimum was found, which columns
// on very different scales may cause: standardise them.
var ErrNotConverged = errors.New("the fit did not converge")

// Fit minimises
//
//	½·Σ_j w_j² + C·Σ_i s_i·log(1 + exp(−y_i·z_i)), z_i = intercept + Σ_j w_j·x_ij
//
// over the weights and the intercept, which is not penalised. x has d columns
// of n finite values, best standardised; y has n outcomes of both classes. The
// result is within about 1e-9 of the optimum and the same to the last bit on
// every machine, for any number of workers.
func Fit(ctx context.Context, x [][]float64, y []bool, opts FitOptions) (*Fitted, error) {
	if opts.C == 0 {
		opts.C = 1
	}
	if opts.Workers <= 0 {
		opts.Workers = runtime.GOMAXPROCS(0)
	}
	if !(opts.C > 0) || math.IsInf(opts.C, 0) {
		return nil, fmt.Errorf("fit: C is %v, must be positive and finite", opts.C)
	}
	for j, c := range x {
		if len(c) != len(y) {
			panic(fmt.Sprintf("train: column %d has %d values for %d outcomes", j, len(c), len(y)))
		}
	}
	positives := countTrue(y)
	if positives == 0 || positives == len(y) {
		return nil, fmt.Errorf("fit: %d of %d rows are positive, need some of both classes", positives, len(y))
	}
	weight := [2]float64{1, 1}
	if opts.Balanced {
		n := float64(len(y))
		weight = [2]float64{n / float64(2*(len(y)-positives)), n / float64(2*positives)}
	}
	s := newSolver(x, y, weight, opts)
	w, err := s.startWarm(ctx)
	if err != nil {
		return nil, fmt.Errorf("fit: %w", err)
	}
	if err := s.minimise(ctx, w, tolerance); err != nil {
		return nil, fmt.Errorf("fit: %w", err)
	}
	return s.fitted(w)
}

func (s *solver) fitted(w []float64) (*Fitted, error) {
	for _, v := range w {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return nil, fmt.Errorf("fit: %w: a weight is %v", ErrNotConverged, v)
		}
	}
	d := len(w) - 1
	return &Fitted{
		Weights: w[:d:d], Intercept: w[d], ClassWeight: s.p.classWeight,
		Objective: s.value, Passes: s.passes,
	}, nil
}

const (
	// A fit with more than warmRows rows starts from the optimum of one in
	// warmStride of them, taken in runs of runRows (a line of the cache).
	warmRows   = 32768
	warmStride = 16
	runRows    = 8

	// warmTolerance is enough for a start, as the sample's own error is
	// larger.
	warmTolerance = 1e-4
)

// startWarm gives parameters to start from. With them few passes over all
// rows are needed.
func (s *solver) startWarm(ctx context.Context) ([]float64, error) {
	x, y := s.p.x, s.p.y
	if len(y) <= warmRows {
		return s.startCold(), nil
	}
	keep := func(i int) bool { return i%(runRows*warmStride) < runRows }
	sampleY := take(y, keep)
	positives := countTrue(sampleY)
	if least := 10 * len(x); positives < least || len(sampleY)-positives < least {
		return s.startCold(), nil
	}
	sampleX := make([][]float64, len(x))
	for j, c := range x {
		sampleX[j] = take(c, keep)
	}
	opts := s.opts
	opts.C *= float64(len(y)) / float64(len(sampleY))
	opts.Iteration = nil
	sample := newSolver(sampleX, sampleY, s.p.classWeight, opts)
	w, err := sample.startWarm(ctx)
	if err != nil {
		return nil, err
	}
	switch err := sample.minimise(ctx, w, warmTolerance); {
	case errors.Is(err, ErrNotConverged):
		return s.startCold(), nil
	case err != nil:
		return nil, err
	}
	return w, nil
}

// startCold gives the optimum with all weights zero.
func (s *solver) startCold() []float64 {
	w := make([]float64, len(s.p.x)+1)
	n, positives := len(s.p.y), countTrue(s.p.y)
	odds := float64(s.p.classWeight[1]*float64(positives)) / float64(s.p.classWeight[0]*float64(n-positives))
	w[len(w)-1] = detmath.Log(odds)
	return w
}

// take gives the values whose index is kept, in runs of runRows.
func take[T any](xs []T, keep func(int) bool) []T {
	out := make([]T, 0, len(xs)/warmStride+runRows)
	for i := 0; i < len(xs); i += runRows {
		if keep(i) {
			out = append(out, xs[i:min(i+runRows, len(xs))]...)
		}
	}
	return out
}

func countTrue(bs []bool) int {
	n := 0
	for _, b := range bs {
		if b {
			n++
		}
	}
	return n
}
