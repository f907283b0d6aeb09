package server

import (
	"encoding/json"
	"testing"
	"time"

	"livelab/runtime/predlog"
)

func TestListedPredictionsSayWhatTheyWereFor(t *testing.T) {
	t.Parallel()
	s := setup(t)
	s.log.Add([]predlog.Prediction{
		{At: noon, Role: predlog.Served, Digest: "d", Network: "oslo-bysykkel", Station: "465", AsOf: noon.Add(-90 * time.Second)},
		{At: noon, Role: predlog.Shadow},
	})
	var got struct {
		Predictions []struct {
			Role           string   `json:"role"`
			ModelDigest    string   `json:"model_digest"`
			Station        *string  `json:"station"`
			DataAgeSeconds *float64 `json:"data_age_seconds"`
		} `json:"predictions"`
	}
	w := do(s.Handler(), "GET", "/api/predictions", "")
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || len(got.Predictions) != 2 {
		t.Fatalf("%v: %s", err, w.Body)
	}
	stored, given := got.Predictions[0], got.Predictions[1]
	if stored.Role != "served" || stored.ModelDigest != "d" || stored.Station == nil || *stored.Station != "465" ||
		stored.DataAgeSeconds == nil || *stored.DataAgeSeconds != 90 {
		t.Errorf("from stored data: %s", w.Body)
	}
	if given.Role != "shadow" || given.Station != nil || given.DataAgeSeconds != nil {
		t.Errorf("from given features: %s", w.Body)
	}
}
