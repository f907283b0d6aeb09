package server

import (
	"context"
	"math"
	"slices"

	"github.com/gin-gonic/gin"

	"livelab/pipeline/features"
	"livelab/pipeline/model"
	"livelab/runtime/explain"
	"livelab/runtime/jsonscan"
)

// Explainer puts predictions into words.
type Explainer interface {
	// Explain ends early where ctx does. It keeps nothing of the facts.
	Explain(ctx context.Context, l explain.Language, f *explain.Facts) explain.Text
}

var _ Explainer = explain.Template{}

// explanation is what /explain says: the answer, and where it comes from. A
// language model may have written the text; every number beside it is the
// forecast's own.
type explanation struct {
	answer
	Explanation string           `json:"explanation"`
	LLMUsed     bool             `json:"llm_used"`
	LLMReason   explain.Reason   `json:"llm_reason,omitempty"` // why none was used
	Language    explain.Language `json:"language"`

	// LogOdds is the intercept plus all contributions; of trees, the intercept
	// is the mean of the log odds over the rows of the training.
	Family        string         `json:"family"`
	LogOdds       float64        `json:"log_odds"`
	Intercept     float64        `json:"intercept"`
	Contributions []contribution `json:"contributions"` // the largest first
}

// contribution is weight · (value − mean) / sd, or a Shapley value in trees.
type contribution struct {
	Feature      string      `json:"feature"`      // a column, or transform.output
	Value        *float64    `json:"value"`        // null where it is missing, which trees have a way for
	Contribution float64     `json:"contribution"` // to the log odds
	Imputed      bool        `json:"imputed"`      // whether anything was missing, see explain.Part
	Weight       *float64    `json:"weight,omitempty"`
	Mean         float64     `json:"mean"`
	SD           float64     `json:"sd"`
	Unit         string      `json:"unit,omitempty"`
	Meaning      string      `json:"meaning,omitempty"`
	Transform    *computedBy `json:"transform,omitempty"` // null for a column
}

// computedBy is the transform that an input comes from.
type computedBy struct {
	Name    string `json:"name"`
	Version string `json:"version"`
	Digest  string `json:"digest"`
}

// explain answers POST /explain. While the words are written, which may take
// as long as a language model does, it holds nothing that others wait for; the
// prediction is in the log before.
func (s *Server) explain(c *gin.Context) error {
	e, facts, err := s.explainable(c)
	if err != nil {
		return err
	}
	text := s.explainer().Explain(c.Request.Context(), e.Language, facts)
	e.Explanation, e.LLMUsed, e.LLMReason = text.Words, text.LLMUsed, text.Reason
	return reply(c, e)
}

func (s *Server) explainer() Explainer {
	if s.deps.Explainer == nil {
		return explain.Template{}
	}
	return s.deps.Explainer
}

// explainable answers the request but for the words, with the facts for them.
func (s *Server) explainable(c *gin.Context) (*explanation, *explain.Facts, error) {
	at := s.now().UTC()
	m := scratches.Get().(*scratch)
	defer m.free()
	v, err := s.ask(c, m, true)
	if err != nil {
		return nil, nil, err
	}
	language, err := pickLanguage(m.question.language, c.Query("lang"))
	if err != nil {
		return nil, nil, err
	}
	fs, err := s.forecasts(c.Request.Context(), v, m)
	if err != nil {
		return nil, nil, err
	}
	id := requestID(c)
	s.recordAll(m, at, id)
	f := &fs[0]
	facts, intercept := f.toExplain()
	e := &explanation{answer: f.answer(id), Language: language, Family: f.Model.Family.String(), LogOdds: f.logOdds, Intercept: intercept}
	e.Imputed = facts.Imputed
	for i := range facts.Parts {
		e.Contributions = append(e.Contributions, contributionOf(&facts.Parts[i], f.Model.Family))
	}
	return e, facts, nil
}

// toExplain gives all that may be said of the forecast. It shares none of the
// forecast's memory.
func (f *forecast) toExplain() (facts *explain.Facts, intercept float64) {
	intercept, parts := explain.Parts(f.Predictor, f.x, f.values)
	return &explain.Facts{
		Task:        f.Model.Task,
		Family:      f.Model.Family,
		Network:     f.network,
		Station:     f.station,
		StationName: f.stationName,
		AsOf:        f.asOf,
		Probability: f.probability,
		Threshold:   f.Model.Threshold,
		Positive:    f.positive,
		Parts:       parts,
		Imputed:     append([]string{}, f.imputed...),
	}, intercept
}

// contributionOf has a weight where the family has weights.
func contributionOf(p *explain.Part, of model.Family) contribution {
	c := contribution{
		Feature: p.Feature, Contribution: p.LogOdds + 0, Imputed: p.Imputed, // -0 + 0 is 0, which reads better
		Mean: p.Mean, SD: p.Scale,
		Unit: p.Unit, Meaning: p.Meaning, Transform: computedByOf(p.Transform),
	}
	if !math.IsNaN(p.Value) {
		c.Value = &p.Value
	}
	if of == model.FamilyLogistic {
		c.Weight = &p.Weight
	}
	return c
}

func computedByOf(t *features.TransformSpec) *computedBy {
	if t == nil {
		return nil
	}
	return &computedBy{t.Name, t.Version, t.Digest}
}

// pickLanguage takes the first that is named, the default where none is. The
// header Accept-Language names none: libraries send it on their own, and a
// client that has always had Italian would suddenly get English.
func pickLanguage(named ...string) (explain.Language, error) {
	for _, code := range named {
		if code == "" {
			continue
		}
		if l := explain.Language(code); slices.Contains(explain.Languages(), l) {
			return l, nil
		}
		return "", invalid([]FieldError{{"language", `is "` + jsonscan.Printable(code) + `", must be it or en`}})
	}
	return explain.Languages()[0], nil
}
