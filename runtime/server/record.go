package server

import (
	"slices"
	"time"

	"livelab/runtime/predlog"
)

// recordAll counts the forecasts in m and hands them to the log, as one step,
// and to the shadow. It leaves each its ID, empty where there is no log.
func (s *Server) recordAll(m *scratch, at time.Time, requestID string) {
	latency := s.now().Sub(at)
	for i := range m.forecasts {
		s.count(&m.forecasts[i], latency)
	}
	if s.deps.Log == nil {
		return
	}
	m.predictions = slices.Grow(m.predictions[:0], len(m.forecasts))
	for i := range m.forecasts {
		m.predictions = append(m.predictions, m.forecasts[i].prediction(at, latency, requestID))
	}
	s.deps.Log.Add(m.predictions)
	for i := range m.forecasts {
		m.forecasts[i].id = m.predictions[i].ID
		if s.deps.Shadow != nil {
			s.deps.Shadow.Offer(&m.predictions[i], m.forecasts[i].stored)
		}
	}
	clear(m.predictions)
}

func (s *Server) count(f *forecast, latency time.Duration) {
	s.metrics.latency.Observe(latency.Seconds())
	s.metrics.scores.Observe(f.probability)
	if f.positive {
		f.positives.Inc()
	} else {
		f.negatives.Inc()
	}
}

// prediction is the forecast as it is logged; it shares the row's memory.
func (f *forecast) prediction(at time.Time, latency time.Duration, requestID string) predlog.Prediction {
	return predlog.Prediction{
		At:           at,
		Role:         predlog.Served,
		RequestID:    requestID,
		Model:        f.Model.Name,
		Version:      f.Version,
		Digest:       f.Digest,
		Network:      f.network,
		Station:      f.station,
		AsOf:         f.asOf,
		Features:     predlog.Features{Names: f.schema.columns, Values: f.values},
		Probability:  f.probability,
		Positive:     f.positive,
		Threshold:    f.Model.Threshold,
		Latency:      latency,
		HorizonHours: f.Model.Task.Horizon().Hours(),
	}
}
