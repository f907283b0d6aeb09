package loader

import (
	"errors"

	"github.com/prometheus/client_golang/prometheus"

	"livelab/pipeline/publish"
)

// What a Set tells of its models. The role is champion, challenger or pinned;
// the last is a version that follows nothing.
var (
	loadedDesc = prometheus.NewDesc("livelab_model_loaded_info",
		"The models and versions in service, and the challenger; always 1.", []string{"model", "version", "role"}, nil)
	loadedAtDesc = prometheus.NewDesc("livelab_model_last_reload_success_timestamp_seconds",
		"When a model was last loaded, or loaded again.", followedLabels, nil)
	successDesc = prometheus.NewDesc("livelab_model_last_reload_successful",
		"Whether what the registry names could be loaded; 1 where it names nothing.", followedLabels, nil)
	failuresDesc = prometheus.NewDesc("livelab_model_reload_failures_total",
		"Loads that failed, and looks at the registry that did.", followedLabels, nil)

	followedLabels = []string{"model", "role"}
)

var _ prometheus.Collector = (*Set)(nil)

// Describe makes the set a collector of metrics.
func (s *Set) Describe(ch chan<- *prometheus.Desc) {
	ch <- loadedDesc
	ch <- loadedAtDesc
	ch <- successDesc
	ch <- failuresDesc
}

// Collect tells what is in service, and of those that follow an alias how that
// goes.
func (s *Set) Collect(ch chan<- prometheus.Metric) {
	for _, l := range s.loaders() {
		if now := l.Current(); now != nil {
			ch <- prometheus.MustNewConstMetric(loadedDesc, prometheus.GaugeValue, 1, l.cfg.Model, now.Version, l.role())
		}
		if l.cfg.Version == "" {
			l.collect(ch)
		}
	}
}

func (l *Loader) collect(ch chan<- prometheus.Metric) {
	show := func(d *prometheus.Desc, kind prometheus.ValueType, v float64) {
		ch <- prometheus.MustNewConstMetric(d, kind, v, l.cfg.Model, l.role())
	}
	if at := l.loadedAt.Load(); at != 0 {
		show(loadedAtDesc, prometheus.GaugeValue, float64(at)/1e9)
	}
	successful := 1.0
	if f := l.Failure(); f != nil && !errors.Is(f.Err, ErrUnloaded) && !(errors.Is(f.Err, publish.ErrNotFound) && l.Current() == nil) {
		successful = 0
	}
	show(successDesc, prometheus.GaugeValue, successful)
	show(failuresDesc, prometheus.CounterValue, float64(l.failures.Load()))
}
