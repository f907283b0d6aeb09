package server

import (
	"bytes"
	"fmt"
	"unicode"

	"livelab/runtime/jsonscan"
)

// form is what a route takes beside features and the names of stored data.
type form struct {
	language  bool
	instances int // how many at most; 0 takes no list
}

// known lists the fields of the form.
func (f form) known() string {
	switch {
	case f.language:
		return "features, network, station and language"
	case f.instances > 0:
		return "features, instances, network and station"
	}
	return "features, network and station"
}

// decoder reads a body into a question. It goes on after a wrong field, to
// name all of them at once, and stops where the text is not JSON.
type decoder struct {
	jsonscan.Scanner
	schema   *schema
	question *question
	form     form
	seen     topLevel

	// Where the decoder is: the field whose value is being read, "" between
	// values; the instance, -1 outside the list; the column, -1 between values.
	field    string
	instance int
	column   int

	row     []float64 // that is being read
	refused []bool    // its columns whose value was there and wrong; nil while there are none

	errorList
}

type topLevel struct{ features, instances, network, station, language bool }

// decode reads a body, of which an empty one asks for the newest data.
func decode(body []byte, sc *schema, f form, q *question) []FieldError {
	d := decoder{Scanner: jsonscan.New(body), schema: sc, question: q, form: f, instance: -1, column: -1}
	q.reset(len(sc.columns))
	if d.Empty() {
		return nil
	}
	if err := d.body(); err != nil {
		d.errs = append(d.errs, FieldError{d.place(), err.Error()})
	} else {
		d.together()
	}
	return d.all()
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
	case string(key) == "instances" && d.form.instances > 0:
		return d.instances()
	case string(key) == "network":
		return d.string("network", &d.seen.network, &d.question.network)
	case string(key) == "station":
		return d.string("station", &d.seen.station, &d.question.station)
	case string(key) == "language" && d.form.language:
		return d.string("language", &d.seen.language, &d.question.language)
	}
	if d.room() {
		d.refuse(jsonscan.Printable(key), "is not a known field; known are "+d.form.known())
	}
	_, err := d.Skip(1)
	return err
}

// together refuses fields that exclude each other.
func (d *decoder) together() {
	q, rows := d.question, "features"
	if d.seen.instances {
		rows = "instances"
	}
	if d.seen.features && d.seen.instances {
		d.refuse("instances", "cannot be given together with features; give one of the two")
	} else if d.seen.features && q.given {
		d.row = q.row(0)
		d.require()
	}
	if !d.seen.features && !d.seen.instances {
		return
	}
	for _, name := range []struct{ field, given string }{{"network", q.network}, {"station", q.station}} {
		if name.given != "" {
			d.refuse(name.field, "cannot be given together with "+rows+", which are used as they are")
		}
	}
}

// longestName is what a name may have, in bytes. Names are looked up, echoed
// and logged; those of the sources have less than a hundred.
const longestName = 256

// string reads a member that must be a name.
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
	switch {
	case len(text) == 0:
		d.refuse(field, "must not be empty; leave it out")
	case len(text) > longestName:
		d.refuse(field, fmt.Sprintf("has %d bytes, must have at most %d", len(text), longestName))
	case bytes.ContainsFunc(text, unicode.IsControl):
		d.refuse(field, "must not have control characters")
	default:
		*into = string(text)
	}
	return nil
}

// place is where the decoder is, as the client knows it.
func (d *decoder) place() string {
	switch {
	case d.column >= 0:
		return d.path(d.schema.columns[d.column])
	case d.instance >= 0:
		return instancePath(d.instance)
	}
	return d.field
}

// refuseValue reads a value of the wrong kind and names the kind.
func (d *decoder) refuseValue(field, detail string) error {
	d.field = field
	kind, err := d.Skip(1)
	if err != nil {
		return err
	}
	d.field = ""
	d.refuse(field, detail+kind)
	return nil
}
