// Package boost fits gradient-boosted trees for a forecast of yes or no: each
// tree takes a Newton step down the log loss of the rows it is fitted to. It
// works on one byte a value, and on histograms of these bytes, as LightGBM
// does (Ke et al., 2017).
//
// The result is the same to the last bit on any machine, for any number of
// workers, and for any order of the rows: derivatives are rounded to fixed
// point before they are summed up, and integers may be added in any order.
package boost

import (
	"context"
	"errors"
	"fmt"
	"math"
	"runtime"

	"livelab/pipeline/detmath"
	"livelab/pipeline/model"
)

// Matrix holds a byte for each input of each row.
type Matrix struct {
	// Codes has n bytes for each of the d inputs: 0 where the value is missing,
	// else one more than the number of the input's edges that are under it.
	Codes [][]uint8

	// Edges of each input, ascending and finite, at most MostEdges.
	Edges [][]float64
}

// mostRows fit into a histogram's bin.
const mostRows = 1 << rowBits

// Options say how to fit. The zero value is the default.
type Options struct {
	// Trees is the most that are fitted. Default 300.
	Trees int

	// LearningRate is the share of a Newton step that a tree takes. Default
	// 0.1.
	LearningRate float64

	// Leaves is the most that a tree has, at least 2. Default 31.
	Leaves int

	// MinRows of the training must come to each leaf. Default 100.
	MinRows int

	// L2 is the penalty of a leaf's squared value: it is added to the hessian,
	// to which a row adds at most a quarter. It keeps leaves modest whose rows
	// are all but decided.
	// Default 10; for none give a tiny one, as 1e-9.
	L2 float64

	// Columns is the share of the inputs that a tree may look at, drawn anew
	// for each. Default 1.
	Columns float64

	// Patience is the number of trees without a lower log loss of the
	// validation rows after which the fit stops. Default 30.
	Patience int

	// Seed of the draws of columns.
	Seed uint64

	// Workers is the number of goroutines, GOMAXPROCS where it is 0. The
	// result does not depend on it.
	Workers int

	// Progress is called after each tree, from one goroutine. May be nil.
	Progress func(Progress)
}

// Progress says where a fit stands.
type Progress struct {
	Trees int     // fitted
	Most  int     // that will be
	Best  int     // the number of trees with the lowest loss
	Loss  float64 // mean log loss of the validation rows, NaN where there are none
}

// Fitted is what a fit comes to. The log odds of a row are Base and the values
// of its leaves, added in the order of the trees.
type Fitted struct {
	Trees *model.Trees
	Base  float64

	// Losses are the mean log losses of the validation rows, of Base alone and
	// after each tree that was fitted, also those that are not kept. None
	// where there are no such rows.
	Losses []float64
}

// WithDefaults fills in the fields that are zero.
func (o Options) WithDefaults() Options {
	if o.Trees == 0 {
		o.Trees = 300
	}
	if o.LearningRate == 0 {
		o.LearningRate = 0.1
	}
	if o.Leaves == 0 {
		o.Leaves = 31
	}
	if o.MinRows == 0 {
		o.MinRows = 100
	}
	if o.L2 == 0 {
		o.L2 = 10
	}
	if o.Columns == 0 {
		o.Columns = 1
	}
	if o.Patience == 0 {
		o.Patience = 30
	}
	if o.Workers <= 0 {
		o.Workers = runtime.GOMAXPROCS(0)
	}
	return o
}

// Validate says what is wrong with the options, if anything. Fields that are
// zero stand for their defaults.
func (o Options) Validate() error {
	o = o.WithDefaults()
	switch {
	case o.Trees < 0:
		return fmt.Errorf("boost: %d trees, must be at least 1", o.Trees)
	case !(o.LearningRate > 0 && o.LearningRate <= 1):
		return fmt.Errorf("boost: the learning rate is %v, must be over 0 and at most 1", o.LearningRate)
	case o.Leaves < 2:
		return fmt.Errorf("boost: %d leaves a tree, must be at least 2", o.Leaves)
	case o.MinRows < 1:
		return fmt.Errorf("boost: %d rows a leaf, must be at least 1", o.MinRows)
	case !(o.L2 >= 0) || math.IsInf(o.L2, 0):
		return fmt.Errorf("boost: L2 is %v, must be finite and not negative", o.L2)
	case !(o.Columns > 0 && o.Columns <= 1):
		return fmt.Errorf("boost: a tree looks at a share of %v of the inputs, must be over 0 and at most 1", o.Columns)
	case o.Patience < 0:
		return fmt.Errorf("boost: a patience of %d trees, must be at least 1", o.Patience)
	}
	return nil
}

// Fit fits trees to the training rows. It stops where the log loss of the
// validation rows no longer falls and keeps as many trees as had the lowest;
// without validation rows it fits and keeps all. y has an outcome for each row
// of the matrix, those of the training of both classes. Where ctx is cancelled
// it returns its error, within the time of a tree.
func Fit(ctx context.Context, m Matrix, y []bool, training, validation []int32, opts Options) (*Fitted, error) {
	if err := opts.Validate(); err != nil {
		return nil, err
	}
	m.check(len(y))
	if len(m.Codes) == 0 {
		return nil, errors.New("boost: no inputs to fit trees to")
	}
	if len(training) >= mostRows {
		return nil, fmt.Errorf("boost: %d rows to train on, at most %d are possible; take a shorter time", len(training), mostRows-1)
	}
	positives := 0
	for _, r := range training {
		if y[r] {
			positives++
		}
	}
	if positives == 0 || positives == len(training) {
		return nil, fmt.Errorf("boost: %d of %d rows to train on are positive, need some of both classes; collect data over a longer time", positives, len(training))
	}
	base := detmath.Log(float64(positives) / float64(len(training)-positives))
	return newFit(m, y, training, validation, base, opts.WithDefaults()).run(ctx)
}

// check panics where the matrix is of the wrong shape.
func (m Matrix) check(rows int) {
	if len(m.Codes) != len(m.Edges) {
		panic(fmt.Sprintf("boost: codes of %d inputs, edges of %d", len(m.Codes), len(m.Edges)))
	}
	for j, codes := range m.Codes {
		if len(codes) != rows {
			panic(fmt.Sprintf("boost: input %d has %d codes for %d outcomes", j, len(codes), rows))
		}
		if len(m.Edges[j]) > MostEdges {
			panic(fmt.Sprintf("boost: input %d has %d edges, at most %d are possible", j, len(m.Edges[j]), MostEdges))
		}
	}
}
