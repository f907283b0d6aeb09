package server

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"livelab/pipeline/dataset"
	"livelab/pipeline/features"
	"livelab/pipeline/model"
)

// changed is the classic row with other values, as name and value in turn.
func changed(pairs ...string) string {
	row := classic
	for i := 0; i < len(pairs); i += 2 {
		before, after, ok := strings.Cut(row, `"`+pairs[i]+`":`)
		if !ok {
			panic("no " + pairs[i])
		}
		end := strings.IndexAny(after, ",}")
		row = before + `"` + pairs[i] + `":` + pairs[i+1] + after[end:]
	}
	return row
}

// manyAnswers is what /predict says of a list, as the standard library reads
// it.
type manyAnswers struct {
	Predictions    []onePrediction `json:"predictions"`
	Version        string          `json:"version"`
	Model          string          `json:"model"`
	ModelDigest    string          `json:"model_digest"`
	Threshold      float64         `json:"threshold"`
	HorizonMinutes int             `json:"horizon_minutes"`
	Network        *string         `json:"network"`
	Station        *string         `json:"station"`
	AsOf           *string         `json:"as_of"`
	AgeSeconds     *int64          `json:"age_seconds"`
	WeatherAt      *string         `json:"weather_at"`
	RequestID      string          `json:"request_id"`
}

type onePrediction struct {
	Y            int      `json:"y"`
	Proba        float64  `json:"proba"`
	Imputed      []string `json:"imputed"`
	PredictionID string   `json:"prediction_id,omitempty"`
}

