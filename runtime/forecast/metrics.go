package forecast

import (
	"errors"

	"github.com/prometheus/client_golang/prometheus"
)

var (
	stationsDesc = prometheus.NewDesc("livelab_forecast_stations",
		"Stations in the current forecast, by whether there is an answer for them.", []string{"network", "answered"}, nil)
	asOfDesc = prometheus.NewDesc("livelab_forecast_as_of_timestamp_seconds",
		"Time of the snapshot that the current forecast was made from, by the clock of the data.", []string{"network"}, nil)
	madeAtDesc = prometheus.NewDesc("livelab_forecast_made_timestamp_seconds",
		"When the current forecast was made.", []string{"network"}, nil)
)

// metrics are of the making; what is current is told by the keeper.
type metrics struct {
	duration prometheus.Histogram
	failures prometheus.Counter
}

func newMetrics(k *Keeper, to prometheus.Registerer) (*metrics, error) {
	m := &metrics{
		duration: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name:    "livelab_forecast_duration_seconds",
			Help:    "How long it took from a stored snapshot to the forecast of all stations of a network.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30},
		}),
		failures: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "livelab_forecast_failures_total",
			Help: "Forecasts of the stations that could not be made.",
		}),
	}
	if to == nil {
		return m, nil
	}
	return m, errors.Join(to.Register(m.duration), to.Register(m.failures), to.Register(current{k}))
}

// current tells of the forecasts as they are.
type current struct{ keeper *Keeper }

var _ prometheus.Collector = current{}

func (current) Describe(ch chan<- *prometheus.Desc) {
	ch <- stationsDesc
	ch <- asOfDesc
	ch <- madeAtDesc
}

func (c current) Collect(ch chan<- prometheus.Metric) {
	show := func(d *prometheus.Desc, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	for _, s := range c.keeper.All() {
		f := s.Forecast
		if f == nil {
			continue
		}
		show(stationsDesc, float64(f.Answered), s.Network, "true")
		show(stationsDesc, float64(len(f.Stations)-f.Answered), s.Network, "false")
		show(asOfDesc, float64(f.AsOf.Unix()), s.Network)
		show(madeAtDesc, float64(f.MadeAt.UnixNano())/1e9, s.Network)
	}
}
