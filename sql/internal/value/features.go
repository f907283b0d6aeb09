package value

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"

	"livelab/runtime/predlog"
)

// AppendFeatures writes features as a JSON object without those that are
// absent. The names are text that [CheckText] lets pass. JSON has no number
// for infinities, which become the strings "Infinity" and "-Infinity", which
// PostgreSQL casts back to a float.
//
// It is written by hand because it is done for every prediction: encoding/json
// would take a map and five times as long.
func AppendFeatures(b []byte, features predlog.Features) []byte {
	b = append(b, '{')
	start := len(b)
	for i, name := range features.Names {
		v := features.Values[i]
		if math.IsNaN(v) {
			continue
		}
		if len(b) > start {
			b = append(b, ',')
		}
		b = appendString(b, name)
		b = append(b, ':')
		b = appendNumber(b, v)
	}
	return append(b, '}')
}

// exact is below where floats stop to tell whole numbers apart.
const exact = 1 << 53

// appendNumber writes the shortest text that reads back as v, in the form that
// encoding/json chooses.
func appendNumber(b []byte, v float64) []byte {
	size := math.Abs(v)
	switch {
	case math.IsInf(v, 1):
		return append(b, `"Infinity"`...)
	case math.IsInf(v, -1):
		return append(b, `"-Infinity"`...)
	case v == 0 && math.Signbit(v):
		return append(b, "-0"...)
	case size < exact && v == math.Trunc(v):
		return strconv.AppendInt(b, int64(v), 10) // counts are most of the features
	case size < 1e-6 || size >= 1e21:
		return strconv.AppendFloat(b, v, 'e', -1, 64)
	}
	return strconv.AppendFloat(b, v, 'f', -1, 64)
}

const hex = "0123456789abcdef"

// appendString writes valid UTF-8 as a JSON string.
func appendString(b []byte, s string) []byte {
	b = append(b, '"')
	start := 0
	for i := range len(s) {
		c := s[i]
		if c >= ' ' && c != '"' && c != '\\' {
			continue
		}
		b = append(b, s[start:i]...)
		start = i + 1
		if c < ' ' {
			b = append(b, '\\', 'u', '0', '0', hex[c>>4], hex[c&0xf])
		} else {
			b = append(b, '\\', c)
		}
	}
	b = append(b, s[start:]...)
	return append(b, '"')
}

// DecodeFeatures reads what AppendFeatures wrote; null is absent.
func DecodeFeatures(text []byte) (predlog.Features, error) {
	var values map[string]any
	if err := json.Unmarshal(text, &values); err != nil {
		return predlog.Features{}, fmt.Errorf("decode features: %w", err)
	}
	features := make(map[string]float64, len(values))
	for name, v := range values {
		switch v := v.(type) {
		case nil:
		case float64:
			features[name] = v
		case string:
			switch v {
			case "Infinity":
				features[name] = math.Inf(1)
			case "-Infinity":
				features[name] = math.Inf(-1)
			default:
				return predlog.Features{}, fmt.Errorf("decode features: %q is %q, not a number", name, v)
			}
		default:
			return predlog.Features{}, fmt.Errorf("decode features: %q is %v, not a number", name, v)
		}
	}
	return predlog.FeaturesOf(features), nil
}
