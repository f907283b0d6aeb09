package pdk

import (
	"math"
	"strconv"
)

// describe gives the JSON that the contract asks for. It is written by hand
// because encoding/json would double the size of a module.
func (t *Transform) describe() []byte {
	b := make([]byte, 0, 1024)
	b = appendMember(b, `{"name":`, t.Name)
	b = appendMember(b, `,"version":`, t.Version)
	if t.Doc != "" {
		b = appendMember(b, `,"doc":`, t.Doc)
	}
	b = append(b, `,"inputs":[`...)
	for i, name := range t.Inputs {
		b = appendComma(b, i)
		b = append(appendMember(b, `{"name":`, name), '}')
	}
	b = append(b, `],"outputs":[`...)
	for i, o := range t.Outputs {
		b = appendComma(b, i)
		b = o.append(b)
	}
	return append(b, `]}`...)
}

func (o Output) append(b []byte) []byte {
	b = appendMember(b, `{"name":`, o.Name)
	if o.Doc != "" {
		b = appendMember(b, `,"doc":`, o.Doc)
	}
	if o.Min != 0 || o.Max != 0 {
		b = appendBound(b, `,"min":`, o.Min)
		b = appendBound(b, `,"max":`, o.Max)
	}
	return append(b, '}')
}

// appendBound leaves out an infinity, which bounds nothing. A NaN is a mistake
// that the host refuses.
func appendBound(b []byte, key string, x float64) []byte {
	if math.IsInf(x, 0) {
		return b
	}
	return strconv.AppendFloat(append(b, key...), x, 'g', -1, 64)
}

func appendComma(b []byte, i int) []byte {
	if i > 0 {
		b = append(b, ',')
	}
	return b
}

// appendMember appends a key, which brings its punctuation along, and a string
// with the escapes that JSON demands.
func appendMember(b []byte, key, s string) []byte {
	const hex = "0123456789abcdef"
	b = append(append(b, key...), '"')
	for _, c := range []byte(s) {
		switch {
		case c == '"' || c == '\\':
			b = append(b, '\\', c)
		case c < ' ':
			b = append(b, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		default:
			b = append(b, c)
		}
	}
	return append(b, '"')
}
