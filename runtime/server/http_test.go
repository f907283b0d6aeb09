package server

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"

	"livelab/pipeline/dataset"
)

// TestSurface is the server's specification: what is asked and what comes
// back.
func TestSurface(t *testing.T) {
	t.Parallel()
	with := func(name, value string) string { // classic features with one more or another value
		return `{"features":` + strings.TrimSuffix(classic, "}") + `,"` + name + `":` + value + `}}`
	}
	replaced := func(name, value string) string {
		var f map[string]any
		if err := json.Unmarshal([]byte(classic), &f); err != nil {
			t.Fatal(err)
		}
		f[name] = json.RawMessage(value)
		b, err := json.Marshal(map[string]any{"features": f})
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	given := `{"features":` + classic + `}`
	stale := withRows(rows{row: newestRow(t, "temp_2m", "wind_speed_10m")})
	missing := withRows(rows{err: &dataset.MissingError{Network: "oslo-bysykkel", Missing: []string{"the newest observation is 2 h old"}}})
	nothing := withRows(rows{err: &dataset.NetworkError{}})
	several := withRows(rows{err: &dataset.NetworkError{Known: []string{"a", "b"}}})

	tests := []struct {
		name    string
		request string // method and path
		body    string
		headers []string
		options []option
		status  int
		want    []string // parts of the answer
		not     []string // what must not be in it
	}{
		{name: "health", request: "GET /health", status: 200,
			want: []string{`"status":"ok"`, `"service":"livelab"`, `"version":"1.2.3"`, `"model_loaded":true`, `"source":"simulated"`, `"store_ok":true`, `"newest_bikes":"2026-05-11T11:57:00Z"`}},
		{name: "health without a model", request: "GET /health", options: []option{withoutModel}, status: 200,
			want: []string{`"status":"ok"`, `"model_loaded":false`, `"model_version":null`}},
		{name: "health without a store", request: "GET /health", options: []option{withStoreDown}, status: 200,
			want: []string{`"status":"degraded"`, `"store_ok":false`}, not: []string{"refused"}},
		{name: "health by HEAD", request: "HEAD /health", status: 200},

		{name: "model", request: "GET /model", status: 200,
			want: []string{`"version":"v1"`, `"features":["stations_count","free_bikes","empty_slots","total_slots","free_ratio","temp_2m","precipitation","wind_speed_10m","climatology"]`,
				`"threshold":0.4`, `"horizon_minutes":60`, `"f1":0.891`, `"pr_auc":null`, `"result":"pass"`}},
		{name: "model without one", request: "GET /model", options: []option{withoutModel}, status: 503,
			want: []string{"problem:no-model"}},

		{name: "predict from the store", request: "POST /predict", body: `{}`, status: 200,
			want: []string{`"y":0`, `"proba":0.268`, `"version":"v1"`, `"network":"oslo-bysykkel"`, `"as_of":"2026-05-11T11:57:00Z"`, `"weather_at":"2026-05-11T11:45:00Z"`, `"imputed":["climatology"]`, `"threshold":0.4`, `"horizon_minutes":60`, `"model_digest":"`}},
		{name: "predict without a body", request: "POST /predict", status: 200, want: []string{`"network":"oslo-bysykkel"`}},
		{name: "predict with white space", request: "POST /predict", body: " \n", status: 200, want: []string{`"network":"oslo-bysykkel"`}},
		{name: "predict without a body, of any type", request: "POST /predict", headers: []string{"Content-Type", "text/plain"}, status: 200},
		{name: "predict for a network", request: "POST /predict", body: `{"network":"oslo-bysykkel"}`, status: 200, want: []string{`"network":"oslo-bysykkel"`}},
		{name: "predict for an unknown network", request: "POST /predict", body: `{"network":"atlantis"}`, status: 404,
			want: []string{"problem:unknown-network", `there is no network \"atlantis\"`, "oslo-bysykkel"}},
		{name: "predict for one of several networks", request: "POST /predict", options: []option{several}, status: 400,
			want: []string{`"field":"network"`, "a, b"}},
		{name: "predict from an empty store", request: "POST /predict", options: []option{nothing}, status: 503, want: []string{"problem:no-data"}},
		{name: "predict from old data", request: "POST /predict", options: []option{missing}, status: 503,
			want: []string{"problem:no-data", `"missing":["the newest observation is 2 h old"]`}},
		{name: "predict without weather", request: "POST /predict", options: []option{stale}, status: 503,
			want: []string{"temp_2m has no value", "wind_speed_10m has no value"}},
		{name: "predict from an unreadable store", request: "POST /predict", options: []option{withStoreDown}, status: 503,
			want: []string{"problem:store-unavailable"}, not: []string{"refused"}},
		{name: "predict without a model", request: "POST /predict", body: given, options: []option{withoutModel}, status: 503, want: []string{"problem:no-model"}},

		{name: "predict from features", request: "POST /predict", body: given, status: 200,
			want: []string{`"y":0`, `"proba":0.268`, `"network":null`, `"as_of":null`, `"imputed":["climatology"]`}},
		{name: "predict a shortage", request: "POST /predict", body: replaced("free_ratio", "0.1"), status: 200, want: []string{`"y":1`, `"proba":0.993`}},
		{name: "predict with an optional feature", request: "POST /predict", body: with("climatology", "0.2"), status: 200, want: []string{`"imputed":[]`}},
		{name: "predict without a store, from features", request: "POST /predict", body: given, options: []option{withStoreDown}, status: 200},
		{name: "escaped names", request: "POST /predict", body: strings.Replace(given, "free_bikes", `free\u005fbikes`, 1), status: 200},

		{name: "all wrong fields at once", request: "POST /predict", body: `{"features":{"free_bikes":"many","empty_slots":null,"temp_2m":[1],"rain":1},"when":"now"}`, status: 400,
			want: []string{`{"field":"features.free_bikes","detail":"must be a number, not a string"}`, `{"field":"features.empty_slots","detail":"must be a number, not null"}`,
				`{"field":"features.temp_2m","detail":"must be a number, not an array"}`, `{"field":"features.rain","detail":"is not a feature of the model`,
				`{"field":"when","detail":"is not a known field`, `{"field":"features.stations_count","detail":"is required"}`, `{"field":"features.wind_speed_10m","detail":"is required"}`},
			not: []string{`{"field":"features.free_bikes","detail":"is required"}`}},
		{name: "no features at all", request: "POST /predict", body: `{"features":{}}`, status: 400, want: []string{`"field":"features.free_ratio","detail":"is required"`}},
		{name: "features null", request: "POST /predict", body: `{"features":null}`, status: 400, want: []string{`"field":"features"`, "not null"}},
		{name: "features twice", request: "POST /predict", body: `{"features":` + classic + `,"features":` + classic + `}`, status: 400, want: []string{`"field":"features","detail":"is there twice"`}},
		{name: "a feature twice", request: "POST /predict", body: with("free_bikes", "1"), status: 400, want: []string{`"field":"features.free_bikes","detail":"is there twice"`}},
		{name: "a wrong feature twice", request: "POST /predict", body: `{"features":{"temp_2m":null,"temp_2m":1}}`, status: 400, want: []string{`"field":"features.temp_2m","detail":"is there twice"`}},
		{name: "a boolean", request: "POST /predict", body: replaced("temp_2m", "true"), status: 400, want: []string{"features.temp_2m", "not true"}},
		{name: "a number as a string", request: "POST /predict", body: replaced("temp_2m", `"12"`), status: 400, want: []string{"features.temp_2m"}},
		{name: "not a number", request: "POST /predict", body: with("climatology", "NaN"), status: 400, want: []string{"features.climatology", "NaN and infinities are not JSON"}},
		{name: "infinity", request: "POST /predict", body: with("climatology", "-Infinity"), status: 400, want: []string{"features.climatology", "NaN and infinities are not JSON"}},
		{name: "a number beyond float64", request: "POST /predict", body: with("climatology", "1e999"), status: 400, want: []string{"features.climatology", "too large"}},
		{name: "a number that cannot be true", request: "POST /predict", body: replaced("free_ratio", "1.7e308"), status: 400, want: []string{"features.free_ratio", "must be from 0 to 1"}},
		{name: "features and a network", request: "POST /predict", body: `{"network":"oslo-bysykkel","features":` + classic + `}`, status: 400, want: []string{`"field":"network"`}},
		{name: "a network that is no string", request: "POST /predict", body: `{"network":7}`, status: 400, want: []string{`"field":"network"`, "not a number"}},
		{name: "an empty network", request: "POST /predict", body: `{"network":""}`, status: 400, want: []string{`"field":"network"`}},
		{name: "a language to predict in", request: "POST /predict", body: `{"language":"en"}`, status: 400, want: []string{`"field":"language"`}},
		{name: "an array", request: "POST /predict", body: `[]`, status: 400, want: []string{"must be a JSON object, not an array"}},
		{name: "null", request: "POST /predict", body: `null`, status: 400, want: []string{"must be a JSON object, not null"}},
		{name: "a string", request: "POST /predict", body: `"{}"`, status: 400, want: []string{"must be a JSON object, not a string"}},
		{name: "trailing garbage", request: "POST /predict", body: `{} {}`, status: 400, want: []string{"more text after the object"}},
		{name: "truncated", request: "POST /predict", body: given[:len(given)-1], status: 400, want: []string{"not valid JSON"}},
		{name: "no JSON", request: "POST /predict", body: `hello`, status: 400, want: []string{"not valid JSON"}},
		{name: "a trailing comma", request: "POST /predict", body: `{"features":{},}`, status: 400, want: []string{"not valid JSON"}},
		{name: "nested deeply", request: "POST /predict", body: `{"features":` + strings.Repeat(`[`, 100_000), status: 400, want: []string{"nested more than 32 deep"}},
		{name: "thousands of wrong fields", request: "POST /predict", body: `{"a":1` + strings.Repeat(`,"a":1`, 5000) + `}`, status: 400, want: []string{"and 4901 more errors"}},
		{name: "a name that is no text", request: "POST /predict", body: "{\"\xff\xfe\":1}", status: 400, want: []string{"a string that is not UTF-8 at byte 1"}},
		{name: "too large", request: "POST /predict", body: `{"features":{"x":"` + strings.Repeat("x", 1<<20) + `"}}`, status: 413, want: []string{"problem:body-too-large", "1048576 bytes"}},
		{name: "a form", request: "POST /predict", body: `{}`, headers: []string{"Content-Type", "application/x-www-form-urlencoded"}, status: 415, want: []string{"send application/json"}},
		{name: "JSON with a charset", request: "POST /predict", body: `{}`, headers: []string{"Content-Type", "application/json; charset=utf-8"}, status: 200},
		{name: "JSON of a kind", request: "POST /predict", body: `{}`, headers: []string{"Content-Type", "application/vnd.api+json"}, status: 200},
		{name: "a content type that cannot be read", request: "POST /predict", body: `{}`, headers: []string{"Content-Type", "?"}, status: 415},
		{name: "compressed", request: "POST /predict", body: `{}`, headers: []string{"Content-Encoding", "gzip"}, status: 415},

		{name: "explain in Italian", request: "POST /explain", body: given, status: 200,
			want: []string{`"y":0`, `"proba":0.268`, `"version":"v1"`, `"llm_used":false`, `"language":"it"`, `"llm_reason":"not configured"`, "Non si prevede una carenza di bici tra 60 minuti: la probabilità è del 26,9%, sotto la soglia del 40,0%.", "Un dato mancava ed è stato stimato: frequenza abituale delle carenze", `"intercept":-1`, `"log_odds":-1`}},
		{name: "explain in English", request: "POST /explain", body: `{"language":"en"}`, status: 200,
			want: []string{"No shortage of bikes is expected in 60 minutes in the network oslo-bysykkel: the probability is 26.9%"}},
		{name: "explain in English by query", request: "POST /explain?lang=en", status: 200, want: []string{`"language":"en"`}},
		{name: "explain in an unknown language", request: "POST /explain", body: `{"language":"de"}`, status: 400, want: []string{`"field":"language"`, "must be it or en"}},
		{name: "explain the largest part first", request: "POST /explain?lang=en", body: replaced("free_ratio", "0.1"), status: 200,
			want: []string{`"contributions":[{"feature":"free_ratio","value":0.1,"contribution":6.0`, `"weight":-2,"mean":0.4,"sd":0.1,"unit":"ratio","meaning":"free_bikes / total_slots"}`, "A shortage of bikes is expected", "Raising the risk: share of free bikes (10.0%; strong effect)."}},
		{name: "explain in a language that a library prefers", request: "POST /explain", headers: []string{"Accept-Language", "en-US,en"}, status: 200, want: []string{`"language":"it"`}},
		{name: "explain many", request: "POST /explain", body: `{"instances":[]}`, status: 400, want: []string{`{"field":"instances","detail":"is not a known field; known are features, network, station and language"}`}},
		{name: "explain what is missing", request: "POST /explain", body: `{"features":{"temp_2m":1}}`, status: 400, want: []string{"features.free_ratio"}},
		{name: "explain without a model", request: "POST /explain", options: []option{withoutModel}, status: 503, want: []string{"problem:no-model"}},
		{name: "explain without the token", request: "POST /explain", options: []option{withExplainToken}, status: 401, want: []string{"problem:unauthorized"}},
		{name: "explain with a wrong token", request: "POST /explain", headers: []string{"Authorization", "Bearer tell me wh"}, options: []option{withExplainToken}, status: 401, want: []string{"not the right one"}},
		{name: "explain with the token", request: "POST /explain", headers: []string{"Authorization", "Bearer tell me why"}, options: []option{withExplainToken}, status: 200},
		{name: "explain with the classic header", request: "POST /explain", headers: []string{"X-Explain-Token", "tell me why"}, options: []option{withExplainToken}, status: 200},

		{name: "reload without news", request: "POST /reload_model", status: 200, want: []string{`"status":"ok"`, `"version":"v1"`, `"changed":false`}},
		{name: "reload that fails", request: "POST /reload_model", options: []option{withoutModel}, status: 503,
			want: []string{"problem:reload-failed", "points nowhere", `"model_loaded":false`}},
		{name: "reload without the token", request: "POST /reload_model", options: []option{withAdminToken}, status: 401, want: []string{"problem:unauthorized"}},
		{name: "reload with the token", request: "POST /reload_model", headers: []string{"Authorization", "bearer open sesame"}, options: []option{withAdminToken}, status: 200},
		{name: "reload by another site's page", request: "POST /reload_model", headers: []string{"Sec-Fetch-Site", "cross-site"}, status: 403, want: []string{"problem:cross-origin"}},

		{name: "status", request: "GET /api/status", status: 200,
			want: []string{`"last_ingest":"2026-05-11T11:59:00Z"`, `"model_name":"network-shortage"`, `"verdict":"pass"`, `"now":"2026-05-11T12:00:00Z"`}},
		{name: "status of nothing", request: "GET /api/status", options: []option{withoutModel, withStoreDown}, status: 200,
			want: []string{`"data":[]`, `"model_name":null`}},
		{name: "no predictions yet", request: "GET /api/predictions", status: 200, want: []string{`{"predictions":[]}`}},
		{name: "too many predictions", request: "GET /api/predictions?limit=1001", status: 400, want: []string{`"field":"limit"`}},
		{name: "no number of predictions", request: "GET /api/predictions?limit=all", status: 400, want: []string{`"field":"limit"`}},
		{name: "predictions from an unreadable log", request: "GET /api/predictions", options: []option{withStoreDown}, status: 503, want: []string{"problem:store-unavailable"}},

		{name: "the root", request: "GET /", status: 302},
		{name: "the page", request: "GET /dashboard", status: 200, want: []string{"Simulated data", "27 %", "No shortage expected", "11:57:00 UTC", "3 min ago", "0.891"}},
		{name: "the page without a model", request: "GET /dashboard", options: []option{withoutModel}, status: 200, want: []string{"No model is in service yet", "no forecast without a model"}},
		{name: "the page without a store", request: "GET /dashboard", options: []option{withStoreDown}, status: 200, want: []string{"The store cannot be read", "Live data", "Nothing is stored yet"}},
		{name: "the page for an unknown network", request: "GET /dashboard?network=%3Cscript%3E", status: 200, want: []string{"there is no network"}, not: []string{"<script>"}},
		{name: "the style sheet", request: "GET /assets/livelab.css", status: 200, want: []string{"prefers-color-scheme"}},
		{name: "no such asset", request: "GET /assets/app.js", status: 404, want: []string{"problem:not-found"}},

		{name: "metrics", request: "GET /metrics", status: 200, want: []string{"model_loaded 1", `model_version_info{version="v1"} 1`, "model_f1_score 0.891", `livelab_data_newest_timestamp_seconds{network="oslo-bysykkel"} 1.77850062e+09`}},
		{name: "metrics without a model", request: "GET /metrics", options: []option{withoutModel}, status: 200, want: []string{"model_loaded 0"}, not: []string{"model_f1_score"}},
		{name: "nothing here", request: "GET /wp-login.php", status: 404, want: []string{"problem:not-found", `"instance":"/wp-login.php"`}},
		{name: "a trailing slash", request: "POST /predict/", status: 404},
		{name: "the wrong method", request: "GET /predict", status: 405, want: []string{"problem:method-not-allowed", "takes POST, not GET"}},
		{name: "from another origin", request: "OPTIONS /predict", headers: []string{"Origin", "https://elsewhere.example"}, status: 405},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			method, path, _ := strings.Cut(tt.request, " ")
			w := do(setup(t, tt.options...).Handler(), method, path, tt.body, tt.headers...)
			if w.Code != tt.status {
				t.Errorf("status %d, want %d", w.Code, tt.status)
			}
			for _, part := range tt.want {
				if !strings.Contains(w.Body.String(), part) {
					t.Errorf("no %s", part)
				}
			}
			for _, part := range tt.not {
				if strings.Contains(w.Body.String(), part) {
					t.Errorf("%s is there", part)
				}
			}
			checkForm(t, w.Result(), w.Body.Bytes())
			if t.Failed() {
				t.Logf("answer: %.2000s", w.Body)
			}
		})
	}
}

