package catalogue

import "github.com/prometheus/client_golang/prometheus"

var pluginsDesc = prometheus.NewDesc("livelab_plugins",
	"Transforms that are known, those of the plugins folder and those that come with the program, by state.", []string{"state"}, nil)

var _ prometheus.Collector = (*Catalogue)(nil)

// Describe makes the catalogue a collector of metrics.
func (c *Catalogue) Describe(ch chan<- *prometheus.Desc) { ch <- pluginsDesc }

// Collect counts the plugins in each state.
func (c *Catalogue) Collect(ch chan<- prometheus.Metric) {
	count := make(map[State]int)
	c.mu.RLock()
	for p := range c.all() {
		count[p.state]++
	}
	c.mu.RUnlock()
	for _, s := range States() {
		ch <- prometheus.MustNewConstMetric(pluginsDesc, prometheus.GaugeValue, float64(count[s]), string(s))
	}
}
