package server

import (
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"
)

// answer is what /predict says.
type answer struct {
	Y              int      `json:"y"` // 1 is a shortage
	Proba          float64  `json:"proba"`
	Version        string   `json:"version"`
	Model          string   `json:"model"`
	ModelDigest    string   `json:"model_digest"`
	Threshold      float64  `json:"threshold"`
	HorizonMinutes int      `json:"horizon_minutes"`
	Network        *string  `json:"network"`    // null when the client gave the features
	AsOf           *string  `json:"as_of"`      // time of the bikes used; null like network
	WeatherAt      *string  `json:"weather_at"` // time of the weather used
	Imputed        []string `json:"imputed"`    // what was missing, see model.Predictor.Imputed
	RequestID      string   `json:"request_id"`
	PredictionID   string   `json:"prediction_id,omitempty"` // of the row in the prediction log
}

func (f *forecast) answer(requestID string) answer {
	a := answer{
		Y:              class(f.positive),
		Proba:          f.probability,
		Version:        f.Version,
		Model:          f.Model.Name,
		ModelDigest:    f.Digest,
		Threshold:      f.Model.Threshold,
		HorizonMinutes: f.Model.Task.HorizonMinutes,
		AsOf:           stamp(f.asOf),
		WeatherAt:      stamp(f.weatherAt),
		Imputed:        f.imputed,
		RequestID:      requestID,
	}
	if f.network != "" {
		a.Network = &f.network
	}
	return a
}

// predict answers POST /predict.
func (s *Server) predict(c *gin.Context) error {
	at := s.now().UTC()
	m := scratches.Get().(*scratch)
	defer m.free()
	v, err := s.ask(c, m, false)
	if err != nil {
		return err
	}
	f, err := s.forecast(c.Request.Context(), v, &m.question)
	if err != nil {
		return err
	}
	id := requestID(c)
	a := f.answer(id)
	a.PredictionID = s.record(f, &m.question, at, id)
	return reply(c, a)
}

// reply answers 200 with a value as JSON.
func reply(c *gin.Context, v any) error {
	body, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("encode the answer: %w", err)
	}
	c.Data(http.StatusOK, "application/json", body)
	return nil
}

func class(positive bool) int {
	if positive {
		return 1
	}
	return 0
}

// stamp writes a time as RFC 3339 in UTC, nil for the zero time.
func stamp(t time.Time) *string {
	if t.IsZero() {
		return nil
	}
	s := t.UTC().Format(time.RFC3339)
	return &s
}
