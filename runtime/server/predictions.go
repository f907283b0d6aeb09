package server

import (
	"context"
	"fmt"
	"strconv"

	"github.com/gin-gonic/gin"

	"livelab/runtime/jsonscan"
	"livelab/runtime/predlog"
)

const (
	defaultPredictions = 50
	mostPredictions    = 1000
)

// logged is a logged prediction as JSON.
type logged struct {
	ID             string             `json:"id"`
	At             *string            `json:"at"`
	Role           predlog.Role       `json:"role"`
	RequestID      string             `json:"request_id"`
	Model          string             `json:"model"`
	Version        string             `json:"version"`
	ModelDigest    string             `json:"model_digest"`
	Network        *string            `json:"network"`
	Station        *string            `json:"station"`
	AsOf           *string            `json:"as_of"`
	DataAgeSeconds *float64           `json:"data_age_seconds"` // null when the client gave the features
	Y              int                `json:"y"`
	Proba          float64            `json:"proba"`
	Threshold      float64            `json:"threshold"`
	HorizonMinutes float64            `json:"horizon_minutes"`
	LatencySeconds float64            `json:"latency_seconds"`
	Features       map[string]float64 `json:"features"`
}

// predictions answers GET /api/predictions?limit=.
func (s *Server) predictions(c *gin.Context) error {
	limit := defaultPredictions
	if text := c.Query("limit"); text != "" {
		var err error
		if limit, err = strconv.Atoi(text); err != nil || limit < 1 || limit > mostPredictions {
			return invalid([]FieldError{{"limit", fmt.Sprintf("is %q, must be a whole number from 1 to %d", jsonscan.Printable(text), mostPredictions)}})
		}
	}
	ps, err := s.recent(c.Request.Context(), limit)
	if err != nil {
		return err
	}
	list := make([]logged, 0, len(ps))
	for _, p := range ps {
		list = append(list, newLogged(p))
	}
	return reply(c, struct {
		Predictions []logged `json:"predictions"`
	}{list})
}

func (s *Server) recent(ctx context.Context, limit int) ([]predlog.Prediction, error) {
	if s.deps.Recent == nil {
		return nil, nil
	}
	ctx, cancel := context.WithTimeout(ctx, s.cfg.StoreTimeout)
	defer cancel()
	ps, err := s.deps.Recent.RecentPredictions(ctx, limit)
	if err != nil {
		return nil, storeAway.problem("the prediction log cannot be read at the moment; try again").because(err)
	}
	return ps, nil
}

func newLogged(p predlog.Prediction) logged {
	l := logged{
		ID:             p.ID,
		At:             stamp(p.At),
		RequestID:      p.RequestID,
		Model:          p.Model,
		Version:        p.Version,
		ModelDigest:    p.Digest,
		Role:           p.Role,
		AsOf:           stamp(p.AsOf),
		Y:              class(p.Positive),
		Proba:          p.Probability,
		Threshold:      p.Threshold,
		HorizonMinutes: 60 * p.HorizonHours,
		LatencySeconds: p.Latency.Seconds(),
		Features:       p.Features.Map(),
	}
	if p.Network != "" {
		l.Network = &p.Network
	}
	if p.Station != "" {
		l.Station = &p.Station
	}
	if !p.AsOf.IsZero() {
		age := p.At.Sub(p.AsOf).Seconds()
		l.DataAgeSeconds = &age
	}
	return l
}