func TestPredictMany(t *testing.T) {
	t.Parallel()
	s := setup(t)
	short := changed("free_ratio", "0.1")
	known := strings.TrimSuffix(classic, "}") + `,"climatology":0.2}`
	w := do(s.Handler(), "POST", "/predict", `{"instances":[`+classic+`,`+short+`, `+known+`]}`, "X-Request-Id", "abc")
	if w.Code != http.StatusOK {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	var got manyAnswers
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	if got.Version != "v1" || got.Model != "network-shortage" || got.ModelDigest != s.models.current.Digest ||
		got.Threshold != 0.4 || got.HorizonMinutes != 60 || got.RequestID != "abc" || got.Network != nil {
		t.Errorf("shared facts are %+v", got)
	}
	logged := s.log.logged()
	if len(got.Predictions) != 3 || len(logged) != 3 {
		t.Fatalf("%d answers and %d logged for 3 instances: %s", len(got.Predictions), len(logged), w.Body)
	}
	for i, row := range []string{classic, short, known} {
		var one answer
		body := do(setup(t).Handler(), "POST", "/predict", `{"features":`+row+`}`).Body.Bytes()
		if err := json.Unmarshal(body, &one); err != nil {
			t.Fatal(err)
		}
		p := got.Predictions[i]
		if p.Y != one.Y || p.Proba != one.Proba || !slices.Equal(p.Imputed, one.Imputed) {
			t.Errorf("instance %d is answered %+v, alone %+v", i, p, one)
		}
		l := logged[i]
		var want map[string]float64
		if err := json.Unmarshal([]byte(row), &want); err != nil {
			t.Fatal(err)
		}
		if l.ID != p.PredictionID || l.Probability != p.Proba || l.RequestID != "abc" || !maps.Equal(l.Features.Map(), want) {
			t.Errorf("instance %d is logged as %+v", i, l)
		}
	}
	if n := testutil.ToFloat64(s.metrics.predictions.WithLabelValues("0", "v1")) + testutil.ToFloat64(s.metrics.predictions.WithLabelValues("1", "v1")); n != 3 {
		t.Errorf("%v predictions counted, want 3", n)
	}
}

// TestPredictBodies is what a body may be and what not; want are the fields of
// the errors in their order.
func TestPredictBodies(t *testing.T) {
	t.Parallel()
	two := func(second string) string { return `{"instances":[` + classic + `,` + second + `]}` }
	tests := []struct {
		name   string
		body   string
		status int
		fields []string
		detail string // part of the first error's
	}{
		{"no instances", `{"instances":[]}`, 400, []string{"instances"}, "must have at least one element"},
		{"instances that are one object", `{"instances":{}}`, 400, []string{"instances"}, "must be an array of objects, not an object"},
		{"an instance of numbers", two(`[1,2]`), 400, []string{"instances[1]"}, "must be an object of numbers, not an array"},
		{"an instance that is null", two(`null`), 400, []string{"instances[1]"}, "not null"},
		{"an unknown feature in an instance", two(strings.TrimSuffix(classic, "}") + `,"weather":1}`), 400, []string{"instances[1].weather"}, "not a feature"},
		{"text for a number in an instance", two(changed("temp_2m", `"10"`)), 400, []string{"instances[1].temp_2m"}, "must be a number, not a string"},
		{"true, null and an overflow", two(changed("temp_2m", `true`, "free_bikes", "null", "free_ratio", "1e999")), 400,
			[]string{"instances[1].free_bikes", "instances[1].free_ratio", "instances[1].temp_2m"}, "must be a number, not null"},
		{"a feature twice in an instance", two(strings.TrimSuffix(classic, "}") + `,"temp_2m":1}`), 400, []string{"instances[1].temp_2m"}, "is there twice"},
		{"the same feature in two instances", two(changed("temp_2m", "11")), 200, nil, ""},
		{"errors of several instances", `{"instances":[` + changed("temp_2m", "null") + `,` + classic + `,{}]}`, 400, []string{
			"instances[0].temp_2m", "instances[2].stations_count", "instances[2].free_bikes", "instances[2].empty_slots", "instances[2].total_slots",
			"instances[2].free_ratio", "instances[2].temp_2m", "instances[2].precipitation", "instances[2].wind_speed_10m"}, "not null"},
		{"an error is of its instance alone", `{"instances":[` + changed("temp_2m", "null") + `,{}]}`, 400, []string{
			"instances[0].temp_2m", "instances[1].stations_count", "instances[1].free_bikes", "instances[1].empty_slots", "instances[1].total_slots",
			"instances[1].free_ratio", "instances[1].temp_2m", "instances[1].precipitation", "instances[1].wind_speed_10m"}, "not null"},
		{"NaN in an instance", two(changed("temp_2m", "NaN")), 400, []string{"instances[1].temp_2m"}, "NaN and infinities are not JSON"},
		{"an instance that does not end", `{"instances":[` + classic + `,{`, 400, []string{"instances[1]"}, "not valid JSON"},
		{"a comma at the end", two(`]`), 400, []string{"instances[1]"}, "expected a value"},

		{"features and instances", `{"features":` + classic + `,"instances":[` + classic + `]}`, 400, []string{"instances"}, "together with features"},
		{"instances and features", `{"instances":[` + classic + `],"features":` + classic + `}`, 400, []string{"instances"}, "together with features"},
		{"features and a network", `{"network":"oslo-bysykkel","features":` + classic + `}`, 400, []string{"network"}, "together with features"},
		{"features and a station", `{"features":` + classic + `,"station":"1"}`, 400, []string{"station"}, "together with features"},
		{"instances, a network and a station", `{"network":"a","instances":[` + classic + `],"station":"1"}`, 400, []string{"network", "station"}, "together with instances"},
		{"instances twice", `{"instances":[` + classic + `],"instances":[` + classic + `]}`, 400, []string{"instances"}, "is there twice"},
		{"a station twice", `{"station":"1","station":"2"}`, 400, []string{"station"}, "is there twice"},
		{"a station that is a number", `{"station":7}`, 400, []string{"station"}, "must be a string, not a number"},
		{"a station without a name", `{"station":""}`, 400, []string{"station"}, "must not be empty"},
		{"a network with a long name", `{"network":"` + strings.Repeat("x", 257) + `"}`, 400, []string{"network"}, "has 257 bytes, must have at most 256"},
		{"a network that is not known", `{"network":"` + strings.Repeat("x", 256) + `"}`, 404, []string{"network"}, "is not one of"},
		{"a name that no database holds", `{"station":"4\u00005"}`, 400, []string{"station"}, "control characters"},
		{"a field of /explain", `{"language":"en"}`, 400, []string{"language"}, "known are features, instances, network and station"},

		{"minus zero", `{"features":` + changed("temp_2m", "-0") + `}`, 200, nil, ""},
		{"a number of 5000 digits", `{"features":` + changed("temp_2m", "1."+strings.Repeat("3", 5000)) + `}`, 200, nil, ""},
		{"a whole number of 5000 digits", `{"features":` + changed("temp_2m", strings.Repeat("3", 5000)) + `}`, 400, []string{"features.temp_2m"}, "too large for a number"},
		{"next to nothing", `{"features":` + changed("temp_2m", "1e-999") + `}`, 200, nil, ""},
		{"a name with escapes", `{"fe\u0061tures":` + strings.Replace(classic, "temp_2m", `\u0074emp\u005f2m`, 1) + `}`, 200, nil, ""},
		{"a name that is not UTF-8", "{\"features\":{\"temp\xff\":1}}", 400, []string{""}, "not UTF-8"},
		{"a byte order mark", "\ufeff{}", 400, []string{""}, "a byte order mark"},
		{"UTF-16", "\xff\xfe{\x00}\x00", 400, []string{""}, "not valid JSON"},
		{"too deep", `{"features":{"temp_2m":` + strings.Repeat("[", 100_000) + `}}`, 400, []string{"features.temp_2m"}, "nested more than 32 deep"},
	}
	h := setup(t).Handler()
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := do(h, "POST", "/predict", tt.body)
			checkForm(t, w.Result(), w.Body.Bytes())
			var p Problem
			if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil {
				t.Fatal(err)
			}
			var fields []string
			for _, e := range p.Errors {
				fields = append(fields, e.Field)
			}
			if w.Code != tt.status || !slices.Equal(fields, tt.fields) {
				t.Fatalf("%d, errors of %q, want %d, %q: %s", w.Code, fields, tt.status, tt.fields, w.Body)
			}
			if len(fields) > 0 && !strings.Contains(p.Errors[0].Detail, tt.detail) {
				t.Errorf("the error is %q, want one that has %q", p.Errors[0].Detail, tt.detail)
			}
		})
	}
}

