package server

import (
	"net/http"
	"strings"
	"testing"
)

func withOrigins(c *Config, _ *Deps) {
	c.CORSOrigins = []string{"https://map.example", "http://localhost:3000"}
}

// TestCORS asks every route as a browser does for a page of some origin, first
// whether it may and then in earnest.
func TestCORS(t *testing.T) {
	t.Parallel()
	s := setup(t, withOrigins)
	guarded := 0
	for _, r := range s.engine.Routes() {
		if r.Method == http.MethodOptions {
			continue
		}
		if s.guarded[r.Path] {
			guarded++
		}
		for origin, allowed := range map[string]bool{
			"https://map.example":       true,
			"http://localhost:3000":     true,
			"http://map.example":        false,
			"https://map.example:8443":  false,
			"https://map.example.evil":  false,
			"https://evil.map.example":  false,
			"https://map.example/":      false,
			"HTTPS://MAP.EXAMPLE":       false,
			"null":                      false,
			"*":                         false,
			"https://elsewhere.example": false,
		} {
			allowed = allowed && !s.guarded[r.Path]
			asked := do(s.Handler(), "OPTIONS", r.Path, "", "Origin", origin, "Access-Control-Request-Method", r.Method, "Access-Control-Request-Headers", "content-type")
			h := asked.Header()
			if got := h.Get("Access-Control-Allow-Origin"); got != map[bool]string{true: origin}[allowed] {
				t.Errorf("%s %s: %s may: %q", r.Method, r.Path, origin, got)
			}
			if got := strings.Contains(h.Get("Access-Control-Allow-Methods"), r.Method); got != allowed {
				t.Errorf("%s %s: %s may by method: %q", r.Method, r.Path, origin, h.Get("Access-Control-Allow-Methods"))
			}
			if got := strings.Contains(h.Get("Access-Control-Allow-Headers"), "Content-Type"); got != allowed {
				t.Errorf("%s %s: %s may send: %q", r.Method, r.Path, origin, h.Get("Access-Control-Allow-Headers"))
			}
			if want := map[bool]int{true: 405, false: 204}[s.guarded[r.Path]]; asked.Code != want {
				t.Errorf("%s %s: %s asks: %d, want %d", r.Method, r.Path, origin, asked.Code, want)
			}
			answer := do(s.Handler(), r.Method, r.Path, "", "Origin", origin)
			if got := answer.Header().Get("Access-Control-Allow-Origin"); got != map[bool]string{true: origin}[allowed] {
				t.Errorf("%s %s: %s reads: %q", r.Method, r.Path, origin, got)
			}
			if s.guarded[r.Path] && answer.Code != http.StatusForbidden {
				t.Errorf("%s %s: %s changes models: %d", r.Method, r.Path, origin, answer.Code)
			}
			for _, h := range []http.Header{h, answer.Header()} {
				if !strings.Contains(strings.Join(h.Values("Vary"), ","), "Origin") || h.Get("Access-Control-Allow-Credentials") != "" || h.Get("X-Content-Type-Options") != "nosniff" {
					t.Errorf("%s %s: %v", r.Method, r.Path, h)
				}
			}
		}
	}
	if guarded == 0 {
		t.Error("no route changes the models")
	}
	without := do(s.Handler(), "GET", "/health", "")
	if h := without.Header(); h.Get("Vary") != "Origin" || h.Get("Access-Control-Allow-Origin") != "" {
		t.Errorf("without an origin: %v", h)
	}
	missing := do(s.Handler(), "GET", "/nothing", "", "Origin", "https://map.example")
	if missing.Header().Get("Access-Control-Allow-Origin") == "" || missing.Code != http.StatusNotFound {
		t.Errorf("a page cannot read a 404: %v", missing.Header())
	}
}

// TestChangesAreGuarded finds every route that could change something, whoever
// added it: one that takes another method than GET and HEAD is known to change
// nothing, or is guarded.
func TestChangesAreGuarded(t *testing.T) {
	t.Parallel()
	harmless := map[string]bool{
		"/predict": true, "/explain": true, "/v2/repository/index": true,
		"/v2/models/:model/infer": true, "/v2/models/:model/versions/:version/infer": true,
	}
	s := setup(t, withAdminToken)
	for _, r := range s.engine.Routes() {
		if r.Method == http.MethodGet || r.Method == http.MethodHead || harmless[r.Path] {
			continue
		}
		if w := do(s.Handler(), r.Method, r.Path, ""); w.Code != http.StatusUnauthorized {
			t.Errorf("%s %s without the token: %d", r.Method, r.Path, w.Code)
		}
		if w := do(s.Handler(), r.Method, r.Path, "", "Authorization", "Bearer open sesame", "Sec-Fetch-Site", "cross-site"); w.Code != http.StatusForbidden {
			t.Errorf("%s %s by a page of another site: %d", r.Method, r.Path, w.Code)
		}
		if !s.guarded[r.Path] {
			t.Errorf("%s %s is not registered as a change", r.Method, r.Path)
		}
	}
}

// TestChangesAreNotForPagesOpenedByName plays a page whose name was made to lead
// here after it was loaded: to the browser, the server is that page's own.
func TestChangesAreNotForPagesOpenedByName(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, host, origin string
		options            []option
		want               int
	}{
		{name: "by a name", host: "rebound.example:8000", origin: "http://rebound.example:8000", want: http.StatusForbidden},
		{name: "by a name that begins as an address does", host: "127.0.0.1.rebound.example", origin: "http://127.0.0.1.rebound.example", want: http.StatusForbidden},
		{name: "by an address", host: "127.0.0.1:8000", origin: "http://127.0.0.1:8000", want: http.StatusOK},
		{name: "by an address of version 6", host: "[::1]:8000", origin: "http://[::1]:8000", want: http.StatusOK},
		{name: "by this machine's name for itself", host: "localhost:8000", origin: "http://localhost:8000", want: http.StatusOK},
		{name: "with TLS, which a name must have a certificate for", host: "bikes.example", origin: "https://bikes.example", want: http.StatusOK},
		{name: "no page", host: "livelab:8000", want: http.StatusOK},
		{name: "by a name, with a token", host: "bikes.example", origin: "http://bikes.example", options: []option{withAdminToken}, want: http.StatusOK},
	} {
		s := setup(t, tt.options...)
		headers := []string{"Authorization", "Bearer open sesame"}
		if tt.origin != "" {
			headers = append(headers, "Origin", tt.origin)
		}
		if w := do(s.Handler(), "POST", "http://"+tt.host+"/reload_model", "", headers...); w.Code != tt.want {
			t.Errorf("%s: %d %s", tt.name, w.Code, w.Body)
		}
	}
}
