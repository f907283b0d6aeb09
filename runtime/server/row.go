package server

import (
	"fmt"
	"math"

	"livelab/runtime/jsonscan"
)

// features reads the one row of a body.
func (d *decoder) features() error {
	if d.seen.features {
		d.refuse("features", "is there twice")
	}
	d.seen.features = true
	if d.Next() != '{' {
		return d.refuseValue("features", "must be an object of numbers, not ")
	}
	if d.question.many { // refused in the end, whatever it holds
		_, err := d.Skip(1)
		return err
	}
	d.question.given = true
	d.row = d.question.row(0)
	return d.Object(d.feature)
}

// instances reads a list of rows.
func (d *decoder) instances() error {
	if d.seen.instances {
		d.refuse("instances", "is there twice")
	}
	d.seen.instances = true
	if d.Next() != '[' {
		return d.refuseValue("instances", "must be an array of objects, not ")
	}
	d.question.given, d.question.many = true, true
	d.question.dropRows()
	if err := d.Array(d.oneInstance); err != nil {
		return err
	}
	d.instance = -1
	if d.question.rows == 0 {
		d.refuse("instances", "must have at least one element")
	}
	return nil
}

// tooMany ends the reading of a list that no answer will come of.
type tooMany struct{ most int }

func (e tooMany) Error() string {
	return fmt.Sprintf("has more than %d elements; send them in several requests", e.most)
}

func (d *decoder) oneInstance() error {
	if d.question.rows == d.form.instances {
		d.field, d.instance = "instances", -1
		return tooMany{d.form.instances}
	}
	d.instance = d.question.rows
	d.row = d.question.addRow()
	clear(d.refused)
	if d.Next() != '{' {
		kind, err := d.Skip(2)
		if err == nil && d.room() {
			d.refuse(instancePath(d.instance), "must be an object of numbers, not "+kind)
		}
		return err
	}
	if err := d.Object(d.feature); err != nil {
		return err
	}
	d.require()
	return nil
}

// feature reads a value of the row.
func (d *decoder) feature(key []byte) error {
	column, known := d.schema.index[string(key)]
	if !known {
		if d.room() {
			d.refuse(d.path(jsonscan.Printable(key)), "is not a feature of the model; GET /model lists them")
		}
		_, err := d.Skip(3)
		return err
	}
	d.column = column
	if !math.IsNaN(d.row[column]) || d.refused != nil && d.refused[column] {
		d.wrong(column, "is there twice")
	}
	if err := d.number(column); err != nil {
		return err
	}
	d.column = -1
	return nil
}

// number reads the value of a column.
func (d *decoder) number(column int) error {
	if c := d.Next(); c != '-' && (c < '0' || c > '9') {
		kind, err := d.Skip(3)
		if err == nil {
			d.wrong(column, "must be a number, not %s", kind)
		}
		return err
	}
	value, finite, err := d.Number()
	if err != nil {
		return err
	}
	least, greatest := d.schema.least[column], d.schema.greatest[column]
	switch {
	case !finite:
		d.wrong(column, "is too large for a number")
	case value < least || value > greatest:
		d.wrong(column, "is %v, must be from %v to %v", value, least, greatest)
	default:
		d.row[column] = value
	}
	return nil
}

// require names the required features that the row lacks.
func (d *decoder) require() {
	for _, column := range d.schema.required {
		if math.IsNaN(d.row[column]) && (d.refused == nil || !d.refused[column]) && d.room() {
			d.refuse(d.path(d.schema.columns[column]), "is required")
		}
	}
}

// wrong refuses a column's value, and remembers that there was one.
func (d *decoder) wrong(column int, format string, args ...any) {
	if d.refused == nil {
		d.refused = make([]bool, len(d.schema.columns))
	}
	d.refused[column] = true
	if d.room() {
		d.refuse(d.path(d.schema.columns[column]), fmt.Sprintf(format, args...))
	}
}

// path is where a feature of the row is.
func (d *decoder) path(feature string) string {
	if d.instance < 0 {
		return "features." + feature
	}
	return instancePath(d.instance) + "." + feature
}
