package main

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
)

// TestServeWithoutPredictionLog holds that a prediction is in the log under
// the ID of its answer, and with the log switched off has none and is nowhere.
func TestServeWithoutPredictionLog(t *testing.T) {
	t.Parallel()
	s := trained(t)
	s.must(t, "publish")

	off := s.start(t, "serve", "--log-predictions=false")
	a := off.post(t, "/predict", classicBody)
	a.want(t, 200, "y", "proba", "request_id")
	if id, ok := a.json["prediction_id"]; ok {
		t.Errorf("a prediction that is not logged has the ID %v", id)
	}
	off.stop(t)
	if found, err := filepath.Glob(filepath.Join(s.dir, "*.spool")); err != nil || len(found) > 0 {
		t.Errorf("a server without a log takes the folders %v, %v", found, err)
	}

	on := s.start(t, "serve")
	a = on.post(t, "/predict", classicBody)
	a.want(t, 200, "prediction_id")
	id := fmt.Sprint(a.json["prediction_id"])
	eventually(t, "the prediction in the log", func() bool {
		return strings.Contains(on.get(t, "/api/predictions").body, id)
	})
	if n := strings.Count(on.get(t, "/api/predictions").body, `"version"`); n != 1 {
		t.Errorf("%d predictions in the log, want the one that was to be logged", n)
	}
	on.stop(t)
}
