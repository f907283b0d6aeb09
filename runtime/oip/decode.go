package oip

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"livelab/runtime/jsonscan"
)

// Limits bound a request.
type Limits struct {
	Tensors  int // inputs, and outputs asked for
	Elements int // of one tensor
}

// maxErrors is how many errors one answer names, maxRank how many dimensions a
// tensor has at most.
const (
	maxErrors = 100
	maxRank   = 8
)

// Request asks for an inference.
type Request struct {
	ID    string
	HasID bool // the ID may be empty

	Inputs []Tensor

	// Outputs names the tensors asked for. None asks for all.
	Outputs []string
}

// Tensor is an input.
type Tensor struct {
	Name     string
	Datatype Datatype
	Shape    []int
	Data     []float64 // row-major, as many as Shape says; NaN is missing
}

// Decode reads a request, reusing its memory. It names all that is wrong at
// once, and stops where the text is not JSON or is beyond the limits. The
// request is good for nothing where there are errors, of which there are at
// most about a hundred.
func Decode(text []byte, limits Limits, into *Request) []Error {
	d := newDecoder(text)
	d.limits, d.request = limits, into
	*into = Request{Inputs: into.Inputs[:0], Outputs: into.Outputs[:0]}
	d.message(d.requestMember)
	if !d.has("inputs") && len(d.errs) == 0 {
		d.refuse("inputs", "is required: an array of tensors")
	}
	return d.all()
}

// decoder is at a place in a message.
type decoder struct {
	jsonscan.Scanner
	limits  Limits
	request *Request
	members []string // of the message that were there
	place   place
	errs    []Error
	more    int // errors beyond maxErrors
}

// place is where the decoder is. An index of -1 stands for none.
type place struct {
	member string // of the message
	index  int    // in the member's array
	field  string // of what is there
	offset int    // element of that
}

var nowhere = place{index: -1, offset: -1}

func newDecoder(text []byte) *decoder {
	return &decoder{Scanner: jsonscan.New(text), place: nowhere}
}

func (p place) String() string {
	path := p.member
	if p.index >= 0 {
		path += "[" + strconv.Itoa(p.index) + "]"
	}
	if p.field != "" {
		path += "." + p.field
	}
	if p.offset >= 0 {
		path += "[" + strconv.Itoa(p.offset) + "]"
	}
	return path
}

// message reads the whole text as one object.
func (d *decoder) message(member func(key []byte) error) {
	err := d.object(member)
	if err == nil {
		err = d.End()
	}
	if err != nil {
		d.errs = append(d.errs, Error{d.place.String(), err.Error()})
	}
}

// all gives the errors.
func (d *decoder) all() []Error {
	if d.more > 0 {
		d.errs = append(d.errs, Error{"", fmt.Sprintf("and %d more errors", d.more)})
	}
	return d.errs
}

// requestMember reads a member of an inference request.
func (d *decoder) requestMember(key []byte) (err error) {
	switch {
	case d.known(key, "id"):
		d.request.ID, d.request.HasID, err = d.optionalText()
	case d.known(key, "parameters"):
		err = d.parameters(nil)
	case d.known(key, "inputs"):
		err = d.array(d.limits.Tensors, d.input)
		if err == nil && len(d.request.Inputs) == 0 && len(d.errs) == 0 {
			d.refuse("inputs", "must have at least one tensor")
		}
	case d.known(key, "outputs"):
		if d.null() {
			break
		}
		err = d.array(d.limits.Tensors, d.output)
	default:
		_, err = d.Skip(1)
	}
	d.leave(err)
	return err
}

// known reports whether a key is that of a member, and goes there.
func (d *decoder) known(key []byte, name string) bool {
	if string(key) != name {
		return false
	}
	d.place.member = name
	if d.has(name) {
		d.refuse(name, "is there twice")
	}
	d.members = append(d.members, name)
	return true
}

func (d *decoder) has(member string) bool { return slices.Contains(d.members, member) }

// leave goes back to the top of the message, unless an error is to tell where
// it happened.
func (d *decoder) leave(err error) {
	if err == nil {
		d.place = nowhere
	}
}

// beyond ends the reading of an array that no answer will come of.
type beyond struct{ most int }

func (e beyond) Error() string { return fmt.Sprintf("has more than %d elements", e.most) }

// array reads an array of at most so many elements.
func (d *decoder) array(most int, element func() error) error {
	if d.Next() != '[' {
		return d.refuseKind("must be an array, not ")
	}
	d.place.index = 0
	err := d.Array(func() error {
		if d.place.index == most {
			d.place.index = -1
			return beyond{most}
		}
		err := element()
		if err == nil {
			d.place = place{d.place.member, d.place.index + 1, "", -1}
		}
		return err
	})
	if err == nil {
		d.place.index = -1
	}
	return err
}

// output reads the name of a tensor that is asked for.
func (d *decoder) output() error {
	if d.Next() != '{' {
		return d.refuseKind("must be an object, not ")
	}
	var name string
	there := false
	err := d.object(func(key []byte) (err error) {
		switch string(key) {
		case "name":
			d.place.field = "name"
			there = true
			name, err = d.text()
		case "parameters":
			d.place.field = "parameters"
			err = d.parameters(nil)
		default:
			_, err = d.Skip(3)
		}
		return err
	})
	if err == nil && !there {
		d.place.field = "name"
		d.refuseHere("is required")
	}
	d.request.Outputs = append(d.request.Outputs, name)
	return err
}

// object reads an object.
func (d *decoder) object(member func(key []byte) error) error {
	if d.Next() != '{' {
		return d.refuseKind("must be an object, not ")
	}
	at := d.place
	return d.Object(func(key []byte) error {
		err := member(key)
		if err == nil {
			d.place = at
		}
		return err
	})
}

// parameters reads parameters, of which the protocol defines none. Binary data
// that a client wants back comes as JSON, which such clients read, too; so the
// caller refuses what it cannot do.
func (d *decoder) parameters(member func(key []byte) error) error {
	if d.null() {
		return nil
	}
	return d.object(func(key []byte) error {
		if member != nil {
			return member(key)
		}
		_, err := d.Skip(3)
		return err
	})
}

// null reads a null if one is there.
func (d *decoder) null() bool {
	if d.Next() != 'n' {
		return false
	}
	before := d.Scanner
	if _, err := d.Skip(0); err != nil {
		d.Scanner = before
		return false
	}
	return true
}

// optionalText reads a string that may be null, which is none.
func (d *decoder) optionalText() (text string, ok bool, err error) {
	if d.null() {
		return "", false, nil
	}
	text, err = d.text()
	return text, err == nil, err
}

func (d *decoder) text() (string, error) {
	if d.Next() != '"' {
		return "", d.refuseKind("must be a string, not ")
	}
	text, err := d.Text()
	return strings.ToValidUTF8(string(text), "\uFFFD"), err
}

// refuseKind reads a value of the wrong kind and names the kind.
func (d *decoder) refuseKind(detail string) error {
	kind, err := d.Skip(0)
	if err == nil {
		d.refuseHere(detail + kind)
	}
	return err
}

func (d *decoder) refuseHere(detail string) { d.refuse(d.place.String(), detail) }

func (d *decoder) refuse(path, detail string) {
	if len(d.errs) == maxErrors {
		d.more++
		return
	}
	d.errs = append(d.errs, Error{path, detail})
}
