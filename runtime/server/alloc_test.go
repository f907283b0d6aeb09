//go:build !race

package server

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"testing"
)

// Answering eight features takes memory for the request's ID and its header,
// and for nothing else. The benchmarks have what a bare Gin handler takes. The
// race detector has pools forget on purpose, so the test is not built with it.
func TestPredictAllocatesItsRequestIDAlone(t *testing.T) {
	s := setup(t, func(_ *Config, d *Deps) { d.Log = nil })
	text := []byte(`{"features":` + classic + `}`)
	body := bytes.NewReader(text)
	r := httptest.NewRequest("POST", "/predict", body)
	w := &discard{header: make(http.Header)}
	n := testing.AllocsPerRun(1000, func() {
		body.Reset(text)
		clear(w.header)
		s.Handler().ServeHTTP(w, r)
	})
	if w.status != http.StatusOK || n > 2 {
		t.Errorf("status %d with %v allocations, want 200 with 2", w.status, n)
	}
}
