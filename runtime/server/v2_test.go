package server

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
)

// want checks an answer's status, and gives its JSON.
func want(t *testing.T, w *httptest.ResponseRecorder, status int) map[string]any {
	t.Helper()
	var body map[string]any
	if err := json.Unmarshal(w.Body.Bytes(), &body); err != nil {
		t.Fatalf("status %d, body %q: %v", w.Code, w.Body, err)
	}
	if w.Code != status {
		t.Fatalf("status %d, want %d: %s", w.Code, status, w.Body)
	}
	return body
}

// wantV2Problem checks an error: the protocol's member and the problem's, of
// which errors are given as "field detail", a part of each.
func wantV2Problem(t *testing.T, w *httptest.ResponseRecorder, status int, errs ...string) {
	t.Helper()
	body := want(t, w, status)
	message, _ := body["error"].(string)
	if message == "" || body["type"] == nil || body["status"] != float64(status) || body["request_id"] == "" {
		t.Errorf("the error is %s", w.Body)
	}
	if got := w.Header().Get("Content-Type"); got != "application/problem+json" {
		t.Errorf("the content type is %q", got)
	}
	fields, _ := body["errors"].([]any)
	if len(errs) == 0 {
		return
	}
	var got []string
	for _, f := range fields {
		e := f.(map[string]any)
		got = append(got, strings.TrimSpace(e["field"].(string)+" "+e["detail"].(string)))
	}
	if len(got) != len(errs) {
		t.Fatalf("errors are %q, want %q", got, errs)
	}
	for i := range errs {
		if !strings.HasPrefix(got[i], errs[i]) {
			t.Errorf("error %d is %q, want %q", i, got[i], errs[i])
		}
		if i < 3 && !strings.Contains(message, errs[i]) {
			t.Errorf("the protocol's message %q does not tell %q", message, errs[i])
		}
	}
}

func TestV2Server(t *testing.T) {
	t.Parallel()
	s := setup(t)
	for _, path := range []string{"/v2", "/v2/"} {
		body := want(t, do(s.Handler(), "GET", path, ""), 200)
		if body["name"] != "livelab" || body["version"] != "1.2.3" || len(body["extensions"].([]any)) != 0 {
			t.Errorf("%s is %v", path, body)
		}
	}
	withAll := setup(t, func(_ *Config, d *Deps) { d.Repository = &repository{} })
	body := want(t, do(withAll.Handler(), "GET", "/v2", ""), 200)
	if got := body["extensions"].([]any); len(got) != 1 || got[0] != "model_repository" {
		t.Errorf("extensions are %v", got)
	}
}

func TestV2Health(t *testing.T) {
	t.Parallel()
	s, empty, ends := setup(t), setup(t, withoutModel), setup(t)
	ends.draining.Store(true)
	for _, tt := range []struct {
		s      *testServer
		path   string
		status int
		body   string // where the status is 200
	}{
		{s, "/v2/health/live", 200, `{"live":true}`},
		{empty, "/v2/health/live", 200, `{"live":true}`},
		{ends, "/v2/health/live", 200, `{"live":true}`},
		{s, "/v2/health/ready", 200, `{"live":true,"ready":true}`},
		{empty, "/v2/health/ready", 503, ""},
		{ends, "/v2/health/ready", 503, ""},
		{s, "/v2/models/network-shortage/ready", 200, `{"name":"network-shortage","ready":true}`},
		{s, "/v2/models/network-shortage/versions/v1/ready", 200, `{"name":"network-shortage","ready":true}`},
		{s, "/v2/models/network-shortage/versions/v2/ready", 404, ""},
		{s, "/v2/models/other/ready", 404, ""},
		{empty, "/v2/models/network-shortage/ready", 503, ""},
		{empty, "/v2/models/network-shortage", 503, ""},
	} {
		w := do(tt.s.Handler(), "GET", tt.path, "")
		if tt.status != 200 {
			wantV2Problem(t, w, tt.status)
		} else if w.Code != 200 || w.Body.String() != tt.body {
			t.Errorf("GET %s: %d %s, want %s", tt.path, w.Code, w.Body, tt.body)
		}
		if head := do(tt.s.Handler(), "HEAD", tt.path, ""); head.Code != tt.status {
			t.Errorf("HEAD %s: %d, want %d", tt.path, head.Code, tt.status)
		}
	}
}

