package wasm

import (
	"github.com/prometheus/client_golang/prometheus"
)

// What a Host tells of the transforms that somebody holds. Those of one name
// and digest with several budgets count as one.
var (
	transformLabels = []string{"transform", "digest"}

	rowsDesc = prometheus.NewDesc("livelab_transform_rows_total",
		"Rows that a transform was asked for.", transformLabels, nil)
	failedDesc = prometheus.NewDesc("livelab_transform_failed_rows_total",
		"Rows that a transform failed on, by reason.", append(transformLabels, "reason"), nil)
	discardedDesc = prometheus.NewDesc("livelab_transform_discarded_instances_total",
		"Instances of a transform that were lost to a trap.", transformLabels, nil)
	secondsDesc = prometheus.NewDesc("livelab_transform_seconds_total",
		"Time spent in a transform, waiting for an instance included.", transformLabels, nil)
)

var _ prometheus.Collector = (*Host)(nil)

// Describe makes the host a collector of metrics.
func (h *Host) Describe(ch chan<- *prometheus.Desc) {
	ch <- rowsDesc
	ch <- failedDesc
	ch <- discardedDesc
	ch <- secondsDesc
}

// Collect tells what each transform has done.
func (h *Host) Collect(ch chan<- prometheus.Metric) {
	for labels, s := range h.stats() {
		count := func(d *prometheus.Desc, value float64, more ...string) {
			ch <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, value, append(labels[:], more...)...)
		}
		count(rowsDesc, float64(s.Rows))
		for _, c := range Causes() {
			count(failedDesc, float64(s.Failed[c]), c.String())
		}
		count(discardedDesc, float64(s.Discards))
		count(secondsDesc, s.Time.Seconds())
	}
}

// shownDigest is how many digits of a digest tell transforms apart in labels.
const shownDigest = 12

// stats by name and digest.
func (h *Host) stats() map[[2]string]Stats {
	h.mu.Lock()
	defer h.mu.Unlock()
	all := make(map[[2]string]Stats)
	for _, held := range h.admitted {
		t := held.Value()
		if t == nil {
			continue
		}
		labels := [2]string{t.spec.Name, t.spec.Digest[:shownDigest]}
		sum, s := all[labels], t.Stats()
		sum.Rows, sum.Discards, sum.Time = sum.Rows+s.Rows, sum.Discards+s.Discards, sum.Time+s.Time
		if sum.Failed == nil {
			sum.Failed = make(map[Cause]int64, causes)
		}
		for c, n := range s.Failed {
			sum.Failed[c] += n
		}
		all[labels] = sum
	}
	return all
}