func TestPredictNamesAHundredErrors(t *testing.T) {
	t.Parallel()
	body := `{"instances":[{}` + strings.Repeat(`,{}`, 19) + `]}` // 8 are missing of each
	var p Problem
	if err := json.Unmarshal(do(setup(t).Handler(), "POST", "/predict", body).Body.Bytes(), &p); err != nil {
		t.Fatal(err)
	}
	if n := len(p.Errors); n != maxErrors+1 || p.Errors[99].Field != "instances[12].total_slots" || p.Errors[100].Detail != "and 60 more errors" {
		t.Errorf("%d errors, the last of them %q", n, p.Errors[n-2:])
	}
}

func TestPredictBoundsInstances(t *testing.T) {
	t.Parallel()
	s := setup(t, func(c *Config, _ *Deps) { c.MaxInstances = 3 })
	for n, want := range map[int]int{3: 200, 4: 400} {
		w := do(s.Handler(), "POST", "/predict", `{"instances":[`+strings.Repeat(classic+`,`, n-1)+classic+`]}`)
		if w.Code != want || n > 3 && !strings.Contains(w.Body.String(), `{"field":"instances","detail":"has more than 3 elements; send them in several requests"}`) {
			t.Errorf("%d instances: %d %s", n, w.Code, w.Body)
		}
	}
	if n := len(s.log.logged()); n != 3 {
		t.Errorf("%d predictions logged, want those of the list that was answered", n)
	}
}

