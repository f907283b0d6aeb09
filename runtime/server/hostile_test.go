package server

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// filled repeats a part up to a size, between a beginning and an end.
func filled(before, part, after string, size int) []byte {
	n := (size - len(before) - len(after)) / len(part)
	return []byte(before + strings.Repeat(part, n) + strings.TrimSuffix(part, ",") + after)
}

// hostile are bodies that cost much where a reader is careless: of what each
// repeats there is as much as fits.
var hostile = map[string]struct{ before, part, after string }{
	"unknown fields":            {`{`, `"a":0,`, `}`},
	"unknown features":          {`{"features":{`, `"a":0,`, `}}`},
	"escaped names":             {`{"features":{`, `"\u0061":0,`, `}}`},
	"the same feature":          {`{"features":{`, `"temp_2m":1,`, `}}`},
	"the same wrong feature":    {`{"features":{`, `"temp_2m":"",`, `}}`},
	"features again and again":  {`{`, `"features":{},`, `}`},
	"instances again and again": {`{`, `"instances":[{}],`, `}`},
	"one long name":             {`{"`, `a`, `":1}`},
	"one long name of escapes":  {`{"`, `\u00e8`, `":1}`},
	"a long wrong value":        {`{"network":[`, `"a",`, `]}`},
	"one long number":           {`{"features":{"temp_2m":1`, `3`, `}}`},
	"one long fraction":         {`{"features":{"temp_2m":0.`, `3`, `}}`},
	"one long exponent":         {`{"features":{"temp_2m":1e`, `3`, `}}`},
	"one long network":          {`{"network":"`, `a`, `"}`},
	"one long station":          {`{"station":"`, `\n`, `"}`},
	"empty instances":           {`{"instances":[`, `{},`, `]}`},
	"wrong instances":           {`{"instances":[`, `0,`, `]}`},
	"whole instances":           {`{"instances":[`, classic + `,`, `]}`},
	"short lists":               {`{"a":[`, `[],`, `]}`},
	"an open list":              {`{"a":`, `[`, ``},
	"white space":               {`{`, ` `, `}`},
}

// TestHostileBodiesCostTheirLength answers each of them at two sizes: four
// times the body must not take much more than four times as long.
func TestHostileBodiesCostTheirLength(t *testing.T) {
	s := setup(t, func(_ *Config, d *Deps) { d.Log = nil })
	took := func(body []byte) (shortest time.Duration) {
		for range 5 {
			r := httptest.NewRequest("POST", "/predict", bytes.NewReader(body))
			w := httptest.NewRecorder()
			start := time.Now()
			s.Handler().ServeHTTP(w, r)
			if d := time.Since(start); shortest == 0 || d < shortest {
				shortest = d
			}
			if w.Code != 400 && w.Code != 200 || w.Body.Len() > 1<<20 || !json.Valid(w.Body.Bytes()) {
				t.Fatalf("%.60s is answered %d with %d bytes", body, w.Code, w.Body.Len())
			}
		}
		return shortest
	}
	for name, h := range hostile {
		const size = 1000 << 10
		small, large := took(filled(h.before, h.part, h.after, size/4)), took(filled(h.before, h.part, h.after, size))
		t.Logf("%-26s %8v for 250 KB, %8v for 1 MB", name, small, large)
		if large > 12*small+20*time.Millisecond {
			t.Errorf("%s: %v for a quarter, %v for the whole", name, small, large)
		}
	}
}

// TestRefusalsAreShort has an answer not give a client's megabyte back.
func TestRefusalsAreShort(t *testing.T) {
	t.Parallel()
	h := setup(t).Handler()
	for name, body := range hostile {
		w := do(h, "POST", "/predict", string(filled(body.before, body.part, body.after, 500<<10)))
		if w.Code != 200 && w.Body.Len() > 32<<10 {
			t.Errorf("%s: a refusal of %d bytes", name, w.Body.Len())
		}
	}
}

// chunks hides how long a body is, as a client does that sends it in chunks.
type chunks struct{ io.Reader }

func TestBodiesOfUnknownLength(t *testing.T) {
	t.Parallel()
	ts := httptest.NewServer(setup(t, func(c *Config, _ *Deps) { c.MaxBody = 1000 }).Handler())
	defer ts.Close()
	given := `{"features":` + classic + `}`
	for body, want := range map[string]int{
		"":    200,
		given: 200,
		given + strings.Repeat(" ", 1000-len(given)): 200,
		given + strings.Repeat(" ", 1001-len(given)): 413,
		strings.Repeat("x", 100_000):                 413,
		`{"features":`:                               400,
	} {
		resp, err := http.Post(ts.URL+"/predict", "application/json", chunks{strings.NewReader(body)})
		if err != nil {
			t.Fatal(err)
		}
		answer, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil || resp.StatusCode != want {
			t.Errorf("%d bytes in chunks: %d %s, error %v, want %d", len(body), resp.StatusCode, answer, err, want)
		}
		checkForm(t, resp, answer)
	}
}
