package server

import (
	"encoding/json"
	"math"
	"strconv"
	"time"

	"livelab/runtime/loader"
)

// appendAnswer writes the answer about one row, as encoding/json writes an
// answer, without a look at its type for each request.
func appendAnswer(b []byte, f *forecast, requestID string) []byte {
	b = appendClass(b, f)
	b = append(b, ',')
	b = append(b, f.facts...)
	b = appendSource(b, &f.source)
	b = append(b, ',')
	b = appendImputed(b, f.imputed)
	b = append(b, `,"request_id":`...)
	b = appendString(b, requestID)
	b = appendID(b, f.id)
	return append(b, '}')
}

// appendAnswers writes the answer about a list of rows: what each has of its
// own under predictions, and beside them what they share.
func appendAnswers(b []byte, fs []forecast, requestID string) []byte {
	b = append(b, `{"predictions":[`...)
	for i := range fs {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendClass(b, &fs[i])
		b = append(b, ',')
		b = appendImputed(b, fs[i].imputed)
		b = appendID(b, fs[i].id)
		b = append(b, '}')
	}
	b = append(b, `],`...)
	b = append(b, fs[0].facts...)
	b = appendSource(b, &fs[0].source)
	b = append(b, `,"request_id":`...)
	b = appendString(b, requestID)
	return append(b, '}')
}

// modelFacts is the part of every answer that is about the model: members
// without a comma around them.
func modelFacts(l *loader.Loaded) []byte {
	b := append([]byte{}, `"version":`...)
	b = appendString(b, l.Version)
	b = append(b, `,"model":`...)
	b = appendString(b, l.Model.Name)
	b = append(b, `,"model_digest":`...)
	b = appendString(b, l.Digest)
	b = append(b, `,"threshold":`...)
	b = appendFloat(b, l.Model.Threshold)
	b = append(b, `,"horizon_minutes":`...)
	return strconv.AppendInt(b, int64(l.Model.Task.HorizonMinutes), 10)
}

func appendClass(b []byte, f *forecast) []byte {
	b = append(b, `{"y":`...)
	b = strconv.AppendInt(b, int64(class(f.positive)), 10)
	b = append(b, `,"proba":`...)
	return appendFloat(b, f.probability)
}

func appendSource(b []byte, from *source) []byte {
	if from.network == "" && from.station == "" && from.asOf.IsZero() && from.weatherAt.IsZero() {
		return append(b, `,"network":null,"station":null,"as_of":null,"age_seconds":null,"weather_at":null`...)
	}
	b = append(b, `,"network":`...)
	b = appendOrNull(b, from.network)
	b = append(b, `,"station":`...)
	b = appendOrNull(b, from.station)
	b = append(b, `,"as_of":`...)
	b = appendTime(b, from.asOf)
	b = append(b, `,"age_seconds":`...)
	if from.asOf.IsZero() {
		b = append(b, "null"...)
	} else {
		b = strconv.AppendInt(b, seconds(from.age), 10)
	}
	b = append(b, `,"weather_at":`...)
	return appendTime(b, from.weatherAt)
}

func appendImputed(b []byte, names []string) []byte {
	b = append(b, `"imputed":[`...)
	for i, name := range names {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendString(b, name)
	}
	return append(b, ']')
}

func appendID(b []byte, id string) []byte {
	if id == "" {
		return b
	}
	b = append(b, `,"prediction_id":`...)
	return appendString(b, id)
}

func appendOrNull(b []byte, s string) []byte {
	if s == "" {
		return append(b, "null"...)
	}
	return appendString(b, s)
}

func appendTime(b []byte, t time.Time) []byte {
	if t.IsZero() {
		return append(b, "null"...)
	}
	b = append(b, '"')
	b = t.UTC().AppendFormat(b, time.RFC3339)
	return append(b, '"')
}

// appendString writes a string. Nearly all need no escapes.
func appendString(b []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c >= 0x7f || c == '"' || c == '\\' || c == '<' || c == '>' || c == '&' {
			quoted, _ := json.Marshal(s) // a string has no way to fail
			return append(b, quoted...)
		}
	}
	b = append(b, '"')
	b = append(b, s...)
	return append(b, '"')
}

// appendFloat writes a finite number as JavaScript does (ECMA-262, 6.1.6.1.20),
// and so encoding/json.
func appendFloat(b []byte, v float64) []byte {
	if a := math.Abs(v); a == 0 || a >= 1e-6 && a < 1e21 {
		return strconv.AppendFloat(b, v, 'f', -1, 64)
	}
	b = strconv.AppendFloat(b, v, 'e', -1, 64)
	if n := len(b); b[n-4] == 'e' && b[n-2] == '0' { // e-07 to e-7
		b[n-2] = b[n-1]
		b = b[:n-1]
	}
	return b
}
