package predlog

import "github.com/prometheus/client_golang/prometheus"

// Why a prediction that was answered is not logged.
const (
	dropFull    = "spool_full"
	dropMemory  = "memory_full"
	dropTooLong = "too_long"
	dropRefused = "refused" // by the store, for what it says; kept aside
	dropDamaged = "damaged" // on the disk
	dropStopped = "stopped" // added after Stop, or nowhere but in memory at the end
)

type writerMetrics struct {
	written       prometheus.Counter
	dropped       *prometheus.CounterVec
	late          prometheus.Counter
	undurable     prometheus.Counter
	failures      prometheus.Counter
	seconds       prometheus.Histogram
	spoolFailures prometheus.Counter
	spoolSeconds  prometheus.Histogram
	syncSeconds   prometheus.Histogram
}

func newWriterMetrics(r prometheus.Registerer, w *Writer) (*writerMetrics, error) {
	m := &writerMetrics{
		written: counter("written_total", "Predictions logged."),
		dropped: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "livelab_prediction_log_dropped_total",
			Help: "Predictions that were answered but not logged, by reason; where there is a spool, those that were refused are kept aside in it, in " + asideFile + ".",
		}, []string{"reason"}),
		late:          counter("late_total", "Predictions that were answered before the disk had taken them."),
		undurable:     counter("undurable_total", "Predictions that waited for the store in memory, since the disk took none."),
		failures:      counter("write_failures_total", "Writes to the prediction log that failed and were tried again."),
		seconds:       histogram("write_seconds", "How long a write to the prediction log took.", []float64{.001, .005, .01, .05, .1, .5, 1, 5, 10}),
		spoolFailures: counter("spool_failures_total", "Writes and syncs of the spool that failed."),
		spoolSeconds:  histogram("spool_write_seconds", "How long a write to the spool took.", []float64{.00001, .0001, .001, .01, .1, 1, 10}),
		syncSeconds:   histogram("spool_sync_seconds", "How long a sync of the spool took.", []float64{.0001, .001, .01, .1, 1, 10}),
	}
	for _, reason := range []string{dropFull, dropMemory, dropTooLong, dropRefused, dropDamaged, dropStopped} {
		m.dropped.WithLabelValues(reason)
	}
	if r == nil {
		return m, nil
	}
	for _, c := range append(gauges(w), m.written, m.dropped, m.late, m.undurable, m.failures, m.seconds,
		m.spoolFailures, m.spoolSeconds, m.syncSeconds) {
		if err := r.Register(c); err != nil {
			return nil, err
		}
	}
	return m, nil
}

func gauges(w *Writer) []prometheus.Collector {
	return []prometheus.Collector{
		gauge("queue_length", "Predictions that wait to be logged.", func() float64 {
			return float64(w.waiting() + w.commit.gathered())
		}),
		gauge("spool_bytes", "Size of the predictions on the disk that wait to be logged.", func() float64 {
			s := w.spool.Load()
			if s == nil {
				return 0
			}
			_, bytes := s.Waiting()
			return float64(bytes)
		}),
		gauge("oldest_timestamp_seconds", "When the oldest prediction was made that waits to be logged, 0 when none waits.", func() float64 {
			return float64(w.oldest.Load()) / 1000
		}),
	}
}

const prefix = "livelab_prediction_log_"

func counter(name, help string) prometheus.Counter {
	return prometheus.NewCounter(prometheus.CounterOpts{Name: prefix + name, Help: help})
}

func gauge(name, help string, value func() float64) prometheus.Collector {
	return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: prefix + name, Help: help}, value)
}

func histogram(name, help string, buckets []float64) prometheus.Histogram {
	return prometheus.NewHistogram(prometheus.HistogramOpts{Name: prefix + name, Help: help, Buckets: buckets})
}
