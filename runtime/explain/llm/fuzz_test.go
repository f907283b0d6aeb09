package llm

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"livelab/runtime/explain"
)

// FuzzAnswer holds that whatever a server sends, words come out that can be
// shown.
func FuzzAnswer(f *testing.F) {
	for _, h := range []http.HandlerFunc{says("A shortage.\n"), finishes("length", "A", ""), finishes("stop", "", "no")} {
		w := httptest.NewRecorder()
		h(w, nil)
		f.Add(200, w.Body.String())
	}
	f.Add(401, `{"error":{"message":"no"}}`)
	f.Add(502, `<h1>`)
	f.Add(200, `{"choices":[{"message":{"content":{}}}],"usage":{"prompt_tokens":-1e99}}`)
	f.Fuzz(func(t *testing.T, status int, body string) {
		if status < 200 || status > 599 {
			status = 200
		}
		b := setup(t, "https://host/v1", func(c *Config) {
			c.Transport = roundTrip(func(*http.Request) (*http.Response, error) {
				w := httptest.NewRecorder()
				w.Header().Set("Retry-After-Ms", "0")
				sends(status, "application/json", body)(w, nil)
				return w.Result(), nil
			})
		})
		text := b.Explain(t.Context(), explain.English, stored())
		if text.LLMUsed != (text.Reason == "") || text.Words == "" || !utf8.ValidString(text.Words) || strings.ContainsFunc(text.Words, unicode.IsControl) {
			t.Errorf("the text is %+v", text)
		}
	})
}
