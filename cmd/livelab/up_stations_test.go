package main

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
)

// listStations gives the stations of GET /api/stations by their ID, and the whole.
func listStations(t *testing.T, p *process) (all map[string]any, stations map[string]map[string]any) {
	t.Helper()
	a := p.get(t, "/api/stations")
	a.want(t, 200, "as_of", "age_seconds", "stations")
	stations = make(map[string]map[string]any)
	for _, s := range a.json["stations"].([]any) {
		st := s.(map[string]any)
		stations[st["station"].(string)] = st
	}
	return a.json, stations
}

// hasStationModel reports whether a model answers about stations.
func hasStationModel(t *testing.T, p *process) bool {
	a := p.get(t, "/api/stations")
	return a.status == http.StatusOK && a.json["version"] != nil
}

// oneAnswer holds /predict and /explain for a station to what is listed, in
// spite of a snapshot that may come in between.
func oneAnswer(t *testing.T, p *process) {
	t.Helper()
	for range 5 {
		all, stations := listStations(t, p)
		same := true
		for id, st := range stations {
			body := fmt.Sprintf(`{"station":%q}`, id)
			predicted := p.post(t, "/predict", body)
			if st["proba"] == nil {
				if predicted.status == http.StatusOK {
					same = false
				}
				continue
			}
			predicted.want(t, 200, "y", "proba", "as_of", "age_seconds", "network", "station", "prediction_id")
			if predicted.json["as_of"] != all["as_of"] {
				same = false
				break
			}
			if predicted.json["proba"] != st["proba"] || predicted.json["y"] != st["y"] || predicted.json["version"] != all["version"] || predicted.json["station"] != id {
				t.Fatalf("listed %v by %v, predicted %s", st, all["version"], predicted.body)
			}
		}
		if same {
			return
		}
	}
	t.Error("the stations were never the same for as long as it takes to ask for each")
}

// lenientRules let any model pass that was measured at all.
const lenientRules = `min_test_positives: 1
min_f1: 0.01
max_f1_below_persistence: 1
max_f1_below_champion: 1
brier_better_than_persistence: false
brier_not_worse_than_champion: false
pr_auc_above_climatology: false
max_ece: 1
`

// soon waits longer than eventually does, for what takes a training.
func soon(t *testing.T, patience time.Duration, what string, so func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !so(); time.Sleep(100 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited %s for %s", patience, what)
		}
	}
}

// TestUpStations takes the whole way of the model about stations: observed
// alone at first, then trained beside what serves, then in every answer; after a
// restart at once; and stale where nobody collects any more.
func TestUpStations(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	// Any model will do here: what passes the gate is tested where it is.
	write(t, s.dir+"/rules.yaml", lenientRules)
	p := s.start(t, "up", "--source", "sim", "--months", "1", "--rules", "rules.yaml", "--every", "1s")
	p.post(t, "/predict", "{}").want(t, 200, "y")
	soon(t, 5*time.Minute, "a model about stations", func() bool { return hasStationModel(t, p) })
	oneAnswer(t, p)
	all, stations := listStations(t, p)
	if all["stale"] != false || all["stations_forecast"].(float64) < 30 || len(stations) != int(all["stations_total"].(float64)) {
		t.Errorf("%v", all)
	}
	if h := p.get(t, "/health"); h.json["station_model_version"] != all["version"] || !strings.Contains(h.body, `"stations_forecast"`) {
		t.Errorf("health: %s", h.body)
	}
	p.post(t, "/predict", `{"station":"nowhere"}`).want(t, 404, "detail")
	soon(t, 2*time.Minute, "a newer snapshot", func() bool { // the simulator has one a minute
		now, _ := listStations(t, p)
		return now["as_of"] != all["as_of"]
	})
	p.stop(t)

	p = s.start(t, "serve")
	eventually(t, "the model about stations after a restart", func() bool { return hasStationModel(t, p) })
	if again, _ := listStations(t, p); again["version"] != all["version"] {
		t.Errorf("after a restart %v answers, before it was %v", again["version"], all["version"])
	}
	oneAnswer(t, p)
	tensors := p.get(t, "/v2/models/"+stationTask)
	tensors.want(t, 200, "inputs")
	p.stop(t)

	p = s.start(t, "serve", "--stations=false")
	p.post(t, "/predict", "{}").want(t, 200, "y")
	p.get(t, "/api/stations").want(t, 503, "missing")
	p.stop(t)

	p = s.start(t, "serve", "--task", stationTask)
	p.post(t, "/predict", "{}").want(t, 400, "errors")
	eventually(t, "the forecast by the only model", func() bool { return hasStationModel(t, p) })
	oneAnswer(t, p)
	p.stop(t)
}
