package server

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
)

// FuzzPredict sends any body at all: what a client sends is never the server's
// mistake, and the answer is JSON that fits the status.
func FuzzPredict(f *testing.F) {
	types := []string{"", "application/json", "application/json; charset=utf-8", "text/plain", "application/vnd.x+json", ";"}
	for _, seed := range bodies {
		for i := range types {
			f.Add([]byte(seed), byte(i), i%2 == 0)
		}
	}
	for _, bikes := range []string{"13", "14"} { // refused by the transform, and beyond the model
		f.Add([]byte(`{"features":`+changed("free_bikes", bikes)+`}`), byte(0), false)
		f.Add([]byte(`{"instances":[`+classic+`,`+changed("free_bikes", bikes)+`]}`), byte(0), false)
	}
	loaded := load(f, halved(), "v1", half)
	s := setup(f, func(c *Config, d *Deps) { c.MaxInstances, d.Log, d.Models = 5, nil, &models{current: loaded} })
	allowed := []int{200, 400, 404, 413, 415, 422, 503}
	f.Fuzz(func(t *testing.T, body []byte, media byte, explain bool) {
		path := "/predict"
		if explain {
			path = "/explain"
		}
		r := httptest.NewRequest("POST", path, bytes.NewReader(body))
		r.Header.Set("Content-Type", types[int(media)%len(types)])
		w := httptest.NewRecorder()
		s.Handler().ServeHTTP(w, r)
		if !slices.Contains(allowed, w.Code) {
			t.Errorf("%s is answered %d: %s", body, w.Code, w.Body)
		}
		checkForm(t, w.Result(), w.Body.Bytes())
		checkAnswer(t, w)
	})
}

// checkAnswer holds an answer of 200 to its type.
func checkAnswer(t *testing.T, w *httptest.ResponseRecorder) {
	t.Helper()
	if w.Code != http.StatusOK {
		return
	}
	d := json.NewDecoder(bytes.NewReader(w.Body.Bytes()))
	d.DisallowUnknownFields()
	var err error
	switch {
	case strings.Contains(w.Body.String(), `"llm_used"`):
		return // its fields are held elsewhere; checkForm has seen that it is JSON
	case bytes.HasPrefix(w.Body.Bytes(), []byte(`{"predictions"`)):
		err = d.Decode(new(manyAnswers))
	default:
		err = d.Decode(new(answer))
	}
	if err != nil {
		t.Errorf("the answer is not of its type: %v: %s", err, w.Body)
	}
}
