package train

import (
	"fmt"
	"math"
	"sync"
)

const (
	// largest is the magnitude up to which a value is taken. Beyond it
	// differences between values may overflow.
	largest = 1e300

	// leastScale is the standard deviation under which a column counts as
	// constant.
	leastScale = 1e-300
)

// column is what standardising needs to know of a column.
type column struct {
	mean, scale float64
	constant    bool // nothing to learn from: one value, or none
}

// describe takes the mean and the standard deviation of values, missing ones
// left out, in two passes.
func describe(values []float64) (column, error) {
	lo, hi, n := math.Inf(1), math.Inf(-1), 0
	for row, v := range values {
		if math.IsNaN(v) {
			continue
		}
		if math.Abs(v) > largest {
			return column{}, fmt.Errorf("row %d is %v, must be a number of at most %g or missing (NaN)", row, v, largest)
		}
		lo, hi = min(lo, v), max(hi, v)
		n++
	}
	if n == 0 {
		return column{scale: 1, constant: true}, nil
	}
	if lo == hi {
		return column{mean: lo, scale: 1, constant: true}, nil
	}
	// Dividing by a power of two is exact and keeps squares within range.
	_, e := math.Frexp(max(math.Abs(lo), math.Abs(hi)))
	unit := func(v float64) float64 { return math.Ldexp(v, -e) }
	mean := sumKnown(values, unit) / float64(n)
	variance := sumKnown(values, func(v float64) float64 {
		d := unit(v) - mean
		return float64(d * d)
	}) / float64(n)
	c := column{mean: math.Ldexp(mean, e), scale: math.Ldexp(math.Sqrt(variance), e)}
	if !(c.scale > leastScale) {
		return column{mean: c.mean, scale: 1, constant: true}, nil
	}
	return c, nil
}

// sumKnown adds up term over the values that are there, chunk by chunk: fewer
// roundings meet in a long sum.
func sumKnown(values []float64, term func(v float64) float64) float64 {
	var total float64
	for lo := 0; lo < len(values); lo += chunkRows {
		var sum float64
		for _, v := range values[lo:min(lo+chunkRows, len(values))] {
			if !math.IsNaN(v) {
				sum += term(v)
			}
		}
		total += sum
	}
	return total
}

// standardise gives values as multiples of the scale from the mean, and 0
// where they are missing.
func (c column) standardise(values []float64) []float64 {
	out := make([]float64, len(values))
	for i, v := range values {
		if !math.IsNaN(v) {
			out[i] = (v - c.mean) / c.scale
		}
	}
	return out
}

// matrix is the standardised design matrix of some rows.
type matrix struct {
	columns []column    // of each input
	x       [][]float64 // of each input that is not constant
}

// newMatrix standardises the inputs by their own means and scales. values has
// the rows of each input, whose names are for errors. Columns do not depend on
// each other, so workers share them freely.
func newMatrix(inputs []string, values [][]float64, workers int) (*matrix, error) {
	m := &matrix{columns: make([]column, len(inputs))}
	x, errs := make([][]float64, len(inputs)), make([]error, len(inputs))
	slots := make(chan struct{}, max(1, workers))
	var wg sync.WaitGroup
	for j, name := range inputs {
		wg.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			c, err := describe(values[j])
			if err != nil {
				errs[j] = fmt.Errorf("column %q: %w", name, err)
				return
			}
			m.columns[j] = c
			if !c.constant {
				x[j] = c.standardise(values[j])
			}
		})
	}
	wg.Wait()
	for j, err := range errs {
		if err != nil {
			return nil, err
		}
		if !m.columns[j].constant {
			m.x = append(m.x, x[j])
		}
	}
	return m, nil
}
