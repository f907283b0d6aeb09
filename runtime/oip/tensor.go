package oip

import (
	"fmt"
	"math"
	"strconv"

	"livelab/runtime/jsonscan"
)

// input reads one tensor of the inputs.
func (d *decoder) input() error {
	in := input{decoder: d, Tensor: d.addInput()}
	if d.Next() != '{' {
		return d.refuseKind("must be an object, not ")
	}
	at := d.place
	err := d.Object(func(key []byte) error {
		err := in.member(key)
		if err == nil {
			d.place = at
		}
		return err
	})
	if err != nil {
		return err
	}
	in.require()
	if !in.late {
		return nil
	}
	after := d.Scanner
	d.Scanner = in.mark
	err = in.data()
	d.Scanner = after
	return err
}

// addInput makes room for a tensor in the memory of an earlier request.
func (d *decoder) addInput() *Tensor {
	is := d.request.Inputs
	if len(is) < cap(is) {
		is = is[:len(is)+1]
	} else {
		is = append(is, Tensor{})
	}
	t := &is[len(is)-1]
	*t = Tensor{Shape: t.Shape[:0], Data: t.Data[:0]}
	d.request.Inputs = is
	return t
}

// input is a tensor that is being read.
type input struct {
	*decoder
	*Tensor

	named, typed, shaped, filled bool // which members were there

	// badType and badShape say that there is no reading the data.
	badType, badShape bool
	binary            bool // the data was sent in another way

	// late says that the data came before what it takes to read it, and mark
	// where.
	late bool
	mark jsonscan.Scanner
}

func (in *input) member(key []byte) (err error) {
	switch {
	case in.is(key, "name", &in.named):
		in.Name, err = in.text()
	case in.is(key, "datatype", &in.typed):
		err = in.datatype()
	case in.is(key, "shape", &in.shaped):
		err = in.shape()
	case in.is(key, "parameters", nil):
		err = in.parameters(in.parameter)
	case in.is(key, "data", &in.filled):
		if in.typed && in.shaped {
			return in.data()
		}
		in.late, in.mark = true, in.Scanner
		_, err = in.Skip(3)
	default:
		_, err = in.Skip(3)
	}
	return err
}

// is reports whether a key is that of a member, and goes there.
func (in *input) is(key []byte, name string, seen *bool) bool {
	if string(key) != name {
		return false
	}
	in.place.field = name
	if seen != nil {
		if *seen {
			in.refuseHere("is there twice")
		}
		*seen = true
	}
	return true
}

// parameter refuses ways to send data that are not read.
func (in *input) parameter(key []byte) error {
	switch string(key) {
	case "binary_data_size", "shared_memory_region":
		in.binary = true
		in.place.field = "parameters." + string(key)
		in.refuseHere("is not supported; send the elements as JSON, in data")
	}
	_, err := in.Skip(4)
	return err
}

// require names the members that are not there.
func (in *input) require() {
	for _, m := range []struct {
		there bool
		name  string
	}{{in.named, "name"}, {in.typed, "datatype"}, {in.shaped, "shape"}, {in.filled || in.binary, "data"}} {
		if !m.there {
			in.place.field = m.name
			in.refuseHere("is required")
		}
	}
	in.place.field = ""
	in.badType = in.badType || !in.typed
	in.badShape = in.badShape || !in.shaped
}

func (in *input) datatype() error {
	if in.Next() != '"' {
		in.badType = true
		return in.refuseKind("must be a string, not ")
	}
	name, err := in.Text()
	if err != nil {
		return err
	}
	var problem string
	if in.Datatype, problem = datatypeOf(name); problem != "" {
		in.badType = true
		in.refuseHere(problem)
	}
	return nil
}

func (in *input) shape() error {
	in.Shape = in.Shape[:0]
	if in.Next() != '[' {
		in.badShape = true
		return in.refuseKind("must be an array of sizes, not ")
	}
	in.place.offset = 0
	err := in.Array(func() error {
		if len(in.Shape) == maxRank {
			in.place.offset = -1
			return beyond{maxRank}
		}
		size, err := in.size()
		in.Shape = append(in.Shape, size)
		if err == nil {
			in.place.offset++
		}
		return err
	})
	if err != nil {
		return err
	}
	in.place.offset = -1
	if !in.badShape && elementsOf(in.Shape) > in.limits.Elements {
		in.badShape = true
		in.refuseHere(fmt.Sprintf("%s has more than %d elements; send them in several requests", ShapeText(in.Shape), in.limits.Elements))
	}
	return nil
}

// size reads one dimension.
func (in *input) size() (int, error) {
	if c := in.Next(); c != '-' && (c < '0' || c > '9') {
		in.badShape = true
		return 0, in.refuseKind("must be a whole number, not ")
	}
	v, ok, err := in.Number()
	if err != nil {
		return 0, err
	}
	if !ok || v < 0 || v > exact || v != math.Trunc(v) {
		in.badShape = true
		in.refuseHere("must be a whole number from 0 to " + whole(exact))
		return 0, nil
	}
	return int(v), nil
}

// elementsOf counts a shape's elements, stopping short of what an int holds.
func elementsOf(shape []int) int {
	n := 1
	for _, size := range shape {
		if size == 0 {
			return 0
		}
		if n > math.MaxInt/size {
			n = math.MaxInt / size
		}
		n *= size
	}
	return n
}

// ShapeText writes a shape as JSON does, with a space after each comma.
func ShapeText(shape []int) string {
	text := []byte{'['}
	for i, size := range shape {
		if i > 0 {
			text = append(text, ", "...)
		}
		text = strconv.AppendInt(text, int64(size), 10)
	}
	return string(append(text, ']'))
}
