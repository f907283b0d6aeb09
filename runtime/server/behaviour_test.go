package server

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"livelab/pipeline/dataset"
	"livelab/pipeline/features"
	"livelab/pipeline/features/featurestest"
	"livelab/pipeline/model"
	"livelab/runtime/loader"
	"livelab/runtime/predlog"
)

func TestPredictionsAreLogged(t *testing.T) {
	t.Parallel()
	s := setup(t)
	do(s.Handler(), "POST", "/predict", `{"features":`+classic+`}`, "X-Request-Id", "one")
	do(s.Handler(), "POST", "/explain", "", "X-Request-Id", "two")
	do(s.Handler(), "POST", "/predict", `{"features":{}}`)
	for _, path := range []string{"/dashboard", "/metrics", "/health", "/api/status"} {
		do(s.Handler(), "GET", path, "")
	}
	got := s.log.logged()
	if len(got) != 2 {
		t.Fatalf("%d predictions logged, want 2", len(got))
	}
	given, stored := got[0], got[1]
	if given.RequestID != "one" || given.Network != "" || !given.AsOf.IsZero() || given.Probability != stored.Probability {
		t.Errorf("given features logged as %+v", given)
	}
	if stored.RequestID != "two" || stored.Network != "oslo-bysykkel" || !stored.AsOf.Equal(noon.Add(-3*time.Minute)) ||
		stored.Model != "network-shortage" || stored.Version != "v1" || stored.Digest != s.models.current.Digest ||
		stored.Threshold != 0.4 || stored.HorizonHours != 1 || stored.Positive || !stored.At.Equal(noon) {
		t.Errorf("stored row logged as %+v", stored)
	}
	want := newestRow(t).Values
	delete(want, "unix_time") // not the model's
	if !maps.Equal(stored.Features.Map(), want) || !maps.Equal(given.Features.Map(), want) {
		t.Errorf("features %v and %v, want %v", given.Features, stored.Features, want)
	}
}

func TestPredictionsAreListed(t *testing.T) {
	t.Parallel()
	s := setup(t)
	for i := range 3 {
		s.log.Add([]predlog.Prediction{{
			ID: fmt.Sprint("id", i), At: noon, Version: "v1", Network: "oslo-bysykkel", Probability: 0.25, Threshold: 0.4,
			HorizonHours: 1, Latency: time.Millisecond, Features: predlog.FeaturesOf(map[string]float64{"temp_2m": 10}),
		}})
	}
	body := do(s.Handler(), "GET", "/api/predictions?limit=2", "").Body.String()
	for _, part := range []string{`"id":"id0","at":"2026-05-11T12:00:00Z"`, `"y":0,"proba":0.25,"threshold":0.4,"horizon_minutes":60,"latency_seconds":0.001,"features":{"temp_2m":10}`, `"as_of":null`} {
		if !strings.Contains(body, part) {
			t.Errorf("no %s in %s", part, body)
		}
	}
	if strings.Contains(body, "id2") {
		t.Error("more than the limit")
	}
}

func TestMetrics(t *testing.T) {
	t.Parallel()
	s := setup(t)
	h := s.Handler()
	do(h, "POST", "/predict", "")
	do(h, "POST", "/predict", `{"features":`+strings.Replace(classic, "0.4", "0.1", 1)+`}`)
	do(h, "POST", "/predict", `[]`)
	do(h, "POST", "/explain", "")
	do(h, "GET", "/predict", "")
	do(h, "GET", "/a", "")
	do(h, "GET", "/b", "")
	want := `
# HELP http_requests_total Requests answered, by route and status. What fits no route is unmatched.
# TYPE http_requests_total counter
http_requests_total{endpoint="/explain",status="200"} 1
http_requests_total{endpoint="/predict",status="200"} 2
http_requests_total{endpoint="/predict",status="400"} 1
http_requests_total{endpoint="unmatched",status="404"} 2
http_requests_total{endpoint="unmatched",status="405"} 1
# HELP model_f1_score F1 of the model in service on the test part of its training.
# TYPE model_f1_score gauge
model_f1_score 0.891
# HELP model_loaded Whether a model is in service.
# TYPE model_loaded gauge
model_loaded 1
# HELP model_version_info The model version in service; always 1.
# TYPE model_version_info gauge
model_version_info{version="v1"} 1
# HELP predictions_total Predictions answered, by class (1 is a shortage) and model version.
# TYPE predictions_total counter
predictions_total{model_version="v1",predicted_class="0"} 2
predictions_total{model_version="v1",predicted_class="1"} 1
`
	names := []string{"http_requests_total", "model_f1_score", "model_loaded", "model_version_info", "predictions_total"}
	if err := testutil.GatherAndCompare(s.registry, strings.NewReader(want), names...); err != nil {
		t.Error(err)
	}
	scrape := do(h, "GET", "/metrics", "").Body.String()
	for _, line := range []string{
		`http_request_duration_seconds_count{endpoint="/predict"} 3`,
		`prediction_score_distribution_count 3`, `prediction_score_distribution_bucket{le="0.3"} 2`,
		`prediction_latency_seconds_count 3`,
	} {
		if !strings.Contains(scrape, line) {
			t.Errorf("no %s", line)
		}
	}
	problems, err := testutil.GatherAndLint(s.registry)
	if err != nil || len(problems) > 0 {
		t.Errorf("problems %v, error %v", problems, err)
	}
}

