package oip

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"unicode/utf8"
)

var missing = math.NaN()

// Response answers a request.
type Response struct {
	ModelName    string
	ModelVersion string
	ID           string
	Parameters   []Parameter
	Outputs      []Output
}

// Parameter is a value by name. The protocol has strings, numbers and booleans:
// Value is a string, float64, int or bool.
type Parameter struct {
	Name  string
	Value any
}

// Output is a tensor of one dimension. Of Ints, which are INT64, and Floats,
// which are FP64, the one that is not nil counts.
type Output struct {
	Name   string
	Ints   []int64
	Floats []float64
}

// Append writes the response. Elements that are not finite are null, as JSON
// has no other word for them. It panics on a parameter that the protocol does
// not have.
func (r *Response) Append(to []byte) []byte {
	to = appendString(append(to, `{"model_name":`...), r.ModelName)
	to = appendString(append(to, `,"model_version":`...), r.ModelVersion)
	to = appendString(append(to, `,"id":`...), r.ID)
	to = append(to, `,"parameters":{`...)
	for i, p := range r.Parameters {
		to = appendString(comma(to, i), p.Name)
		to = appendValue(append(to, ':'), p.Value)
	}
	to = append(to, `},"outputs":[`...)
	for i := range r.Outputs {
		to = r.Outputs[i].append(comma(to, i))
	}
	return append(to, `]}`...)
}

func (o *Output) append(to []byte) []byte {
	datatype, n := FP64, len(o.Floats)
	if o.Ints != nil {
		datatype, n = Int64, len(o.Ints)
	}
	to = appendString(append(to, `{"name":`...), o.Name)
	to = strconv.AppendInt(append(to, `,"shape":[`...), int64(n), 10)
	to = appendString(append(to, `],"datatype":`...), string(datatype))
	to = append(to, `,"data":[`...)
	for i, v := range o.Ints {
		to = strconv.AppendInt(comma(to, i), v, 10)
	}
	if o.Ints == nil {
		for i, v := range o.Floats {
			to = appendFloat(comma(to, i), v)
		}
	}
	return append(to, `]}`...)
}

func comma(to []byte, i int) []byte {
	if i > 0 {
		to = append(to, ',')
	}
	return to
}

func appendValue(to []byte, v any) []byte {
	switch v := v.(type) {
	case string:
		return appendString(to, v)
	case float64:
		return appendFloat(to, v)
	case int:
		return strconv.AppendInt(to, int64(v), 10)
	case bool:
		return strconv.AppendBool(to, v)
	}
	panic(fmt.Sprintf("oip: a parameter that is a %T", v))
}

// appendFloat writes the shortest number that reads back as the same.
func appendFloat(to []byte, v float64) []byte {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return append(to, "null"...)
	}
	return strconv.AppendFloat(to, v, 'g', -1, 64)
}

// appendString writes a string, which is nearly always plain.
func appendString(to []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c == '"' || c == '\\' || c >= utf8.RuneSelf {
			quoted, _ := json.Marshal(s) // a string cannot fail
			return append(to, quoted...)
		}
	}
	to = append(to, '"')
	to = append(to, s...)
	return append(to, '"')
}
