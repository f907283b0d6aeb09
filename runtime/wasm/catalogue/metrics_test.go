package catalogue

import (
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
)

func TestMetrics(t *testing.T) {
	t.Parallel()
	b := setup(t, func(c *Config) { c.Shipped = []Shipped{{"pressure.wasm", []byte("pressure 1")}} })
	r := prometheus.NewPedanticRegistry()
	b.must(r.Register(b))
	b.write("calendar.wasm", "calendar 1")
	b.write("broken.wasm", "bad magic")
	b.settle()
	b.write("late.wasm", "late 1")
	b.scan()
	want := `
		# HELP livelab_plugins Transforms that are known, those of the plugins folder and those that come with the program, by state.
		# TYPE livelab_plugins gauge
		livelab_plugins{state="checking"} 0
		livelab_plugins{state="offered"} 2
		livelab_plugins{state="refused"} 1
		livelab_plugins{state="waiting"} 1
	`
	b.must(testutil.GatherAndCompare(r, strings.NewReader(want)))
	problems, err := testutil.GatherAndLint(r)
	b.must(err)
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
}
