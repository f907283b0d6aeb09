package server

import (
	"cmp"
	"math"
	"slices"

	"github.com/gin-gonic/gin"

	"livelab/pipeline/model"
)

// explanation is what /explain says: the answer, and where it comes from.
type explanation struct {
	answer
	Explanation string `json:"explanation"`
	LLMUsed     bool   `json:"llm_used"`
	Language    string `json:"language"`

	// LogOdds is the intercept plus all contributions.
	LogOdds       float64        `json:"log_odds"`
	Intercept     float64        `json:"intercept"`
	Contributions []contribution `json:"contributions"` // the largest first
}

type contribution struct {
	Feature      string  `json:"feature"`
	Value        float64 `json:"value"`
	Contribution float64 `json:"contribution"` // to the log odds
	Imputed      bool    `json:"imputed"`      // whether anything stood in, see model.Contribution
}

// explain answers POST /explain.
func (s *Server) explain(c *gin.Context) error {
	at := s.now().UTC()
	m := scratches.Get().(*scratch)
	defer m.free()
	v, err := s.ask(c, m, true)
	if err != nil {
		return err
	}
	lang, err := pickLanguage(m.question.language, c.Query("lang"))
	if err != nil {
		return err
	}
	f, err := s.forecast(c.Request.Context(), v, &m.question)
	if err != nil {
		return err
	}
	id := requestID(c)
	e := explanation{answer: f.answer(id), Language: lang.code, LogOdds: f.logOdds}
	e.Intercept, e.Contributions = f.contributions(&m.question)
	if e.Explanation, err = lang.explain(f, e.Contributions); err != nil {
		return err
	}
	e.PredictionID = s.record(f, &m.question, at, id)
	return reply(c, e)
}

// contributions splits the log odds, the largest part first.
func (f *forecast) contributions(q *question) (intercept float64, cs []contribution) {
	intercept, parts := f.Predictor.Explain(f.x, q.values)
	slices.SortStableFunc(parts, func(a, b model.Contribution) int {
		return cmp.Or(cmp.Compare(math.Abs(b.LogOdds), math.Abs(a.LogOdds)), cmp.Compare(a.Input, b.Input))
	})
	for _, p := range parts {
		cs = append(cs, contribution{p.Input, p.Value, p.LogOdds, p.Imputed})
	}
	return intercept, cs
}
