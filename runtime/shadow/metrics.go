package shadow

import (
	"math"

	"github.com/prometheus/client_golang/prometheus"

	"livelab/runtime/predlog"
)

type shadowMetrics struct {
	predictions   *prometheus.CounterVec
	disagreements *prometheus.CounterVec
	errors        *prometheus.CounterVec
	difference    *prometheus.HistogramVec
	dropped       prometheus.Counter
}

func newShadowMetrics(r prometheus.Registerer) (*shadowMetrics, error) {
	labels := []string{"model_version"}
	m := &shadowMetrics{
		predictions: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "livelab_shadow_predictions_total",
			Help: "Predictions that a challenger made beside the model in service, by its version.",
		}, labels),
		disagreements: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "livelab_shadow_disagreements_total",
			Help: "Predictions of a challenger whose class is not that of the model in service.",
		}, labels),
		errors: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "livelab_shadow_errors_total",
			Help: "Requests that a challenger would have refused, by reason.",
		}, append(labels, "reason")),
		difference: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "livelab_shadow_score_difference",
			Help:    "How far a challenger's probability is from that of the model in service, either way.",
			Buckets: []float64{.005, .01, .02, .05, .1, .2, .5, 1},
		}, labels),
		dropped: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "livelab_shadow_dropped_total",
			Help: "Predictions that no challenger was asked about because too many waited.",
		}),
	}
	if r == nil {
		return m, nil
	}
	for _, c := range []prometheus.Collector{m.predictions, m.disagreements, m.errors, m.difference, m.dropped} {
		if err := r.Register(c); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// counts are the metrics of one challenger.
type counts struct {
	predictions, disagreements prometheus.Counter
	difference                 prometheus.Observer
	errors                     *prometheus.CounterVec // by reason
}

func (m *shadowMetrics) of(version string) counts {
	return counts{
		predictions:   m.predictions.WithLabelValues(version),
		disagreements: m.disagreements.WithLabelValues(version),
		difference:    m.difference.WithLabelValues(version),
		errors:        m.errors.MustCurryWith(prometheus.Labels{"model_version": version}),
	}
}

func (c counts) failed(err error) { c.errors.WithLabelValues(reason(err)).Inc() }

func (c counts) scored(served, shadow *predlog.Prediction) {
	c.predictions.Inc()
	c.difference.Observe(math.Abs(shadow.Probability - served.Probability))
	if served.Positive != shadow.Positive {
		c.disagreements.Inc()
	}
}
