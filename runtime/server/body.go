package server

import (
	"fmt"
	"math"
	"strings"

	"livelab/runtime/jsonscan"
)

// maxErrors is how many field errors one answer names.
const maxErrors = 100

// question is what a body of /predict or /explain asks for.
type question struct {
	// values holds the client's features by the schema's column; NaN is
	// absent. They count only when given is true.
	values []float64
	given  bool

	network  string // empty when the client named none
	language string // empty when the client named none
}

// reset makes the question ready for a schema, reusing its memory.
func (q *question) reset(columns int) {
	if cap(q.values) < columns {
		q.values = make([]float64, columns)
	}
	*q = question{values: q.values[:columns]}
	for i := range q.values {
		q.values[i] = math.NaN()
	}
}

// decoder reads a body into a question. It goes on after a wrong field, to
// name all of them at once, and stops where the text is not JSON.
type decoder struct {
	jsonscan.Scanner
	schema   *schema
	question *question
	language bool   // whether the field "language" is known
	field    string // whose value is being read; "" between values
	seen     topLevel
	refused  []bool // columns whose value was there and wrong; nil while there are none
	errs     []FieldError
	more     int // errors beyond maxErrors
}

type topLevel struct{ features, network, language bool }

// decode reads a body, of which an empty one asks for the newest data.
func decode(body []byte, sc *schema, language bool, q *question) []FieldError {
	d := decoder{Scanner: jsonscan.New(body), schema: sc, question: q, language: language}
	q.reset(len(sc.columns))
	if d.Empty() {
		return nil
	}
	if err := d.body(); err != nil {
		return append(d.errs, FieldError{d.field, err.Error()})
	}
	if q.given {
		d.require()
		if q.network != "" {
			d.refuse("network", "cannot be given together with features, which are used as they are")
		}
	}
	if d.more > 0 {
		d.errs = append(d.errs, FieldError{"", fmt.Sprintf("and %d more errors", d.more)})
	}
	return d.errs
}

func (d *decoder) body() error {
	if d.Next() != '{' {
		kind, err := d.Skip(0)
		if err != nil {
			return err
		}
		d.refuse("", "must be a JSON object, not "+kind)
		return d.End()
	}
	if err := d.Object(d.member); err != nil {
		return err
	}
	return d.End()
}

func (d *decoder) member(key []byte) error {
	switch {
	case string(key) == "features":
		return d.features()
	case string(key) == "network":
		return d.string("network", &d.seen.network, &d.question.network)
	case string(key) == "language" && d.language:
		return d.string("language", &d.seen.language, &d.question.language)
	}
	known := "features and network"
	if d.language {
		known = "features, network and language"
	}
	d.refuse(printable(key), "is not a known field; known are "+known)
	_, err := d.Skip(1)
	return err
}

// string reads a member that must be a non-empty string.
func (d *decoder) string(field string, seen *bool, into *string) error {
	d.field = field
	if *seen {
		d.refuse(field, "is there twice")
	}
	*seen = true
	if d.Next() != '"' {
		return d.refuseValue(field, "must be a string, not ")
	}
	text, err := d.Text()
	if err != nil {
		return err
	}
	d.field = ""
	if len(text) == 0 {
		d.refuse(field, "must not be empty; leave it out")
	}
	*into = strings.ToValidUTF8(string(text), "\uFFFD")
	return nil
}

func (d *decoder) features() error {
	if d.seen.features {
		d.refuse("features", "is there twice")
	}
	d.seen.features = true
	if d.Next() != '{' {
		return d.refuseValue("features", "must be an object of numbers, not ")
	}
	d.question.given = true
	return d.Object(d.feature)
}

func (d *decoder) feature(key []byte) error {
	column, known := d.schema.index[string(key)]
	if !known {
		d.refuse("features."+printable(key), "is not a feature of the model; GET /model lists them")
		_, err := d.Skip(2)
		return err
	}
	d.field = d.schema.fields[column]
	if !math.IsNaN(d.question.values[column]) || d.refused != nil && d.refused[column] {
		d.refuse(d.field, "is there twice")
	}
	if c := d.Next(); c != '-' && (c < '0' || c > '9') {
		d.refuseColumn(column)
		return d.refuseValue(d.field, "must be a number, not ")
	}
	value, finite, err := d.Number()
	if err != nil {
		return err
	}
	d.field = ""
	if !finite {
		d.refuseColumn(column)
		d.refuse(d.schema.fields[column], "is too large for a number")
		return nil
	}
	if least, greatest := d.schema.least[column], d.schema.greatest[column]; value < least || value > greatest {
		d.refuseColumn(column)
		d.refuse(d.schema.fields[column], fmt.Sprintf("is %v, must be from %v to %v", value, least, greatest))
		return nil
	}
	d.question.values[column] = value
	return nil
}

// require names the required features that are absent.
func (d *decoder) require() {
	for _, column := range d.schema.required {
		if math.IsNaN(d.question.values[column]) && (d.refused == nil || !d.refused[column]) {
			d.refuse(d.schema.fields[column], "is required")
		}
	}
}

// refuseColumn remembers that a column was given, and wrong.
func (d *decoder) refuseColumn(column int) {
	if d.refused == nil {
		d.refused = make([]bool, len(d.schema.columns))
	}
	d.refused[column] = true
}

// refuseValue reads a value of the wrong kind and names the kind.
func (d *decoder) refuseValue(field, detail string) error {
	d.field = field
	kind, err := d.Skip(2)
	if err != nil {
		return err
	}
	d.field = ""
	d.refuse(field, detail+kind)
	return nil
}

func (d *decoder) refuse(field, detail string) {
	if len(d.errs) == maxErrors {
		d.more++
		return
	}
	d.errs = append(d.errs, FieldError{field, detail})
}

// printable makes a client's own name fit for an answer.
func printable(name []byte) string {
	const most = 64
	if len(name) > most {
		return strings.ToValidUTF8(string(name[:most]), "") + "…"
	}
	return strings.ToValidUTF8(string(name), "\uFFFD")
}
