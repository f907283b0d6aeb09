package server

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"livelab/runtime/jsonscan"
	"livelab/runtime/oip"
)

// tensorReader turns tensors into the rows of a question: either one tensor
// for each column, or one of all columns under a name that no column has.
type tensorReader struct {
	schema   *schema
	inputs   []oip.Tensor
	question *question
	most     int // rows
	errorList
}

func (t *tensorReader) read() {
	if len(t.inputs) == 1 {
		if _, isColumn := t.schema.index[t.inputs[0].Name]; !isColumn {
			t.matrix(&t.inputs[0])
			return
		}
	}
	t.columns()
}

// start makes room for rows of which nothing is known.
func (t *tensorReader) start(rows int) {
	q := t.question
	q.reset(len(t.schema.columns))
	q.given, q.many, q.list = true, true, "rows"
	q.dropRows()
	for range rows {
		q.addRow()
	}
}

// columns reads one tensor for each column.
func (t *tensorReader) columns() {
	of := make([]int, len(t.inputs)) // column of each tensor
	seen := make([]bool, len(t.schema.columns))
	rows := -1
	for i := range t.inputs {
		column, known := t.schema.index[t.inputs[i].Name]
		switch {
		case !known:
			t.refuse(inputPath(i, "name"), fmt.Sprintf("%q is not a column of the model; its metadata list them", jsonscan.Printable(t.inputs[i].Name)))
			continue
		case seen[column]:
			t.refuse(inputPath(i, "name"), t.inputs[i].Name+" is there twice")
		}
		of[i], seen[column] = column, true
		t.sameRows(i, &rows)
	}
	for _, column := range t.schema.required {
		if !seen[column] {
			t.refuse("inputs", "need a tensor for "+t.schema.columns[column]+", which is required")
		}
	}
	if len(t.errs) > 0 {
		return
	}
	t.start(rows)
	for i := range t.inputs {
		for row, v := range t.inputs[i].Data {
			t.put(row, of[i], v, i, row)
		}
	}
}

// sameRows holds that a tensor has the shape of a column with as many rows as
// those before, -1 for none.
func (t *tensorReader) sameRows(input int, rows *int) {
	shape := t.inputs[input].Shape
	switch {
	case len(shape) != 1 && (len(shape) != 2 || shape[1] != 1):
		t.refuse(inputPath(input, "shape"), fmt.Sprintf("is %s, must be [n] or [n, 1] for %s, with the same n in all inputs", oip.ShapeText(shape), t.inputs[input].Name))
	case *rows < 0:
		*rows = shape[0]
		t.checkRows(input, shape[0])
	case shape[0] != *rows:
		t.refuse(inputPath(input, "shape"), fmt.Sprintf("has %d rows for %s, an input before has %d", shape[0], t.inputs[input].Name, *rows))
	}
}

// checkRows refuses none and too many.
func (t *tensorReader) checkRows(input, rows int) {
	switch {
	case rows == 0:
		t.refuse(inputPath(input, "shape"), "has no rows")
	case rows > t.most:
		t.refuse(inputPath(input, "shape"), fmt.Sprintf("has %d rows, at most %d are answered at once; send them in several requests", rows, t.most))
	}
}

// matrix reads one tensor of all columns, or of those that are required.
func (t *tensorReader) matrix(in *oip.Tensor) {
	required, all := t.schema.required, t.schema.order()
	rows, width := 1, 0
	switch len(in.Shape) {
	case 1:
		width = in.Shape[0]
	case 2:
		rows, width = in.Shape[0], in.Shape[1]
	}
	var order []int
	switch width {
	case len(required):
		order = required
	case len(all):
		order = all
	default:
		t.refuse("inputs[0].shape", fmt.Sprintf("is %s: %q is not a column, so it must have them all, as [n, %d] (%s) or [n, %d] (these, then %s)",
			oip.ShapeText(in.Shape), jsonscan.Printable(in.Name), len(required), t.names(required), len(all), t.names(all[len(required):])))
		return
	}
	if t.checkRows(0, rows); len(t.errs) > 0 {
		return
	}
	t.start(rows)
	for i, v := range in.Data {
		t.put(i/width, order[i%width], v, 0, i)
	}
}

func (t *tensorReader) names(columns []int) string {
	return strings.Join(t.schema.names(columns), ", ")
}

// put checks a value and gives it its place in a row. It is that of an element
// of an input.
func (t *tensorReader) put(row, column int, v float64, input, element int) {
	least, greatest := t.schema.least[column], t.schema.greatest[column]
	switch {
	case v < least || v > greatest:
		if t.room() {
			t.refuse(elementPath(input, element), fmt.Sprintf("is %v for %s, must be from %v to %v", v, t.schema.columns[column], least, greatest))
		}
	case math.IsNaN(v) && t.schema.isRequired(column):
		if t.room() {
			t.refuse(elementPath(input, element), "is null for "+t.schema.columns[column]+", which is required")
		}
	default:
		t.question.row(row)[column] = v
	}
}

// checkOutputs holds that the outputs asked for are there, each once.
func (t *tensorReader) checkOutputs(names []string) {
	for i, name := range names {
		path := fmt.Sprintf("outputs[%d].name", i)
		switch {
		case !slices.Contains(allOutputs, name):
			t.refuse(path, fmt.Sprintf("%q is not an output of the model; there are %s", jsonscan.Printable(name), strings.Join(allOutputs, " and ")))
		case slices.Contains(names[:i], name):
			t.refuse(path, name+" is there twice")
		}
	}
}

func inputPath(input int, member string) string { return fmt.Sprintf("inputs[%d].%s", input, member) }

func elementPath(input, element int) string {
	return fmt.Sprintf("inputs[%d].data[%d]", input, element)
}
