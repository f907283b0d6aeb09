package main

import (
	"encoding/json"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"livelab/pipeline/features"
	"livelab/sql/pgtest"
)

// classicBody are the eight inputs that every client sends.
const classicBody = `{"features": {"stations_count": 60, "free_bikes": 300, "empty_slots": 900, "total_slots": 1200,
	"free_ratio": 0.25, "temp_2m": 15, "precipitation": 0, "wind_speed_10m": 8}}`

// trained is a shell whose store holds two months of a simulated city up to
// now, and whose registry has a version that passed the gate.
func trained(t *testing.T, env ...string) shell {
	t.Helper()
	s := newShell(t, env...)
	s.must(t, "backfill", "--source", "sim", "--months", "2")
	s.must(t, "train")
	s.must(t, "gate")
	return s
}

// TestServeOnEachStore walks from history to an answer from stored data.
func TestServeOnEachStore(t *testing.T) {
	t.Parallel()
	for _, store := range storeKinds {
		t.Run(store.name, func(t *testing.T) {
			t.Parallel()
			s := trained(t, store.env(t)...)
			s.must(t, "publish")
			if _, err := os.Stat(filepath.Join(s.dir, "livelab.db")); (err == nil) != (store.name == "SQLite") {
				t.Errorf("livelab.db: %v", err)
			}
			s.must(t, "ingest", "--once", "--source", "sim")
			p := s.start(t, "serve")
			a := p.post(t, "/predict", "{}")
			a.want(t, 200, "y", "proba", "version", "as_of", "network")
			if imputed, _ := a.json["imputed"].([]any); len(imputed) > 0 {
				t.Errorf("inputs imputed although the store has all of them: %v", imputed)
			}
			p.get(t, "/dashboard").want(t, 200)
			p.stop(t)
		})
	}
}

// TestServeWithoutModel starts with nothing, and gets a model while it runs,
// when it is told to.
func TestServeWithoutModel(t *testing.T) {
	t.Parallel()
	s := trained(t)
	p := s.start(t, "serve", "--watch", "0")
	if h := p.get(t, "/health"); h.status != 200 || h.json["model_loaded"] != false {
		t.Errorf("health without a model: %d %s", h.status, h.body)
	}
	p.post(t, "/predict", classicBody).want(t, 503, "detail")
	p.get(t, "/model").want(t, 503, "detail")
	p.post(t, "/reload_model", "").want(t, 503, "detail")

	s.must(t, "publish")
	p.post(t, "/reload_model", "").want(t, 200)
	first := p.get(t, "/model")
	first.want(t, 200, "version", "features")
	p.post(t, "/predict", classicBody).want(t, 200, "y", "proba", "version", "imputed")

	// A champion that is spoilt afterwards is not taken in, and what serves
	// goes on serving.
	s.must(t, "train", "--features", "classic")
	s.must(t, "publish", "--force")
	spoil(t, s)
	failed := p.post(t, "/reload_model", "")
	failed.want(t, 503, "detail", "model_loaded", "version")
	if failed.json["version"] != first.json["version"] {
		t.Errorf("after a failed reload: %s", failed.body)
	}
	again := p.post(t, "/predict", classicBody)
	again.want(t, 200, "version")
	if again.json["version"] != first.json["version"] {
		t.Errorf("after a failed reload %v answers, want %v", again.json["version"], first.json["version"])
	}
	s.must(t, "models", "rollback")
	p.post(t, "/reload_model", "").want(t, 200)
	p.stop(t)
}

// spoil changes a byte of the champion's weights.
func spoil(t *testing.T, s shell) {
	t.Helper()
	var alias struct {
		Version string `json:"version"`
	}
	registry := filepath.Join(s.dir, "artifacts", "network-shortage")
	b, err := os.ReadFile(filepath.Join(registry, "aliases", "champion"))
	if err == nil {
		err = json.Unmarshal(b, &alias)
	}
	if err != nil {
		t.Fatal(err)
	}
	spoilVersion(t, s, alias.Version)
}

