package server

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"livelab/pipeline/features"
	"livelab/pipeline/model"
	"livelab/runtime/explain"
)

// explainer has the test decide on the words.
type explainer func(ctx context.Context, l explain.Language, f *explain.Facts) explain.Text

func (e explainer) Explain(ctx context.Context, l explain.Language, f *explain.Facts) explain.Text {
	return e(ctx, l, f)
}

func withExplainer(e explainer) option { return func(_ *Config, d *Deps) { d.Explainer = e } }

// TestExplainSaysWhatTheModelWrote holds what the one who writes is given, and
// what becomes of the words.
func TestExplainSaysWhatTheModelWrote(t *testing.T) {
	t.Parallel()
	var got explain.Facts
	s := setup(t, withExplainer(func(_ context.Context, l explain.Language, f *explain.Facts) explain.Text {
		got = *f
		return explain.Text{Words: "Words <in> " + string(l), LLMUsed: true}
	}))
	w := do(s.Handler(), "POST", "/explain?lang=it", `{"language":"en"}`)
	var said map[string]any
	if err := json.Unmarshal(w.Body.Bytes(), &said); err != nil || w.Code != 200 {
		t.Fatalf("%d %s: %v", w.Code, w.Body, err)
	}
	if said["explanation"] != "Words <in> en" || said["llm_used"] != true || said["language"] != "en" {
		t.Errorf("the answer is %s", w.Body)
	}
	if reason, ok := said["llm_reason"]; ok {
		t.Errorf("a reason although a model wrote: %v", reason)
	}
	if got.Network != "oslo-bysykkel" || !got.AsOf.Equal(noon.Add(-3*time.Minute)) || got.Positive || got.Threshold != 0.4 ||
		len(got.Parts) != 9 || fmt.Sprint(got.Imputed) != "[climatology]" || got.Task != features.NetworkShortage() {
		t.Errorf("the facts are %+v", got)
	}
}

// TestExplainAsksNobodyInVain holds that a request that gets no answer costs no
// call of a model, and is not in the log.
func TestExplainAsksNobodyInVain(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, path, body string
		option           option
		status           int
	}{
		{"a wrong field", "/explain", `{"features":{"temp_2m":"warm"}}`, func(*Config, *Deps) {}, 400},
		{"no JSON", "/explain", `{`, func(*Config, *Deps) {}, 400},
		{"a list", "/explain", `{"instances":[` + classic + `]}`, func(*Config, *Deps) {}, 400},
		{"an unknown language", "/explain?lang=xx", ``, func(*Config, *Deps) {}, 400},
		{"an unknown network", "/explain", `{"network":"atlantis"}`, func(*Config, *Deps) {}, 404},
		{"no token", "/explain", ``, withExplainToken, 401},
		{"no model", "/explain", ``, withoutModel, 503},
		{"no store", "/explain", ``, withStoreDown, 503},
	} {
		s := setup(t, tt.option, withExplainer(func(context.Context, explain.Language, *explain.Facts) explain.Text {
			t.Errorf("%s: a model was asked", tt.name)
			return explain.Text{}
		}))
		if w := do(s.Handler(), "POST", tt.path, tt.body); w.Code != tt.status {
			t.Errorf("%s: %d %s", tt.name, w.Code, w.Body)
		}
		if n := len(s.log.logged()); n != 0 {
			t.Errorf("%s: %d predictions are logged", tt.name, n)
		}
	}
}

