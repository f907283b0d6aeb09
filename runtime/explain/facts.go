// Package explain puts a prediction into words by a template, and says what a
// language model may be told of it; package llm asks one. The words are for
// people. What counts is in the facts, which an answer gives beside the words.
package explain

import (
	"cmp"
	"math"
	"slices"
	"strings"
	"sync"
	"time"

	"livelab/pipeline/features"
	"livelab/pipeline/model"
)

// Facts are all that may be said of a prediction.
type Facts struct {
	Task   features.Task
	Family model.Family

	// Network, Station and AsOf say which stored data it is about. They are
	// zero where a client gave the features.
	Network, Station string
	AsOf             time.Time

	// StationName is what people call the station; empty where the source
	// gives it no name.
	StationName string

	Probability float64 // of a shortage
	Threshold   float64 // the least probability that is called a shortage
	Positive    bool    // whether it is called one

	Parts   []Part   // the largest first
	Imputed []string // columns that were missing, see model.Predictor.Imputed
}

// Part is what one input adds to the log odds: in a logistic model
//
//	Weight · (Value − Mean) / Scale
//
// and in trees its Shapley value, see model.Predictor.Explain. The parts and
// the base sum to the log odds.
type Part struct {
	Feature string  // a column, or transform.output
	Value   float64 // as used: where nothing else stood in, the mean, and NaN in trees
	Imputed bool    // whether a part of Value was missing
	LogOdds float64

	Mean, Scale, Weight float64 // Weight is 0 in trees

	// Unit and Meaning are the catalogue's; empty for a transform's output.
	Unit, Meaning string

	// Transform is what computed the input; nil for a column.
	Transform *features.TransformSpec
}

// Parts splits the log odds of a row. x is what Vector made of values.
func Parts(p *model.Predictor, x, values []float64) (base float64, parts []Part) {
	base, cs := p.Explain(x, values)
	parts = make([]Part, len(cs))
	for i, c := range cs {
		in := p.Model.Inputs[i]
		known := catalogue()[c.Input]
		parts[i] = Part{
			Feature: c.Input, Value: c.Value, Imputed: c.Imputed, LogOdds: c.LogOdds,
			Mean: in.Mean, Scale: in.Scale, Weight: in.Weight,
			Unit: known.Unit, Meaning: known.Doc,
			Transform: transformOf(p.Model, c.Input),
		}
	}
	slices.SortStableFunc(parts, func(a, b Part) int {
		return cmp.Or(cmp.Compare(math.Abs(b.LogOdds), math.Abs(a.LogOdds)), cmp.Compare(a.Feature, b.Feature))
	})
	return base, parts
}

// transformOf finds what computes an input; nil for a column.
func transformOf(m *model.Model, input string) *features.TransformSpec {
	name, _, ok := strings.Cut(input, ".")
	if !ok {
		return nil
	}
	i := slices.IndexFunc(m.Transforms, func(t features.TransformSpec) bool { return t.Name == name })
	if i < 0 {
		return nil
	}
	return &m.Transforms[i]
}

var catalogue = sync.OnceValue(func() map[string]features.Feature {
	byName := make(map[string]features.Feature)
	for _, f := range features.Catalogue() {
		byName[f.Name] = f
	}
	return byName
})

// Text is an explanation in words.
type Text struct {
	Words   string
	LLMUsed bool
	Reason  Reason // why no model wrote it; empty where one did
}

// Reason says why the words are the template's.
type Reason string

// The reasons.
const (
	NotConfigured Reason = "not configured"
	RateLimited   Reason = "rate limited" // the calls a minute are used up
	Busy          Reason = "busy"         // as many calls as allowed are under way
	Paused        Reason = "paused"       // the model failed several times in a row
	Failed        Reason = "failed"       // it was asked, and gave nothing of use
)