func TestExplainTakesOneRow(t *testing.T) {
	t.Parallel()
	w := do(setup(t).Handler(), "POST", "/explain", `{"instances":[`+classic+`]}`)
	if w.Code != 400 || !strings.Contains(w.Body.String(), "known are features, network, station and language") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

// halved is a model that reads what the transform half makes of free_bikes.
func halved() *model.Model {
	m := testModel()
	m.Inputs = append(m.Inputs, model.Input{Name: "half.bikes", Mean: 200, Scale: 100, Weight: 10, Optional: true})
	m.Transforms = []features.TransformSpec{half.Pin}
	return m
}

func TestTransformRefusesInstances(t *testing.T) {
	t.Parallel()
	s := setup(t, func(_ *Config, d *Deps) { d.Models = &models{current: load(t, halved(), "v1", half)} })
	unlucky, far := changed("free_bikes", "13"), changed("free_bikes", "14")
	list := func(rows ...string) string { return `{"instances":[` + strings.Join(rows, ",") + `]}` }
	refused := func(i int) string {
		return fmt.Sprintf(`{"field":"instances[%d].transforms.half","detail":"13 free_bikes are unlucky"}`, i)
	}
	for name, tt := range map[string]struct {
		body   string
		status int
		want   []string
	}{
		"one":            {list(classic, unlucky), 422, []string{`"errors":[` + refused(1) + `]`, "problem:row-refused"}},
		"several":        {list(unlucky, classic, unlucky), 422, []string{refused(0) + `,` + refused(2), "refuse 2 rows"}},
		"beside too far": {list(unlucky, far), 400, []string{`"field":"instances[1].half.bikes"`, refused(0), "problem:invalid-input"}},
		"more than are named": {list(slices.Repeat([]string{unlucky}, 102)...), 422,
			[]string{refused(99), `{"field":"instances","detail":"were not tried from instances[100] on"}`}},
		"none": {list(classic, classic), 200, []string{`"predictions":[{"y":0`}},
	} {
		w := do(s.Handler(), "POST", "/predict", tt.body)
		wantParts(t, name, w, tt.status, tt.want)
	}
	if n := len(s.log.logged()); n != 2 {
		t.Errorf("%d predictions logged, want those of the answered list, 2", n)
	}
}

// hanging is a store that does not answer.
type hanging struct{ asked chan struct{} }

func (h hanging) Newest(ctx context.Context, _ features.Task, _ string) (dataset.Row, error) {
	h.asked <- struct{}{}
	<-ctx.Done()
	return dataset.Row{}, ctx.Err()
}

// A client that gives the features needs no store, whatever that does and
// however many wait for it.
func TestGivenFeaturesDoNotWaitForTheStore(t *testing.T) {
	t.Parallel()
	const waiting = 50
	store := hanging{make(chan struct{}, waiting)}
	s := setup(t, withRows(store), func(c *Config, _ *Deps) { c.StoreTimeout = time.Hour })
	ctx, cancel := context.WithCancel(t.Context())
	codes := make(chan int)
	for range waiting {
		go func() {
			r := httptest.NewRequestWithContext(ctx, "POST", "/predict", http.NoBody)
			w := httptest.NewRecorder()
			s.Handler().ServeHTTP(w, r)
			codes <- w.Code
		}()
	}
	for range waiting {
		<-store.asked
	}
	for range 100 {
		if w := do(s.Handler(), "POST", "/predict", `{"features":`+classic+`}`); w.Code != 200 {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
	}
	cancel()
	for range waiting {
		if code := <-codes; code != 503 {
			t.Errorf("who waited for the store was answered %d, want 503", code)
		}
	}
}

// wantParts holds an answer's status and form, and that its body has the parts.
func wantParts(t *testing.T, name string, w *httptest.ResponseRecorder, status int, parts []string) {
	t.Helper()
	checkForm(t, w.Result(), w.Body.Bytes())
	if w.Code != status {
		t.Errorf("%s: %d %s", name, w.Code, w.Body)
	}
	for _, part := range parts {
		if !strings.Contains(w.Body.String(), part) {
			t.Errorf("%s: no %s in %s", name, part, w.Body)
		}
	}
}
