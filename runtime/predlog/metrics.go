package predlog

import "github.com/prometheus/client_golang/prometheus"

type writerMetrics struct {
	queue    prometheus.GaugeFunc
	written  prometheus.Counter
	dropped  prometheus.Counter
	failures prometheus.Counter
	seconds  prometheus.Histogram
}

func newWriterMetrics(r prometheus.Registerer, queue chan Prediction) (*writerMetrics, error) {
	m := &writerMetrics{
		queue: prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "livelab_prediction_log_queue_length",
			Help: "Predictions that wait to be logged.",
		}, func() float64 { return float64(len(queue)) }),
		written: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "livelab_prediction_log_written_total",
			Help: "Predictions logged.",
		}),
		dropped: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "livelab_prediction_log_dropped_total",
			Help: "Predictions that were answered but not logged: the queue was full, or the store was away at the end.",
		}),
		failures: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "livelab_prediction_log_write_failures_total",
			Help: "Writes to the prediction log that failed and were tried again.",
		}),
		seconds: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name:    "livelab_prediction_log_write_seconds",
			Help:    "How long a write to the prediction log took.",
			Buckets: []float64{.001, .005, .01, .05, .1, .5, 1, 5, 10},
		}),
	}
	if r == nil {
		return m, nil
	}
	for _, c := range []prometheus.Collector{m.queue, m.written, m.dropped, m.failures, m.seconds} {
		if err := r.Register(c); err != nil {
			return nil, err
		}
	}
	return m, nil
}
