package server

import (
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"
)

// answer is what /predict says of one row. It is written by appendAnswer; this
// is for who adds to it.
type answer struct {
	Y              int      `json:"y"` // 1 is a shortage
	Proba          float64  `json:"proba"`
	Version        string   `json:"version"`
	Model          string   `json:"model"`
	ModelDigest    string   `json:"model_digest"`
	Threshold      float64  `json:"threshold"`
	HorizonMinutes int      `json:"horizon_minutes"`
	Network        *string  `json:"network"`     // null when the client gave the features
	Station        *string  `json:"station"`     // null unless it is about a station
	AsOf           *string  `json:"as_of"`       // time of the bikes used; null like network
	AgeSeconds     *int64   `json:"age_seconds"` // of as_of; null like network
	WeatherAt      *string  `json:"weather_at"`  // time of the weather used
	Imputed        []string `json:"imputed"`     // what was missing, see model.Predictor.Imputed
	RequestID      string   `json:"request_id"`
	PredictionID   string   `json:"prediction_id,omitempty"` // of the row in the prediction log
}

func (f *forecast) answer(requestID string) answer {
	return answer{
		Y:              class(f.positive),
		Proba:          f.probability,
		Version:        f.Version,
		Model:          f.Model.Name,
		ModelDigest:    f.Digest,
		Threshold:      f.Model.Threshold,
		HorizonMinutes: f.Model.Task.HorizonMinutes,
		Network:        orNull(f.network),
		Station:        orNull(f.station),
		AsOf:           stamp(f.asOf),
		AgeSeconds:     f.ageSeconds(),
		WeatherAt:      stamp(f.weatherAt),
		Imputed:        f.imputed,
		RequestID:      requestID,
		PredictionID:   f.id,
	}
}

func (from *source) ageSeconds() *int64 {
	if from.asOf.IsZero() {
		return nil
	}
	age := seconds(from.age)
	return &age
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
	fs, err := s.forecasts(c.Request.Context(), v, m)
	if err != nil {
		return err
	}
	id := requestID(c)
	s.recordAll(m, at, id)
	if m.question.many {
		m.answer = appendAnswers(m.answer[:0], fs, id)
	} else {
		m.answer = appendAnswer(m.answer[:0], &fs[0], id)
	}
	return send(c, m.answer)
}

var jsonType = []string{"application/json"}

// send answers 200 with JSON, which it does not keep.
func send(c *gin.Context, body []byte) error {
	c.Writer.Header()["Content-Type"] = jsonType
	c.Status(http.StatusOK)
	if _, err := c.Writer.Write(body); err != nil {
		_ = c.Error(err) // the client is gone
	}
	return nil
}

// reply answers 200 with a value as JSON.
func reply(c *gin.Context, v any) error {
	body, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("encode the answer: %w", err)
	}
	return send(c, body)
}

func class(positive bool) int {
	if positive {
		return 1
	}
	return 0
}

func orNull(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// stamp writes a time as RFC 3339 in UTC, nil for the zero time.
func stamp(t time.Time) *string {
	if t.IsZero() {
		return nil
	}
	s := t.UTC().Format(time.RFC3339)
	return &s
}
