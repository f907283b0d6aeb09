package oip

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"livelab/runtime/jsonscan"
)

// Datatype of a tensor's elements.
type Datatype string

// The datatypes that can be read; those that can be written are FP64 and
// INT64.
const (
	Bool   Datatype = "BOOL"
	Int8   Datatype = "INT8"
	Int16  Datatype = "INT16"
	Int32  Datatype = "INT32"
	Int64  Datatype = "INT64"
	Uint8  Datatype = "UINT8"
	Uint16 Datatype = "UINT16"
	Uint32 Datatype = "UINT32"
	Uint64 Datatype = "UINT64"
	FP32   Datatype = "FP32"
	FP64   Datatype = "FP64"
)

var readable = []Datatype{FP64, FP32, Int8, Int16, Int32, Int64, Uint8, Uint16, Uint32, Uint64, Bool}

// otherwise says what to do instead of a datatype of the protocol that is not
// read.
var otherwise = map[string]string{
	"FP16":  "has no exact form in JSON; send FP32 or FP64",
	"BF16":  "has no exact form in JSON; send FP32 or FP64",
	"BYTES": "is not a number; send FP64",
}

// datatypeOf finds a datatype by its name. The problem is empty where it can
// be read.
func datatypeOf(name []byte) (d Datatype, problem string) {
	for _, d := range readable {
		if string(d) == string(name) {
			return d, ""
		}
	}
	if instead, known := otherwise[string(name)]; known {
		return "", fmt.Sprintf("%s %s", name, instead)
	}
	var names []string
	for _, d := range readable {
		names = append(names, string(d))
	}
	return "", fmt.Sprintf("%q is not one of %s", jsonscan.Printable(name), strings.Join(names, ", "))
}

// exact is the greatest whole number under which a float64 holds each one, so
// that what was sent is what was read (RFC 7493 has the same bound).
const exact = 1<<53 - 1

// bounds gives the least and greatest element of an integer type.
func (d Datatype) bounds() (least, greatest float64) {
	switch d {
	case Int8:
		return math.MinInt8, math.MaxInt8
	case Int16:
		return math.MinInt16, math.MaxInt16
	case Int32:
		return math.MinInt32, math.MaxInt32
	case Uint8:
		return 0, math.MaxUint8
	case Uint16:
		return 0, math.MaxUint16
	case Uint32:
		return 0, math.MaxUint32
	case Uint64:
		return 0, exact
	case Bool:
		return 0, 1
	}
	return -exact, exact
}

// convert checks that the datatype has a value, which it gives as the
// datatype holds it: FP32 rounds.
func (d Datatype) convert(v float64) (_ float64, ok bool) {
	switch d {
	case FP64:
		return v, true
	case FP32:
		v = float64(float32(v))
		return v, !math.IsInf(v, 0)
	}
	least, greatest := d.bounds()
	return v + 0, v >= least && v <= greatest && v == math.Trunc(v) // no negative zero
}

// wants says which values the datatype has.
func (d Datatype) wants() string {
	switch d {
	case FP64:
		return "a number or null"
	case FP32:
		return "a number up to ±3.4028235e38 or null"
	case Bool:
		return "true or false"
	}
	least, greatest := d.bounds()
	return fmt.Sprintf("a whole number from %s to %s", whole(least), whole(greatest))
}

// floating reports whether an element may be missing.
func (d Datatype) floating() bool { return d == FP64 || d == FP32 }

func whole(v float64) string { return strconv.FormatFloat(v, 'f', 0, 64) }
