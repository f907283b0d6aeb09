package server

import (
	"context"
	"math"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"
)

// serverMetrics are of what is answered. Their labels are bounded whatever
// clients send; predictions have two series more for each version that ever
// served.
type serverMetrics struct {
	requests    *prometheus.CounterVec
	duration    *prometheus.HistogramVec
	predictions *prometheus.CounterVec
	scores      prometheus.Histogram
	latency     prometheus.Histogram
}

func newServerMetrics(d Deps) (*serverMetrics, error) {
	m := &serverMetrics{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "http_requests_total",
			Help: "Requests answered, by route and status. What fits no route is unmatched.",
		}, []string{"endpoint", "status"}),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "http_request_duration_seconds",
			Help:    "How long requests took, by route.",
			Buckets: []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10},
		}, []string{"endpoint"}),
		predictions: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "predictions_total",
			Help: "Predictions answered, by class (1 is a shortage) and model version.",
		}, []string{"predicted_class", "model_version"}),
		scores: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name:    "prediction_score_distribution",
			Help:    "Probabilities answered.",
			Buckets: []float64{.1, .2, .3, .4, .5, .6, .7, .8, .9, 1},
		}),
		latency: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name:    "prediction_latency_seconds",
			Help:    "How long it took from a request for a prediction to its answer.",
			Buckets: []float64{.00001, .000025, .00005, .0001, .00025, .0005, .001, .005, .01, .05, .1, .5, 1, 5},
		}),
	}
	for _, c := range []prometheus.Collector{
		m.requests, m.duration, m.predictions, m.scores, m.latency,
		modelCollector{d.Models}, dataCollector{d.Status},
	} {
		if err := d.Registerer.Register(c); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// connectionMetrics are of the connections, whichever way they go.
type connectionMetrics struct {
	open    atomic.Pointer[connections]
	evicted prometheus.Counter
}

func newConnectionMetrics(to prometheus.Registerer) (*connectionMetrics, error) {
	m := &connectionMetrics{evicted: prometheus.NewCounter(prometheus.CounterOpts{
		Name: "livelab_http_connections_evicted_total",
		Help: "Connections without a request that had to make room for others.",
	})}
	open := prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "livelab_http_connections",
		Help: "Connections that are open.",
	}, func() float64 {
		if cs := m.open.Load(); cs != nil {
			return float64(cs.count())
		}
		return 0
	})
	for _, c := range []prometheus.Collector{m.evicted, open} {
		if err := to.Register(c); err != nil {
			return nil, err
		}
	}
	return m, nil
}

var (
	modelLoaded = prometheus.NewDesc("model_loaded", "Whether a model is in service.", nil, nil)
	modelInfo   = prometheus.NewDesc("model_version_info", "The model version in service; always 1.", []string{"version"}, nil)
	modelF1     = prometheus.NewDesc("model_f1_score", "F1 of the model in service on the test part of its training.", nil, nil)
	dataNewest  = prometheus.NewDesc("livelab_data_newest_timestamp_seconds",
		"Time of the newest stored observation, by the stations' own clocks.", []string{"network"}, nil)
)

// modelCollector shows the model in service, whoever put it there.
type modelCollector struct{ models Models }

var _ prometheus.Collector = modelCollector{}

func (modelCollector) Describe(ch chan<- *prometheus.Desc) {
	ch <- modelLoaded
	ch <- modelInfo
	ch <- modelF1
}

func (m modelCollector) Collect(ch chan<- prometheus.Metric) {
	current := m.models.Current()
	if current == nil {
		ch <- prometheus.MustNewConstMetric(modelLoaded, prometheus.GaugeValue, 0)
		return
	}
	ch <- prometheus.MustNewConstMetric(modelLoaded, prometheus.GaugeValue, 1)
	ch <- prometheus.MustNewConstMetric(modelInfo, prometheus.GaugeValue, 1, current.Version)
	if f1 := float64(current.Report.F1); !math.IsNaN(f1) {
		ch <- prometheus.MustNewConstMetric(modelF1, prometheus.GaugeValue, f1)
	}
}

// dataCollector shows how new the stored data is. It waits for the store no
// longer than health does: a store that hangs must not keep the other metrics
// from whoever collects them, which gives up after some ten seconds.
type dataCollector struct {
	status func(context.Context) Status
}

var _ prometheus.Collector = dataCollector{}

func (dataCollector) Describe(ch chan<- *prometheus.Desc) { ch <- dataNewest }

func (d dataCollector) Collect(ch chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), statusTimeout)
	defer cancel()
	for _, n := range d.status(ctx).Networks {
		if !n.NewestBikes.IsZero() {
			ch <- prometheus.MustNewConstMetric(dataNewest, prometheus.GaugeValue, float64(n.NewestBikes.Unix()), n.ID)
		}
	}
}