// A path that names nothing is answered like everything on /v2, whatever is in
// the place of a name.
func TestV2Paths(t *testing.T) {
	t.Parallel()
	s := setup(t)
	for _, tt := range []struct {
		method, path string
		status       int
	}{
		{"GET", "/v2/models", 404},
		{"GET", "/v2/nothing", 404},
		{"GET", "/v2/models/..", 404},
		{"GET", "/v2/models/%2e%2e/versions/%2e%2e", 404},
		{"GET", "/v2/models/network-shortage/versions/..", 404},
		{"GET", "/v2/models/network-shortage/versions/../../../health", 404},
		{"GET", "/v2/models/a%2Fb", 404},
		{"GET", "/v2/models/%00%ff:%0a", 404},
		{"GET", "/v2/models/:model", 404},
		{"GET", "/v2/models//ready", 404},
		{"POST", "/v2/models/%F0%9F%9A%B2/infer", 404},
		{"POST", "/v2/models/" + strings.Repeat("x", 4000) + "/infer", 404},
		{"GET", "/v2/models/network-shortage/infer", 405},
		{"POST", "/v2/models/network-shortage", 405},
		{"DELETE", "/v2/health/live", 405},
		{"GET", "/v2/repository/index", 405},
	} {
		w := do(s.Handler(), tt.method, tt.path, "")
		wantV2Problem(t, w, tt.status)
		if w.Body.Len() > 2000 {
			t.Errorf("%s %.40s…: answered with %d bytes", tt.method, tt.path, w.Body.Len())
		}
	}
	if w := do(s.Handler(), "GET", "/v2x", ""); strings.Contains(w.Body.String(), `"error"`) {
		t.Errorf("what is not the protocol's has its member: %s", w.Body)
	}
	if w := do(s.Handler(), "GET", "/v2/models/network%2Dshortage", ""); w.Code != 200 {
		t.Errorf("an encoded name: %d %s", w.Code, w.Body)
	}
}

func TestV2Metadata(t *testing.T) {
	t.Parallel()
	s := setup(t)
	for _, path := range []string{"/v2/models/network-shortage", "/v2/models/network-shortage/versions/v1"} {
		w := do(s.Handler(), "GET", path, "")
		want(t, w, 200)
		var got struct {
			Name, Platform  string
			Versions        []string
			Inputs, Outputs []struct {
				Name, Datatype string
				Shape          []int
			}
			Properties map[string]string
		}
		d := json.NewDecoder(w.Body)
		d.DisallowUnknownFields()
		if err := d.Decode(&got); err != nil {
			t.Fatal(err)
		}
		if got.Name != "network-shortage" || got.Platform != "livelab_logistic" || !slices.Equal(got.Versions, []string{"v1"}) {
			t.Errorf("got %+v", got)
		}
		var inputs []string
		for _, in := range append(got.Inputs, got.Outputs...) {
			inputs = append(inputs, in.Name+" "+in.Datatype)
			if !slices.Equal(in.Shape, []int{-1}) {
				t.Errorf("%s has the shape %v", in.Name, in.Shape)
			}
		}
		// As GET /model has them.
		wanted := []string{"stations_count FP64", "free_bikes FP64", "empty_slots FP64", "total_slots FP64", "free_ratio FP64", "temp_2m FP64",
			"precipitation FP64", "wind_speed_10m FP64", "climatology FP64", "predict INT64", "predict_proba FP64"}
		if !slices.Equal(inputs, wanted) {
			t.Errorf("tensors are %q, want %q", inputs, wanted)
		}
		for name, value := range map[string]string{
			"model_digest": s.models.current.Digest, "dataset_digest": "d", "threshold": "0.4", "horizon_minutes": "60", "max_rows": "10000",
			"target_rule":               "free_ratio(t+60min) < q20 of 14 days",
			"required":                  "stations_count,free_bikes,empty_slots,total_slots,free_ratio,temp_2m,precipitation,wind_speed_10m",
			"features":                  "stations_count,free_bikes,empty_slots,total_slots,free_ratio,temp_2m,precipitation,wind_speed_10m,climatology",
			"input.free_bikes.required": "true", "input.climatology.required": "false", "input.free_ratio.min": "0", "input.free_ratio.max": "1",
			"input.temp_2m.unit": "°C", "input.temp_2m.doc": "air temperature at 2 m",
		} {
			if got.Properties[name] != value {
				t.Errorf("the property %s is %q, want %q", name, got.Properties[name], value)
			}
		}
		if doc := got.Properties["doc"]; !strings.Contains(doc, "[n, 8]") || !strings.Contains(doc, "[n, 9]") {
			t.Errorf("the doc is %q", doc)
		}
	}
}

func TestV2MetadataNamesTransforms(t *testing.T) {
	t.Parallel()
	s := setup(t)
	m := testModel()
	m.Transforms = append(m.Transforms, picky.Pin)
	s.models.current = load(t, m, "v1", picky)
	body := want(t, do(s.Handler(), "GET", "/v2/models/network-shortage", ""), 200)
	if got := body["properties"].(map[string]any)["transform."+picky.Pin.Name]; got != picky.Pin.Digest {
		t.Errorf("the transform's digest is %v, want %s", got, picky.Pin.Digest)
	}
}

// A panic under /v2 is answered in its form, too.
func TestV2Panic(t *testing.T) {
	t.Parallel()
	s := setup(t, func(_ *Config, d *Deps) { d.Repository = &repository{loaded: nil} }) // whose Index panics
	w := do(s.Handler(), "POST", "/v2/repository/index", "")
	wantV2Problem(t, w, http.StatusInternalServerError)
}
