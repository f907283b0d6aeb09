package oip

import (
	"fmt"
	"slices"
	"strconv"
)

// soonest is for how many elements there is memory before they were seen: a
// shape is quickly written.
const soonest = 4096

// elements reads the data of a tensor.
type elements struct {
	*input
	want   int // elements, by the shape
	count  int // that were there, wrong ones too
	nested bool

	// torn says that the nesting does not agree with the shape: what follows
	// has no place.
	torn bool
}

// data reads the elements of a tensor whose datatype and shape are known, flat
// or nested like the shape.
func (in *input) data() error {
	in.place.field = "data"
	if in.badType || in.badShape {
		_, err := in.Skip(3)
		return err
	}
	if in.Next() != '[' {
		return in.refuseKind("must be an array, not ")
	}
	es := elements{input: in, want: elementsOf(in.Shape)}
	in.Data = slices.Grow(in.Data[:0], min(es.want, soonest))
	// An array's first byte tells how it goes on.
	ahead := in.Scanner
	ahead.Pass()
	es.nested = ahead.Next() == '[' && len(in.Shape) > 1
	if err := es.array(0); err != nil {
		in.place.offset = es.count
		return err
	}
	in.place.offset = -1
	if es.count != es.want && !es.torn {
		in.refuseHere(fmt.Sprintf("has %d elements, the shape %s has %d", es.count, ShapeText(in.Shape), es.want))
	}
	return nil
}

// array reads one array at a depth, 0 for the outermost.
func (es *elements) array(depth int) error {
	innermost := !es.nested || depth == len(es.Shape)-1
	size := 0
	err := es.Array(func() error {
		size++
		c := es.Next()
		switch {
		case es.torn:
			_, err := es.Skip(4)
			return err
		case innermost:
			return es.element(c)
		case c == '[':
			return es.array(depth + 1)
		}
		return es.tear(fmt.Sprintf("has a value at depth %d, where the shape %s has arrays: nest all of it or nothing", depth, ShapeText(es.Shape)))
	})
	if err == nil && es.nested && !es.torn && size != es.Shape[depth] {
		es.torn = true
		es.refuseHere(fmt.Sprintf("has an array of %d at depth %d, where the shape %s has %d", size, depth, ShapeText(es.Shape), es.Shape[depth]))
	}
	return err
}

// tear says, once, that the nesting is wrong, and passes over the value.
func (es *elements) tear(detail string) error {
	_, err := es.Skip(4)
	if err == nil {
		es.torn = true
		es.refuseHere(detail)
	}
	return err
}

// element reads one value, which begins with the byte c.
func (es *elements) element(c byte) error {
	if c != '-' && (c < '0' || c > '9') {
		return es.word(c)
	}
	v, ok, err := es.Number()
	if err != nil {
		return err
	}
	held, holds := es.Datatype.convert(v)
	if !ok || !holds {
		es.wrong(strconv.FormatFloat(v, 'g', -1, 64))
	}
	es.put(held)
	return nil
}

// word reads a value that is no number.
func (es *elements) word(c byte) error {
	if c == '[' {
		return es.tear(fmt.Sprintf("has an array where the shape %s has an element", ShapeText(es.Shape)))
	}
	kind, err := es.Skip(4)
	if err != nil {
		return err
	}
	v := 0.0
	switch {
	case kind == "null" && es.Datatype.floating():
		v = missing
	case kind == "true" && es.Datatype == Bool:
		v = 1
	case kind == "false" && es.Datatype == Bool:
	default:
		es.wrong(kind)
	}
	es.put(v)
	return nil
}

// put takes an element, and no more than there is place for.
func (es *elements) put(v float64) {
	if es.count < es.want {
		es.Data = append(es.Data, v)
	}
	es.count++
}

// wrong refuses the element that is there.
func (es *elements) wrong(what string) {
	es.place.offset = es.count
	es.refuseHere(fmt.Sprintf("is %s, must be %s (%s)", what, es.Datatype.wants(), es.Datatype))
	es.place.offset = -1
}
