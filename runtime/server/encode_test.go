package server

import (
	"bytes"
	"encoding/json"
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"

	"livelab/pipeline/model"
	"livelab/runtime/loader"
)

// anyForecast is an answer of any model about any row. Its texts are any that
// may stand in JSON, to which no client or store need keep.
func anyForecast(t *rapid.T, facts *served) forecast {
	text := rapid.String()
	f := forecast{
		served:      facts,
		imputed:     rapid.SliceOfN(text, 0, 3).Draw(t, "imputed"),
		probability: rapid.OneOf(rapid.Float64Range(0, 1), anyFinite()).Draw(t, "probability"),
		positive:    rapid.Bool().Draw(t, "positive"),
		id:          text.Draw(t, "id"),
	}
	if f.imputed == nil {
		f.imputed = []string{}
	}
	return f
}

func anyFinite() *rapid.Generator[float64] {
	return rapid.Custom(func(t *rapid.T) float64 {
		v := math.Float64frombits(rapid.Uint64().Draw(t, "bits"))
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return 1e-7
		}
		return v
	})
}

func anySource(t *rapid.T) source {
	if rapid.Bool().Draw(t, "given") {
		return source{}
	}
	at := rapid.Custom(func(t *rapid.T) time.Time {
		if rapid.Bool().Draw(t, "none") {
			return time.Time{}
		}
		zone := time.FixedZone("", 60*rapid.IntRange(-600, 600).Draw(t, "zone"))
		return time.Unix(rapid.Int64Range(0, 1<<35).Draw(t, "second"), rapid.Int64Range(0, 1e9-1).Draw(t, "nanosecond")).In(zone)
	})
	return source{
		network: rapid.String().Draw(t, "network"), station: rapid.String().Draw(t, "station"),
		asOf: at.Draw(t, "as of"), age: time.Duration(rapid.Int64().Draw(t, "age")), weatherAt: at.Draw(t, "weather at"),
	}
}

func anyServed(t *rapid.T) *served {
	l := &loader.Loaded{Version: rapid.String().Draw(t, "version"), Digest: rapid.String().Draw(t, "digest"), Model: &model.Model{
		Name: rapid.String().Draw(t, "name"), Threshold: anyFinite().Draw(t, "threshold"),
	}}
	l.Model.Task.HorizonMinutes = rapid.IntRange(0, 1440).Draw(t, "horizon")
	return &served{Loaded: l, facts: modelFacts(l)}
}

// TestAnswersAreWrittenAsTheStandardLibraryWrites compares byte by byte.
func TestAnswersAreWrittenAsTheStandardLibraryWrites(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		v, from, id := anyServed(t), anySource(t), rapid.String().Draw(t, "request ID")
		fs := make([]forecast, rapid.IntRange(1, 3).Draw(t, "rows"))
		for i := range fs {
			fs[i] = anyForecast(t, v)
			fs[i].source = from
		}
		equal(t, appendAnswer(nil, &fs[0], id), fs[0].answer(id))
		equal(t, appendAnswers(nil, fs, id), asMany(fs, id))
	})
}

// asMany is the answer to a list as a value.
func asMany(fs []forecast, requestID string) (many manyAnswers) {
	shared := fs[0].answer(requestID)
	many = manyAnswers{
		Version: shared.Version, Model: shared.Model, ModelDigest: shared.ModelDigest, Threshold: shared.Threshold, HorizonMinutes: shared.HorizonMinutes,
		Network: shared.Network, Station: shared.Station, AsOf: shared.AsOf, AgeSeconds: shared.AgeSeconds, WeatherAt: shared.WeatherAt, RequestID: requestID,
	}
	for i := range fs {
		a := fs[i].answer(requestID)
		many.Predictions = append(many.Predictions, onePrediction{a.Y, a.Proba, a.Imputed, a.PredictionID})
	}
	return many
}

func equal(t *rapid.T, got []byte, value any) {
	t.Helper()
	want, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestNumbersAreWrittenAsTheStandardLibraryWrites(t *testing.T) {
	t.Parallel()
	for _, v := range []float64{0, math.Copysign(0, -1), 1, -1, 0.1, 1e-6, 9.99e-7, 1e-7, 1e-10, 1e-100, 5e-324, 1e20, 1e21, 1.5e300, math.MaxFloat64, math.Pi} {
		want, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		if got := appendFloat(nil, v); !bytes.Equal(got, want) {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}
