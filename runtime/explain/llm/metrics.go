package llm

import (
	"errors"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

type metrics struct {
	requests *prometheus.CounterVec
	skipped  *prometheus.CounterVec
	tokens   *prometheus.CounterVec
	duration prometheus.Histogram
}

func newMetrics(r prometheus.Registerer) (*metrics, error) {
	m := &metrics{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "livelab_explain_llm_requests_total",
			Help: "Explanations that the language model was asked for, by outcome. The template wrote all but ok.",
		}, []string{"outcome"}),
		skipped: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "livelab_explain_llm_skipped_total",
			Help: "Explanations that the template wrote without asking the language model, by reason.",
		}, []string{"reason"}),
		tokens: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "livelab_explain_llm_tokens_total",
			Help: "Tokens that the language model's server says it took, by kind.",
		}, []string{"kind"}),
		duration: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name:    "livelab_explain_llm_duration_seconds",
			Help:    "How long the language model took, failures and retries included.",
			Buckets: []float64{.1, .25, .5, 1, 2, 4, 8, 16},
		}),
	}
	for _, o := range outcomes {
		m.requests.WithLabelValues(string(o))
	}
	return m, errors.Join(r.Register(m.requests), r.Register(m.skipped), r.Register(m.tokens), r.Register(m.duration))
}

func (m *metrics) count(out outcome, tokens spent, took time.Duration) {
	m.requests.WithLabelValues(string(out)).Inc()
	m.tokens.WithLabelValues("prompt").Add(float64(tokens.prompt))
	m.tokens.WithLabelValues("completion").Add(float64(tokens.completion))
	m.duration.Observe(took.Seconds())
}