// TestExplainIsLoggedBeforeTheWords holds that a prediction is in the log with
// its own latency, however long the words take, and that others are answered
// meanwhile, from memory that is theirs.
func TestExplainIsLoggedBeforeTheWords(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	now := noon
	clock := func(d time.Duration) time.Time {
		mu.Lock()
		defer mu.Unlock()
		now = now.Add(d)
		return now
	}
	var s *testServer
	s = setup(t, func(_ *Config, d *Deps) { d.Now = func() time.Time { return clock(0) } },
		withExplainer(func(_ context.Context, _ explain.Language, f *explain.Facts) explain.Text {
			if n := len(s.log.logged()); n != 1 {
				t.Errorf("%d predictions are logged when the words begin", n)
			}
			for range 3 { // they would write over memory that is given back too late, or too early
				if w := do(s.Handler(), "POST", "/predict", `{"features":`+strings.Replace(classic, `"free_ratio":0.4`, `"free_ratio":0.1`, 1)+`}`); w.Code != 200 {
					t.Errorf("meanwhile: %d %s", w.Code, w.Body)
				}
			}
			clock(5 * time.Second)
			return explain.Text{Words: fmt.Sprint(f.Imputed, f.Parts[len(f.Parts)-1].Feature)}
		}))
	w := do(s.Handler(), "POST", "/explain", "")
	if w.Code != 200 || !strings.Contains(w.Body.String(), `"proba":0.268`) || !strings.Contains(w.Body.String(), `"imputed":["climatology"]`) ||
		!strings.Contains(w.Body.String(), `"explanation":"[climatology]wind_speed_10m"`) || !strings.Contains(w.Body.String(), `"prediction_id":"id0"`) {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if p := s.log.logged()[0]; p.Latency != 0 {
		t.Errorf("the latency of the words is in the prediction's: %v", p.Latency)
	}
}

// TestExplainEndsWithItsClient holds that a client that has gone is not written
// for.
func TestExplainEndsWithItsClient(t *testing.T) {
	t.Parallel()
	entered, ended := make(chan struct{}), make(chan struct{})
	s := setup(t, withExplainer(func(ctx context.Context, _ explain.Language, _ *explain.Facts) explain.Text {
		close(entered)
		<-ctx.Done()
		close(ended)
		return explain.Text{Words: "nobody reads this"}
	}))
	address, stop, done := start(t, s)
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := fmt.Fprint(conn, "POST /explain HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}"); err != nil {
		t.Fatal(err)
	}
	<-entered
	if err := conn.Close(); err != nil {
		t.Fatal(err)
	}
	<-ended
	stop()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// TestContributionsOverHTTP sums what a client gets, in the order that it
// comes in.
func TestContributionsOverHTTP(t *testing.T) {
	t.Parallel()
	m := testModel()
	m.Inputs = append(m.Inputs, model.Input{Name: "half.bikes", Mean: 211.7, Scale: 97.3, Weight: 10.1, Optional: true})
	m.Transforms = []features.TransformSpec{half.Pin}
	s := setup(t, func(_ *Config, d *Deps) { d.Models = &models{current: load(t, m, "v1", half)} })
	body := `{"features":{"stations_count":71,"free_bikes":387,"empty_slots":411,"total_slots":798,"free_ratio":0.485,"temp_2m":-7.3,"precipitation":1.1,"wind_speed_10m":33.3}}`
	var e explanation
	w := do(s.Handler(), "POST", "/explain", body)
	if err := json.Unmarshal(w.Body.Bytes(), &e); err != nil || w.Code != 200 {
		t.Fatalf("%d %s: %v", w.Code, w.Body, err)
	}
	sum, size := e.Intercept, math.Abs(e.Intercept)
	for _, c := range e.Contributions {
		sum, size = sum+c.Contribution, size+math.Abs(c.Contribution)
		if want := *c.Weight * (*c.Value - c.Mean) / c.SD; math.Abs(c.Contribution-want) > 1e-12*max(1, math.Abs(want)) {
			t.Errorf("%s contributes %v, by its own numbers %v", c.Feature, c.Contribution, want)
		}
	}
	logit := math.Log(e.Proba / (1 - e.Proba))
	if math.Abs(sum-e.LogOdds) > 1e-12*size || math.Abs(logit-e.LogOdds) > 1e-9 || len(e.Contributions) != len(m.Inputs) {
		t.Errorf("the contributions sum to %v, the log odds are %v, those of the probability %v", sum, e.LogOdds, logit)
	}
}