func TestPanicIsAProblem(t *testing.T) {
	t.Parallel()
	s := setup(t, withRows(panicking{}))
	w := do(s.Handler(), "POST", "/predict", "")
	checkForm(t, w.Result(), w.Body.Bytes())
	if w.Code != 500 || strings.Contains(w.Body.String(), "goroutine") || strings.Contains(w.Body.String(), "out of luck") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	log := s.logged.String()
	if !strings.Contains(log, "out of luck") || !strings.Contains(log, "behaviour_test.go") || !strings.Contains(log, `"status":500`) {
		t.Errorf("the log does not say where: %s", log)
	}
	if n := testutil.ToFloat64(s.metrics.requests.WithLabelValues("/predict", "500")); n != 1 {
		t.Errorf("counted %v times", n)
	}
}

type panicking struct{}

func (panicking) Newest(context.Context, features.Task, string) (dataset.Row, error) {
	panic("out of luck")
}

func TestAccessLog(t *testing.T) {
	t.Parallel()
	s := setup(t, withStoreDown)
	do(s.Handler(), "GET", "/health", "")
	if s.logged.Len() > 0 {
		t.Errorf("a health check is logged: %s", s.logged)
	}
	do(s.Handler(), "POST", "/predict", "", "X-Request-Id", "abc")
	for _, part := range []string{`"level":"WARN"`, `"request_id":"abc"`, `"path":"/predict"`, `"status":503`, "connection refused"} {
		if !strings.Contains(s.logged.String(), part) {
			t.Errorf("no %s in %s", part, s.logged)
		}
	}
}

// half is a transform that refuses 13 and makes too much of 14.
var half = featurestest.New("half", []string{"free_bikes"}, []string{"bikes"}, func(in, out []float64) error {
	switch out[0] = in[0] / 2; in[0] {
	case 13:
		return featurestest.Refuse("half", "13 free_bikes are unlucky")
	case 14:
		out[0] = math.Inf(1)
	}
	return nil
})

func TestTransformsComputeInputs(t *testing.T) {
	t.Parallel()
	m := testModel()
	m.Inputs = append(m.Inputs, model.Input{Name: "half.bikes", Mean: 200, Scale: 100, Weight: 10, Optional: true})
	m.Transforms = []features.TransformSpec{half.Pin}
	s := setup(t, func(_ *Config, d *Deps) { d.Models = &models{current: load(t, m, "v1", half)} })

	if w := do(s.Handler(), "POST", "/predict", ""); w.Code != 200 || !strings.Contains(w.Body.String(), `"proba":0.268`) {
		t.Errorf("at the mean: %d %s", w.Code, w.Body)
	}
	more := strings.Replace(classic, `"free_bikes":400`, `"free_bikes":600`, 1)
	w := do(s.Handler(), "POST", "/explain", `{"features":`+more+`}`)
	if w.Code != 200 || !strings.Contains(w.Body.String(), `{"feature":"half.bikes","value":300,"contribution":10,"imputed":false,"weight":10,"mean":200,"sd":100,"transform":{"name":"half","version":"1.0.0","digest":"`+half.Pin.Digest+`"}}`) {
		t.Errorf("above the mean: %d %s", w.Code, w.Body)
	}
	for _, tt := range []struct {
		bikes  string
		status int
		want   string
	}{
		{"13", 422, `"errors":[{"field":"transforms.half","detail":"13 free_bikes are unlucky"}]`},
		{"14", 400, "too far"},
	} {
		body := strings.Replace(classic, `"free_bikes":400`, `"free_bikes":`+tt.bikes, 1)
		w = do(s.Handler(), "POST", "/predict", `{"features":`+body+`}`)
		if w.Code != tt.status || !strings.Contains(w.Body.String(), tt.want) {
			t.Errorf("%s bikes, refused by the transform or beyond the model: %d %s", tt.bikes, w.Code, w.Body)
		}
	}
	unlucky := newestRow(t)
	unlucky.Values["free_bikes"] = 13
	stored := setup(t, withRows(rows{row: unlucky}), func(_ *Config, d *Deps) { d.Models = s.deps.Models })
	for _, path := range []string{"/predict", "/explain"} {
		if w := do(stored.Handler(), "POST", path, ""); w.Code != 422 || !strings.Contains(w.Body.String(), "the transform half refuses the row: 13 free_bikes are unlucky") {
			t.Errorf("a stored row that the transform refuses: %d %s", w.Code, w.Body)
		}
	}
	w = do(s.Handler(), "POST", "/predict", `{"features":{"half.bikes":1}}`)
	if !strings.Contains(w.Body.String(), `"features.half.bikes","detail":"is not a feature`) {
		t.Errorf("an output as a feature: %d %s", w.Code, w.Body)
	}
}

