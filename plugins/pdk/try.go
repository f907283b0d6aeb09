package pdk

import (
	"errors"
	"math"
	"strconv"
)

// Try gives the outputs of rows, each with a value for every input, by the way
// that the module goes and with what the host checks: an infinity and a value
// outside of the declared bounds are errors. It is for tests.
func (t Transform) Try(rows ...[]float64) ([][]float64, error) {
	n := len(rows)
	in := make([]float64, n*len(t.Inputs))
	out := make([]float64, n*len(t.Outputs))
	for r, row := range rows {
		if len(row) != len(t.Inputs) {
			return nil, errors.New("row " + strconv.Itoa(r) + " has " + strconv.Itoa(len(row)) + " values for " + strconv.Itoa(len(t.Inputs)) + " inputs")
		}
		for c, x := range row {
			in[c*n+r] = x
		}
	}
	if failure := newFrame(&t).apply(&t, in, out, n); failure != "" {
		return nil, errors.New(failure)
	}
	answers := make([][]float64, n)
	for r := range answers {
		answers[r] = make([]float64, len(t.Outputs))
		for c, o := range t.Outputs {
			x := out[c*n+r]
			if !o.allows(x) {
				return nil, errors.New("row " + strconv.Itoa(r) + ": " + o.Name + " is " + strconv.FormatFloat(x, 'g', -1, 64) + ", which is infinite or outside of its bounds")
			}
			answers[r][c] = x
		}
	}
	return answers, nil
}

func (o Output) allows(x float64) bool {
	if math.IsInf(x, 0) {
		return false
	}
	unbounded := o.Min == 0 && o.Max == 0
	return unbounded || !(x < o.Min) && !(x > o.Max)
}