// checkForm holds every answer to what all of them promise.
func checkForm(t *testing.T, r *http.Response, body []byte) {
	t.Helper()
	if r.Header.Get("X-Request-Id") == "" || r.Header.Get("X-Content-Type-Options") != "nosniff" || r.Header.Get("Content-Security-Policy") == "" {
		t.Errorf("headers are missing: %v", r.Header)
	}
	if r.Header.Get("Access-Control-Allow-Origin") != "" {
		t.Error("the answer may be read by other origins")
	}
	if strings.HasPrefix(r.Header.Get("Content-Type"), "application/json") && !json.Valid(body) {
		t.Errorf("not JSON: %s", body)
	}
	if r.StatusCode < 400 {
		return
	}
	var p Problem
	if err := json.Unmarshal(body, &p); err != nil {
		t.Fatalf("not a problem: %v: %s", err, body)
	}
	if r.Header.Get("Content-Type") != "application/problem+json" || p.Status != r.StatusCode ||
		p.Type == "" || p.Title == "" || p.Detail == "" || p.Instance == "" || p.RequestID != r.Header.Get("X-Request-Id") {
		t.Errorf("not a whole problem: %s %+v", r.Header.Get("Content-Type"), p)
	}
}

func TestReload(t *testing.T) {
	t.Parallel()
	s := setup(t)
	s.models.next = load(t, testModel(), "v2")
	if w := do(s.Handler(), "POST", "/reload_model", ""); !strings.Contains(w.Body.String(), `"version":"v2","changed":true`) {
		t.Errorf("answer %s", w.Body)
	}
	s.models.err = errors.New("model.json was changed after training")
	w := do(s.Handler(), "POST", "/reload_model", "")
	for _, part := range []string{"changed after training", "version v2 serves on", `"model_loaded":true`, `"version":"v2"`} {
		if !strings.Contains(w.Body.String(), part) {
			t.Errorf("no %s in %s", part, w.Body)
		}
	}
	if w := do(s.Handler(), "POST", "/predict", ""); !strings.Contains(w.Body.String(), `"version":"v2"`) {
		t.Errorf("after a failed reload: %s", w.Body)
	}
}

func TestRequestID(t *testing.T) {
	t.Parallel()
	s := setup(t)
	for given, kept := range map[string]bool{
		"abc-123":                true,
		"Root=1-67891233-abcdef": true,
		"":                       false,
		"two words":              false,
		"line\nbreak":            false,
		strings.Repeat("x", 129): false,
	} {
		w := do(s.Handler(), "POST", "/predict", "", "X-Request-Id", given)
		if got := w.Header().Get("X-Request-Id"); (got == given) != kept || got == "" {
			t.Errorf("ID %q was answered for %q", got, given)
		} else if !strings.Contains(w.Body.String(), `"request_id":"`+got+`"`) {
			t.Errorf("the answer has another ID than %q: %s", got, w.Body)
		}
	}
}