// TestImputedNamesWhatAClientCanSend has a client follow the answer: what it
// names can be sent, and then nothing is imputed, of a derived input neither.
func TestImputedNamesWhatAClientCanSend(t *testing.T) {
	t.Parallel()
	m := testModel()
	m.Defaults = map[string]float64{features.Threshold: 0.25}
	for _, name := range []string{"margin", "margin_lag_30m", "margin_yesterday"} {
		m.Inputs = append(m.Inputs, model.Input{Name: name, Mean: 0.1, Scale: 0.1, Weight: -1, Optional: true})
	}
	s := setup(t, func(_ *Config, d *Deps) { d.Models = &models{current: load(t, m, "v1")} })
	row := make(map[string]float64)
	if err := json.Unmarshal([]byte(classic), &row); err != nil {
		t.Fatal(err)
	}

	missing, imputed := explained(t, s, row)
	if want := []string{"climatology", "shortage_threshold", "free_ratio_lag_30m", "free_ratio_yesterday"}; !slices.Equal(missing, want) {
		t.Errorf("missing are %q, want %q", missing, want)
	}
	if want := []string{"climatology", "margin", "margin_lag_30m", "margin_yesterday"}; !slices.Equal(imputed, want) {
		t.Errorf("imputed inputs are %q, want %q", imputed, want)
	}
	for _, name := range missing {
		row[name] = 0.25
	}
	if missing, imputed = explained(t, s, row); len(missing)+len(imputed) > 0 {
		t.Errorf("with all that was missing: %q are missing, %q imputed", missing, imputed)
	}
}

// explained sends a row to /explain, and gives what the answer says is missing
// and the inputs that it calls imputed, sorted.
func explained(t *testing.T, s *testServer, row map[string]float64) (missing, imputed []string) {
	t.Helper()
	body, err := json.Marshal(map[string]any{"features": row})
	if err != nil {
		t.Fatal(err)
	}
	w := do(s.Handler(), "POST", "/explain", string(body))
	var e explanation
	if err := json.Unmarshal(w.Body.Bytes(), &e); err != nil || w.Code != 200 {
		t.Fatalf("%d %s: %v", w.Code, w.Body, err)
	}
	for _, c := range e.Contributions {
		if c.Imputed {
			imputed = append(imputed, c.Feature)
		}
	}
	slices.Sort(imputed)
	return e.Imputed, imputed
}

// slow answers when it is told to.
type slow struct {
	rows
	entered, leave chan struct{}
}

func (s slow) Newest(ctx context.Context, task features.Task, network string) (dataset.Row, error) {
	close(s.entered)
	<-s.leave
	return s.rows.Newest(ctx, task, network)
}

// start runs a server on a port of its own.
func start(t *testing.T, s *testServer) (address string, stop context.CancelFunc, ended <-chan error) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx, l) }()
	return l.Addr().String(), cancel, done
}

