package pdk

import "math"

var missing = math.NaN()

// frame is what a call works in. It is kept from one call to the next, so that
// calls allocate nothing.
type frame struct {
	rowIn, rowOut []float64
	in, out       [][]float64 // the columns of this call
}

func newFrame(t *Transform) *frame {
	return &frame{
		rowIn:  make([]float64, len(t.Inputs)),
		rowOut: make([]float64, len(t.Outputs)),
		in:     make([][]float64, len(t.Inputs)),
		out:    make([][]float64, len(t.Outputs)),
	}
}

// apply computes the outputs of rows rows. Both in and out are column-major:
// column c is at [c*rows, (c+1)*rows). It gives what went wrong, empty where
// nothing did.
func (f *frame) apply(t *Transform, in, out []float64, rows int) (failure string) {
	defer func() {
		if p := recover(); p != nil {
			failure = "panic: " + panicText(p)
		}
	}()
	var err error
	if t.Columns != nil {
		split(f.in, in, rows)
		split(f.out, out, rows)
		err = t.Columns(f.in, f.out)
	} else {
		err = f.eachRow(t.Row, in, out, rows)
	}
	if err == nil {
		return ""
	}
	if text := err.Error(); text != "" {
		return text
	}
	return "an error without a text"
}

func split(columns [][]float64, values []float64, rows int) {
	for c := range columns {
		columns[c] = values[c*rows : (c+1)*rows : (c+1)*rows]
	}
}

func (f *frame) eachRow(row func(in, out []float64) error, in, out []float64, rows int) error {
	for r := range rows {
		gather(f.rowIn, in, r, rows)
		setMissing(f.rowOut)
		if err := row(f.rowIn, f.rowOut); err != nil {
			return err
		}
		scatter(out, f.rowOut, r, rows)
	}
	return nil
}

// Each of the small functions below is kept out of the one that calls it: Go
// compiles a function to one loop of WebAssembly that holds all of it, where
// every jump is a turn, and a turn costs fuel by the size of the loop.

//go:noinline
func gather(to, columns []float64, at, rows int) {
	for c := range to {
		to[c] = columns[at]
		at += rows
	}
}

//go:noinline
func scatter(columns, from []float64, at, rows int) {
	for _, x := range from {
		columns[at] = x
		at += rows
	}
}

//go:noinline
func setMissing(row []float64) {
	for c := range row {
		row[c] = missing
	}
}

func panicText(p any) string {
	switch p := p.(type) {
	case error:
		return p.Error()
	case string:
		return p
	}
	return "a value that is no text"
}