// TestServeClassicSurface holds the fields and metrics that clients rely on.
func TestServeClassicSurface(t *testing.T) {
	t.Parallel()
	s := trained(t)
	s.must(t, "publish")
	p := s.start(t, "serve")
	p.get(t, "/health").want(t, 200, "status", "service", "version", "model_loaded")
	m := p.get(t, "/model")
	m.want(t, 200, "version", "features")
	p.post(t, "/predict", "{}").want(t, 200, "y", "proba", "version")
	p.post(t, "/predict", "").want(t, 200, "y", "proba", "version")
	p.post(t, "/predict", classicBody).want(t, 200, "y", "proba", "version", "imputed")
	p.post(t, "/explain", classicBody).want(t, 200, "y", "proba", "version", "explanation", "llm_used")

	for _, bad := range []struct{ name, body, says string }{
		{"cut off", `{"features": {"free_bikes": 3`, ""},
		{"a list", `[1]`, ""},
		{"a text for a number", strings.Replace(classicBody, "300", `"many"`, 1), "free_bikes"},
		{"null", strings.Replace(classicBody, "300", "null", 1), "free_bikes"},
		{"one missing", strings.Replace(classicBody, `"wind_speed_10m"`, `"wind"`, 1), "wind_speed_10m"},
		{"huge", strings.Replace(classicBody, "300", "1e999", 1), ""},
		{"HTML", "<html>", ""},
	} {
		a := p.post(t, "/predict", bad.body)
		if a.status != 400 && a.status != 422 {
			t.Errorf("%s: status %d: %s", bad.name, a.status, a.body)
		}
		a.want(t, a.status, "type", "title", "status", "detail")
		if !strings.Contains(a.body, bad.says) {
			t.Errorf("%s: does not name %q: %s", bad.name, bad.says, a.body)
		}
	}
	p.post(t, "/predict", `{"features": "`+strings.Repeat("x", 2<<20)+`"}`).want(t, 413, "detail")
	p.get(t, "/predict").want(t, 405, "detail")
	p.get(t, "/no-such-page").want(t, 404, "detail")

	text := p.get(t, "/metrics").body
	for _, name := range []string{
		`http_requests_total{endpoint="/predict",status="200"} 3`, `http_requests_total{endpoint="/health",status="200"} 1`,
		`http_request_duration_seconds_count`, "\nmodel_loaded 1\n", `model_version_info{version="`,
		`prediction_score_distribution_count`, `predictions_total{model_version="`, "\nmodel_f1_score ", `prediction_latency_seconds_count`,
	} {
		if !strings.Contains(text, name) {
			t.Errorf("/metrics lacks %q", name)
		}
	}
	for _, name := range features.ClassicInputs() {
		if !strings.Contains(classicBody, `"`+name+`"`) {
			t.Errorf("the test sends no %s", name)
		}
	}
	p.stop(t)
}

// TestServeStaleData keeps the newest stored row from answering for now once
// it is too old.
func TestServeStaleData(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	s.must(t, "dataset", "--source", "sim", "--days", "45", "--out", "frozen")
	s.must(t, "retrain", "--dataset", "frozen")
	empty := s.start(t, "serve")
	empty.post(t, "/predict", "{}").want(t, 503, "detail", "missing")
	empty.post(t, "/predict", classicBody).want(t, 200, "y")
	empty.stop(t)

	if err := os.WriteFile(filepath.Join(s.dir, "old.csv"), []byte("ts,network,station_id,free_bikes,empty_slots\n2026-01-01T00:00:00Z,here,a,3,7\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s.must(t, "import", "old.csv")
	stale := s.start(t, "serve")
	a := stale.post(t, "/predict", "{}")
	a.want(t, 503, "detail", "missing")
	stale.stop(t)
	// As if it were then, the same row counts.
	replay := s.start(t, "serve", "--source", "replay")
	if h := replay.get(t, "/health"); h.json["source"] != "replay" {
		t.Errorf("health of a replay: %s", h.body)
	}
	replay.stop(t)
}

// TestServeStoreGoesAway takes the database from under a server, and gives it
// back.
func TestServeStoreGoesAway(t *testing.T) {
	t.Parallel()
	database := pgtest.Start(t)
	s := trained(t, "DATABASE_URL="+database.URL())
	s.must(t, "publish")
	p := s.start(t, "serve")
	p.post(t, "/predict", "{}").want(t, 200, "y")

	database.Stop(t)
	if h := p.get(t, "/health"); h.json["status"] != "degraded" || h.json["model_loaded"] != true {
		t.Errorf("health without the database: %d %s", h.status, h.body)
	}
	p.post(t, "/predict", classicBody).want(t, 200, "y", "proba")
	eventually(t, "the last answer from the store to be too old", func() bool {
		return p.post(t, "/predict", "{}").status == 503
	})
	p.get(t, "/dashboard").want(t, 200)
	failed := s.refused(t, exitFailed, "train")
	if !strings.Contains(failed, "cannot connect") {
		t.Errorf("train without the database: %s", failed)
	}

	database.Restart(t)
	eventually(t, "an answer from the database that is back", func() bool {
		return p.post(t, "/predict", "{}").status == 200
	})
	if h := p.get(t, "/health"); h.json["status"] != "ok" {
		t.Errorf("health with the database back: %s", h.body)
	}
	p.stop(t)
}

// TestServeFinishesRequests interrupts the server while a request is under
// way: half of it has been sent.
func TestServeFinishesRequests(t *testing.T) {
	t.Parallel()
	s := trained(t)
	s.must(t, "publish")
	p := s.start(t, "serve")
	conn, err := net.Dial("tcp", strings.TrimPrefix(p.base, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(patience))
	send := func(text string) {
		if _, err := conn.Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	read := func(want string) {
		got := make([]byte, len(want))
		if _, err := io.ReadFull(conn, got); err != nil || string(got) != want {
			t.Fatalf("the server says %q, %v, want %q", got, err, want)
		}
	}
	// The server asks for the body when the request is in its hands.
	send("POST /predict HTTP/1.1\r\nHost: here\r\nContent-Type: application/json\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n")
	read("HTTP/1.1 100 Continue\r\n\r\n")
	send("{")
	if err := p.cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the server to take no more", func() bool {
		c, err := net.Dial("tcp", strings.TrimPrefix(p.base, "http://"))
		if err == nil {
			c.Close()
		}
		return err != nil
	})
	send("}")
	read("HTTP/1.1 200 OK\r\n")
	p.wantEnd(t)
}