func TestShutdownLetsRequestsFinish(t *testing.T) {
	t.Parallel()
	r := slow{rows{row: newestRow(t)}, make(chan struct{}), make(chan struct{})}
	address, stop, ended := start(t, setup(t, withRows(r)))
	answered := make(chan int, 1)
	go func() {
		resp, err := http.Post("http://"+address+"/predict", "", nil)
		if err != nil {
			t.Error(err)
			answered <- 0
			return
		}
		defer resp.Body.Close()
		answered <- resp.StatusCode
	}()
	<-r.entered
	stop()
	for { // the listener closes first
		c, err := net.Dial("tcp", address)
		if err != nil {
			break
		}
		c.Close()
	}
	close(r.leave)
	if code := <-answered; code != 200 {
		t.Errorf("the request under way got %d", code)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func TestShutdownDoesNotWaitForEver(t *testing.T) {
	t.Parallel()
	r := slow{rows{row: newestRow(t)}, make(chan struct{}), make(chan struct{})}
	s := setup(t, withRows(r), func(c *Config, _ *Deps) { c.DrainTimeout = 10 * time.Millisecond })
	address, stop, ended := start(t, s)
	go func() {
		if resp, err := http.Post("http://"+address+"/predict", "", nil); err == nil {
			resp.Body.Close()
		}
	}()
	<-r.entered
	stop()
	if err := <-ended; err == nil || !strings.Contains(err.Error(), "cut off") {
		t.Errorf("error %v", err)
	}
	close(r.leave)
}

// TestRawConnections sends what no HTTP client would.
func TestRawConnections(t *testing.T) {
	t.Parallel()
	s := setup(t, func(c *Config, _ *Deps) { c.MaxHeader = 4096 })
	address, stop, ended := start(t, s)
	for name, tt := range map[string]struct{ request, status string }{
		"a header without end":   {"GET /health HTTP/1.1\r\nHost: x\r\nX: " + strings.Repeat("x", 20_000) + "\r\n\r\n", "431"},
		"a body too large":       {"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\n\r\n", "413"},
		"a chunked one":          {"POST /predict HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n200000\r\n" + strings.Repeat(" ", 0x200000) + "\r\n0\r\n\r\n", "413"},
		"a body that stops":      {"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n{\"", "400"},
		"not HTTP":               {"hello\r\n\r\n", "400"},
		"a length that is wrong": {"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n", "400"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := exchange(t, address, tt.request); got != tt.status {
				t.Errorf("status %s, want %s", got, tt.status)
			}
		})
	}
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func exchange(t *testing.T, address, request string) (status string) {
	t.Helper()
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	go func() { // the server may hang up before it has read all
		_, _ = io.WriteString(c, request)
		_ = c.(*net.TCPConn).CloseWrite()
	}()
	line, err := bufio.NewReader(c).ReadString('\n')
	fields := strings.Fields(line)
	if err != nil || len(fields) < 2 {
		t.Fatalf("answer %q: %v", line, err)
	}
	return fields[1]
}

// TestConcurrentReload has requests and reloads meet; the race detector looks
// on, and each answer must come from one model, whole.
func TestConcurrentReload(t *testing.T) {
	t.Parallel()
	s := setup(t)
	versions := []*loader.Loaded{load(t, testModel(), "v1")}
	other := testModel()
	other.Intercept = 3
	versions = append(versions, load(t, other, "v2"))
	done := make(chan struct{})
	go func() {
		defer close(done)
		for i := range 200 {
			s.models.mu.Lock()
			s.models.current = versions[i%2]
			s.models.mu.Unlock()
		}
	}()
	for range 200 {
		body := do(s.Handler(), "POST", "/predict", "").Body.String()
		whole := slices.ContainsFunc([][2]string{{`"proba":0.268`, `"version":"v1"`}, {`"proba":0.952`, `"version":"v2"`}}, func(p [2]string) bool {
			return strings.Contains(body, p[0]) && strings.Contains(body, p[1])
		})
		if !whole {
			t.Fatalf("mixed: %s", body)
		}
	}
	<-done
}

func TestDepsAreChecked(t *testing.T) {
	t.Parallel()
	if _, err := New(Config{}, Deps{}); err == nil {
		t.Error("a server of nothing was made")
	}
	s := setup(t)
	if _, err := New(Config{}, s.deps); err == nil {
		t.Error("metrics were registered twice without an error")
	}
	deps := s.deps
	deps.Registerer = nil
	if _, err := New(Config{}, deps); err == nil {
		t.Error("a server without a metrics registry was made")
	}
}
