package train

import (
	"fmt"
	"math"
	"sync"

	"livelab/pipeline/features"
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

// describe takes the mean and the standard deviation of the values in the
// rows, missing ones left out, in two passes.
func describe(values []float64, rows []int) (column, error) {
	lo, hi, n := math.Inf(1), math.Inf(-1), 0
	for _, row := range rows {
		v := values[row]
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
	unit := func(row int) float64 { return math.Ldexp(values[row], -e) }
	mean := sumRows(values, rows, unit) / float64(n)
	variance := sumRows(values, rows, func(row int) float64 {
		d := unit(row) - mean
		return float64(d * d)
	}) / float64(n)
	c := column{mean: math.Ldexp(mean, e), scale: math.Ldexp(math.Sqrt(variance), e)}
	if !(c.scale > leastScale) {
		return column{mean: c.mean, scale: 1, constant: true}, nil
	}
	return c, nil
}

// sumRows adds up term over the rows whose value is there, chunk by chunk:
// fewer roundings meet in a long sum.
func sumRows(values []float64, rows []int, term func(row int) float64) float64 {
	var total float64
	for lo := 0; lo < len(rows); lo += chunkRows {
		var sum float64
		for _, row := range rows[lo:min(lo+chunkRows, len(rows))] {
			if !math.IsNaN(values[row]) {
				sum += term(row)
			}
		}
		total += sum
	}
	return total
}

// standardise gives the rows' values as multiples of the scale from the mean,
// and 0 where they are missing.
func (c column) standardise(values []float64, rows []int) []float64 {
	out := make([]float64, len(rows))
	for i, row := range rows {
		if v := values[row]; !math.IsNaN(v) {
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

// newMatrix standardises the inputs over the rows by their own means and
// scales. Columns do not depend on each other, so workers share them freely.
func newMatrix(f *features.Frame, inputs []string, rows []int, workers int) (*matrix, error) {
	m := &matrix{columns: make([]column, len(inputs))}
	x, errs := make([][]float64, len(inputs)), make([]error, len(inputs))
	slots := make(chan struct{}, max(1, workers))
	var wg sync.WaitGroup
	for j, name := range inputs {
		wg.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			values := f.Column(name)
			if values == nil {
				errs[j] = fmt.Errorf("there is no column %q; the frame has %v", name, f.Names())
				return
			}
			c, err := describe(values, rows)
			if err != nil {
				errs[j] = fmt.Errorf("column %q: %w", name, err)
				return
			}
			m.columns[j] = c
			if !c.constant {
				x[j] = c.standardise(values, rows)
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
