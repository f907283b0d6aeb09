package server

import (
	"errors"
	"log/slog"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus/testutil"
)

// TestAccessLogLevels holds which requests each setting logs.
func TestAccessLogLevels(t *testing.T) {
	t.Parallel()
	tests := []struct {
		request string
		status  int
		in      map[AccessLog]bool
	}{
		{"GET /health", 200, map[AccessLog]bool{AccessAll: true}},
		{"POST /predict", 200, map[AccessLog]bool{AccessAll: true}},
		{"GET /nothing", 404, map[AccessLog]bool{AccessAll: true, AccessErrors: true}},
		{"POST /reload_model", 200, map[AccessLog]bool{AccessAll: true, AccessErrors: true}},
		{"GET /api/predictions", 503, map[AccessLog]bool{AccessAll: true, AccessErrors: true, AccessNone: true}},
	}
	for _, setting := range []AccessLog{"", AccessAll, AccessErrors, AccessNone} {
		for _, tt := range tests {
			s := setup(t, func(c *Config, d *Deps) {
				c.AccessLog = setting
				d.Recent = &memoryLog{err: errors.New("connection refused")}
			})
			method, path, _ := strings.Cut(tt.request, " ")
			w := do(s.Handler(), method, path, "", requestIDHeader, "mine")
			if w.Code != tt.status {
				t.Errorf("%s: %d, want %d", tt.request, w.Code, tt.status)
			}
			want := tt.in[setting] || setting == "" && tt.in[AccessErrors]
			if got := strings.Contains(s.logged.String(), `"request_id":"mine"`); got != want {
				t.Errorf("%s with %q is logged: %t, want %t: %s", tt.request, setting, got, want, s.logged)
			}
		}
	}
}

// TestObservedOnce holds that the metrics that a route remembers are those of
// the registry, and that counting allocates nothing. It runs alone, to count
// allocations.
func TestObservedOnce(t *testing.T) {
	s := setup(t, func(_ *Config, d *Deps) { d.Logger = slog.New(slog.DiscardHandler) })
	for range 3 {
		do(s.Handler(), "GET", "/health", "")
		do(s.Handler(), "GET", "/nothing", "")
	}
	for labels, want := range map[[2]string]float64{{"/health", "200"}: 3, {unmatched, "404"}: 3, {"/health", "404"}: 0} {
		if got := testutil.ToFloat64(s.metrics.requests.WithLabelValues(labels[0], labels[1])); got != want {
			t.Errorf("%v counted %v times, want %v", labels, got, want)
		}
	}
	r := s.observed["/health"]
	if n := testing.AllocsPerRun(100, func() { s.metrics.count(r, 200, 1) }); n > 0 {
		t.Errorf("counting allocates %v times", n)
	}
	if n := testing.AllocsPerRun(100, func() { _ = s.ids.next() }); n > 1 {
		t.Errorf("an ID allocates %v times", n)
	}
}
