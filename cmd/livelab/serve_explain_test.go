package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// secretKey is what must never be seen again.
const secretKey = "sk-5ecret-0f-a-test"

// languageModel speaks OpenAI's chat completions, as far as its behaviour lets
// it.
func languageModel(t *testing.T, behaviour func(w http.ResponseWriter, r *http.Request)) (base string, asked *atomic.Int64) {
	t.Helper()
	asked = new(atomic.Int64)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		if r.URL.Path != "/v1/chat/completions" || r.Header.Get("Authorization") != "Bearer "+secretKey {
			t.Errorf("the language model was asked %s with another key", r.URL.Path)
		}
		behaviour(w, r)
	}))
	t.Cleanup(s.Close)
	return s.URL + "/v1", asked
}

// writes answers in the language that the instructions name.
func writes(w http.ResponseWriter, r *http.Request) {
	var body struct {
		Model    string
		Messages []struct{ Content string }
	}
	if err := json.NewDecoder(r.Body).Decode(&body); err != nil || len(body.Messages) != 2 {
		http.Error(w, "no messages", http.StatusBadRequest)
		return
	}
	words := "In parole di " + body.Model
	if strings.Contains(body.Messages[0].Content, "Write in English") {
		words = "In words of " + body.Model
	}
	w.Header().Set("Content-Type", "application/json")
	fmt.Fprintf(w, `{"choices":[{"finish_reason":"stop","message":{"role":"assistant","content":%q}}]}`, words)
}

// TestServeExplainsByALanguageModel runs the program against servers that work,
// refuse, hang, and are not there.
func TestServeExplainsByALanguageModel(t *testing.T) {
	t.Parallel()
	s := trained(t)
	s.must(t, "publish")
	with := func(env ...string) shell { return shell{s.dir, env} }
	explain := func(t *testing.T, p *process, query string, used bool, words, reason string) {
		t.Helper()
		a := p.post(t, "/explain"+query, classicBody)
		a.want(t, 200, "y", "proba", "version", "explanation", "llm_used", "contributions")
		said, _ := a.json["explanation"].(string)
		why, _ := a.json["llm_reason"].(string)
		if a.json["llm_used"] != used || !strings.Contains(said, words) || why != reason {
			t.Errorf("explained by a language model: %v because %q: %s", a.json["llm_used"], why, said)
		}
	}
	quiet := func(t *testing.T, p *process) {
		t.Helper()
		metrics := p.get(t, "/metrics").body
		p.stop(t) // then all of its log is here
		if all := p.stdout.String() + p.stderr.String() + metrics; strings.Contains(all, secretKey) {
			t.Errorf("the key is told: %s", all)
		}
	}

	t.Run("works", func(t *testing.T) {
		t.Parallel()
		base, asked := languageModel(t, writes)
		p := with("OPENAI_API_KEY="+secretKey, "OPENAI_BASE_URL="+base, "OPENAI_MODEL=tiny", "EXPLAIN_TOKEN=").start(t, "serve", "--explain-rate", "2")
		explain(t, p, "", true, "In parole di tiny", "")
		p.post(t, "/explain", `{"features": {}}`).want(t, 400, "detail") // and costs no call
		explain(t, p, "?lang=en", true, "In words of tiny", "")
		explain(t, p, "", false, "carenza di bici", "rate limited")
		if n := asked.Load(); n != 2 {
			t.Errorf("%d calls", n)
		}
		if m := p.get(t, "/metrics").body; !strings.Contains(m, `livelab_explain_llm_requests_total{outcome="ok"} 2`) ||
			!strings.Contains(m, `livelab_explain_llm_skipped_total{reason="rate_limited"} 1`) {
			t.Error("the calls are not counted")
		}
		quiet(t, p)
	})
	t.Run("refuses", func(t *testing.T) {
		t.Parallel()
		base, _ := languageModel(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusUnauthorized)
			fmt.Fprintf(w, `{"error":{"message":"Incorrect API key provided: %s"}}`, secretKey)
		})
		file := filepath.Join(t.TempDir(), "key")
		if err := os.WriteFile(file, []byte(secretKey+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		p := with("OPENAI_API_KEY_FILE="+file, "OPENAI_BASE_URL="+base).start(t, "serve", "--log-level", "debug")
		explain(t, p, "?lang=en", false, "shortage of bikes is expected", "failed")
		quiet(t, p)
		if !strings.Contains(p.stderr.String(), "outcome=unauthorized") {
			t.Error("the log does not say so")
		}
	})
	t.Run("hangs", func(t *testing.T) {
		t.Parallel()
		base, _ := languageModel(t, func(_ http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			<-r.Context().Done()
		})
		p := with("LIVELAB_OPENAI_API_KEY="+secretKey, "OPENAI_BASE_URL="+base).start(t, "serve", "--openai-timeout", "200ms")
		for range 3 {
			explain(t, p, "", false, "carenza di bici", "failed")
		}
		start := time.Now()
		explain(t, p, "", false, "carenza di bici", "paused")
		p.post(t, "/predict", classicBody).want(t, 200, "y")
		if took := time.Since(start); took > 10*time.Second {
			t.Errorf("a model that is left alone takes %v", took)
		}
		quiet(t, p)
	})
	t.Run("is not there", func(t *testing.T) {
		t.Parallel()
		p := with("OPENAI_API_KEY="+secretKey, "OPENAI_BASE_URL=http://127.0.0.1:1/v1").start(t, "serve")
		explain(t, p, "", false, "carenza di bici", "failed")
		quiet(t, p)
	})
	t.Run("is not wanted", func(t *testing.T) {
		t.Parallel()
		base, asked := languageModel(t, writes)
		p := with("OPENAI_BASE_URL="+base).start(t, "serve")
		explain(t, p, "", false, "carenza di bici", "not configured")
		if n := asked.Load(); n != 0 {
			t.Errorf("%d calls without a key", n)
		}
		quiet(t, p)
	})
}

