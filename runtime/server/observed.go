package server

import (
	"net/http"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/prometheus/client_golang/prometheus"
)

// observed is a route with its metrics. They are looked up once they have
// something to show, and then never again where a route answers well.
type observed struct {
	endpoint string
	duration atomic.Pointer[prometheus.Observer]
	ok       atomic.Pointer[prometheus.Counter]
}

// observedRoutes gives every path that is routed.
func observedRoutes(e *gin.Engine) map[string]*observed {
	routes := make(map[string]*observed)
	for _, r := range e.Routes() {
		routes[r.Path] = &observed{endpoint: r.Path}
	}
	return routes
}

// unmatched is what fits no route: a label for each path that is tried would
// have no bound.
const unmatched = "unmatched"

// count counts and times an answer.
func (m *serverMetrics) count(r *observed, status int, took time.Duration) {
	duration := r.duration.Load()
	if duration == nil {
		found := m.duration.WithLabelValues(r.endpoint)
		duration = &found
		r.duration.Store(duration)
	}
	(*duration).Observe(took.Seconds())
	if status != http.StatusOK {
		m.requests.WithLabelValues(r.endpoint, strconv.Itoa(status)).Inc()
		return
	}
	ok := r.ok.Load()
	if ok == nil {
		found := m.requests.WithLabelValues(r.endpoint, "200")
		ok = &found
		r.ok.Store(ok)
	}
	(*ok).Inc()
}
