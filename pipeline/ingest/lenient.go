package ingest

import (
	"encoding/json"
	"math"
	"strconv"
	"strings"

	"livelab/pipeline/observation"
)

// text reads a JSON string, number or boolean as text. Anything else is
// empty. It never fails, so that one bad field does not cost the payload.
type text string

func (t *text) UnmarshalJSON(raw []byte) error {
	switch raw[0] {
	case '"':
		var s string
		if json.Unmarshal(raw, &s) == nil {
			*t = text(s)
		}
	case '{', '[', 'n': // objects, arrays and null say nothing
		*t = ""
	default:
		*t = text(raw)
	}
	return nil
}

// number reads a JSON number, or a string that holds one.
type number struct {
	value  float64
	given  bool // there was something other than null or an empty string
	ok     bool // it is a finite number
	quoted bool // it came as a string
}

func (n *number) UnmarshalJSON(raw []byte) error {
	*n = number{}
	var s text
	_ = s.UnmarshalJSON(raw)
	trimmed := strings.TrimSpace(string(s))
	n.quoted = raw[0] == '"'
	n.given = trimmed != "" || raw[0] == '{' || raw[0] == '['
	value, err := strconv.ParseFloat(trimmed, 64)
	if err == nil && !math.IsNaN(value) && !math.IsInf(value, 0) {
		n.value, n.ok = value, true
	}
	return nil
}

// count turns a number into a count of bikes or docks, Unknown where it
// cannot be one, and notes why.
func (n number) count(odd *Oddities) int32 {
	switch {
	case !n.given:
		odd[OddMissingCount]++
	case !n.ok || n.value != math.Trunc(n.value):
		odd[OddUnreadable]++
	case n.value < 0:
		odd[OddNegativeCount]++
	case n.value > maxCount:
		odd[OddAbsurdCount]++
	default:
		if n.quoted {
			odd[OddTextCount]++
		}
		return int32(n.value)
	}
	return observation.Unknown
}

// quietCount is count for a field whose flaws nobody needs to hear of.
func (n number) quietCount() int32 {
	var ignored Oddities
	return n.count(&ignored)
}

// object decodes into T where the JSON is an object that fits, and is the
// zero T where it is not.
type object[T any] struct{ v T }

func (o *object[T]) UnmarshalJSON(raw []byte) error {
	if raw[0] != '{' {
		return nil
	}
	var v T
	if json.Unmarshal(raw, &v) == nil {
		o.v = v
	}
	return nil
}