// TestServeRefusesWrongSettingsOfALanguageModel holds that they are said at the
// start, without the key.
func TestServeRefusesWrongSettingsOfALanguageModel(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		env  []string
		args []string
		want string
	}{
		{[]string{"OPENAI_API_KEY=" + secretKey, "OPENAI_BASE_URL=api.openai.com"}, nil, "base URL must be like"},
		{[]string{"OPENAI_API_KEY=" + secretKey + "\n"}, nil, "white space"},
		{[]string{"OPENAI_API_KEY=" + secretKey, "OPENAI_API_KEY_FILE=key"}, nil, "give one"},
		{[]string{"OPENAI_API_KEY=" + secretKey}, []string{"--explain-rate", "0"}, "--explain-rate"},
		{[]string{"OPENAI_API_KEY=" + secretKey}, []string{"--openai-timeout", "1m"}, "--request-timeout"},
		{[]string{"OPENAI_API_KEY=" + secretKey}, []string{"--openai-max-tokens", "-1"}, "--openai-max-tokens"},
		{[]string{"OPENAI_API_KEY=" + secretKey}, []string{"--explain-concurrency", "0"}, "--explain-concurrency"},
		{[]string{"OPENAI_API_KEY="}, []string{"--explain-concurrency", "0"}, "--explain-concurrency"},
		{[]string{"OPENAI_API_KEY="}, []string{"--explain-rate", "-1"}, "--explain-rate"},
		{[]string{"OPENAI_API_KEY="}, []string{"--openai-max-tokens", "0"}, "--openai-max-tokens"},
		{[]string{"OPENAI_API_KEY="}, []string{"--openai-timeout", "-1s"}, "--openai-timeout"},
	} {
		said := newShell(t, tt.env...).refused(t, exitUsage, append([]string{"serve", "--listen", "127.0.0.1:0"}, tt.args...)...)
		if !strings.Contains(said, tt.want) || strings.Contains(said, secretKey) {
			t.Errorf("%v %v: %s", tt.env[1:], tt.args, said)
		}
	}
}
