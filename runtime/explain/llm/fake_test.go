package llm

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

const key = "sk-test-5ecret"

// fake is a server that speaks OpenAI's chat completions, as its handler
// decides.
type fake struct {
	*httptest.Server
	mu       sync.Mutex
	requests []request
}

// request is what a fake was sent.
type request struct {
	path, authorization string
	body                map[string]any
}

// newFake decodes what is sent before it answers.
func newFake(t *testing.T, answer http.HandlerFunc) *fake {
	t.Helper()
	f := new(fake)
	f.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got := request{path: r.URL.Path, authorization: r.Header.Get("Authorization")}
		if err := json.NewDecoder(r.Body).Decode(&got.body); err != nil {
			t.Errorf("the request is not JSON: %v", err)
		}
		_, _ = io.Copy(io.Discard, r.Body) // a server notices a client's going only after the body
		f.mu.Lock()
		f.requests = append(f.requests, got)
		f.mu.Unlock()
		answer(w, r)
	}))
	t.Cleanup(f.Close)
	return f
}

func (f *fake) sent() []request {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]request(nil), f.requests...)
}

// says answers as a model that writes a text.
func says(text string) http.HandlerFunc { return finishes("stop", text, "") }

func finishes(reason, text, refusal string) http.HandlerFunc {
	body, err := json.Marshal(map[string]any{
		"id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "gpt-4o-mini",
		"choices": []any{map[string]any{
			"index": 0, "finish_reason": reason, "logprobs": nil,
			"message": map[string]any{"role": "assistant", "content": text, "refusal": refusal},
		}},
		"usage": map[string]any{"prompt_tokens": 250, "completion_tokens": 40, "total_tokens": 290},
	})
	if err != nil {
		panic(err)
	}
	return sends(200, "application/json", string(body))
}

func sends(status int, media, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", media)
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

// bundle is a writer with what it stands on.
type bundle struct {
	*Writer
	registry *prometheus.Registry
	logs     *bytes.Buffer
	clock    *clock
}

// clock is a time that a test moves.
type clock struct {
	mu sync.Mutex
	t  time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}

func setup(t *testing.T, base string, change ...func(*Config)) *bundle {
	t.Helper()
	b := &bundle{registry: prometheus.NewPedanticRegistry(), logs: new(bytes.Buffer), clock: &clock{t: eleven}}
	cfg := Config{
		APIKey: key, BaseURL: base, Timeout: 20 * time.Second, PerMinute: 1000, Concurrent: 8,
		Logger:     slog.New(slog.NewJSONHandler(&locked{w: b.logs}, &slog.HandlerOptions{Level: slog.LevelDebug})),
		Registerer: b.registry, Now: b.clock.now,
	}
	for _, c := range change {
		c(&cfg)
	}
	var err error
	if b.Writer, err = New(cfg); err != nil {
		t.Fatal(err)
	}
	return b
}

// locked lets several goroutines write.
type locked struct {
	mu sync.Mutex
	w  io.Writer
}

func (l *locked) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.Write(p)
}

// counted is a counter's value by one label, without those that are zero.
func (b *bundle) counted(t *testing.T, name string) string {
	t.Helper()
	families, err := b.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	var counts []string
	for _, f := range families {
		for _, m := range f.GetMetric() {
			if f.GetName() == name && m.GetCounter().GetValue() > 0 {
				counts = append(counts, fmt.Sprint(m.GetLabel()[0].GetValue(), " ", m.GetCounter().GetValue()))
			}
		}
	}
	return strings.Join(counts, ", ")
}

const (
	asked   = "livelab_explain_llm_requests_total"
	skipped = "livelab_explain_llm_skipped_total"
	tokens  = "livelab_explain_llm_tokens_total"
)
