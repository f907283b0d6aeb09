package storetest

import (
	"bytes"
	"strings"
	"testing"

	"livelab/pipeline/ingest"
	"livelab/pipeline/observation"
)

var payloadCases = map[string]func(*testing.T, Store){
	"once":      payloadOnce,
	"bodies":    payloadBodies,
	"bad kinds": payloadBadKinds,
}

func addPayload(t *testing.T, s Store, p observation.Payload) (added bool, err error) {
	t.Helper()
	err = s.Update(ctxFor(t), []string{p.Network}, func(tx ingest.Tx) (err error) {
		added, err = tx.AddPayload(t.Context(), p)
		return err
	})
	return added, err
}

func payloadOnce(t *testing.T, s Store) {
	body := []byte(`{"network": {"id": "oslo", "stations": []}}`)
	bikes := observation.Payload{Kind: observation.KindBikes, Network: oslo, FetchedAt: at(0), Body: body}
	later, weather, elsewhere, other := bikes, bikes, bikes, bikes
	later.FetchedAt = at(5)
	weather.Kind = observation.KindWeather
	elsewhere.Network = "elsewhere"
	// The same value for jsonb, but not the same payload.
	other.Body = append([]byte(" "), body...)
	steps := []struct {
		name    string
		payload observation.Payload
		want    bool
	}{
		{"new", bikes, true},
		{"again", bikes, false},
		{"again later", later, false},
		{"same body as weather", weather, true},
		{"weather again", weather, false},
		{"same body elsewhere", elsewhere, true},
		{"other bytes", other, true},
	}
	for _, step := range steps {
		added, err := addPayload(t, s, step.payload)
		if err != nil || added != step.want {
			t.Errorf("%s: added %t, error %v; want %t", step.name, added, err, step.want)
		}
	}
	update(t, s, func(tx ingest.Tx) error {
		p := bikes
		p.Body = []byte(`[1]`)
		for _, want := range []bool{true, false} {
			added, err := tx.AddPayload(t.Context(), p)
			if err != nil || added != want {
				t.Errorf("in one Update: added %t, error %v; want %t", added, err, want)
			}
		}
		return nil
	})
}

func payloadBodies(t *testing.T, s Store) {
	tests := []struct {
		name, body string
		refusal    string // empty where the body is stored
	}{
		{"string", `"x"`, ""},
		{"number", `1`, ""},
		{"null", `null`, ""},
		{"space around", " {\r\n\t} \n", ""},
		{"duplicate keys", `{"a": 1, "a": 2}`, ""},
		{"unicode", `{"Grünerløkka": "🚲 \u00e6 \ud83d\udeb2 \\u0000 \\\\"}`, ""},
		{"deep", strings.Repeat("[", 500) + strings.Repeat("]", 500), ""},
		{"long number", "1" + strings.Repeat("0", 300) + ".5", ""},
		{"exponent", "[1e300, -1E-300, 0.5e+7]", ""},
		{"large", `"` + strings.Repeat("x", 5<<20) + `"`, ""},

		{"empty", "", "not valid JSON"},
		{"text", "404 Not Found", "not valid JSON"},
		{"HTML", "<html></html>", "not valid JSON"},
		{"truncated", `{"network": {"id": "os`, "not valid JSON"},
		{"two values", `{} {}`, "not valid JSON"},
		{"byte order mark", "\ufeff{}", "not valid JSON"},
		{"not UTF-8", "\"\xff\"", "UTF-8"},
		{"NUL", `{"name": "a\u0000b"}`, `\u0000`},
		{"NUL after a backslash", `"\\\u0000"`, `\u0000`},
		{"high surrogate", `"\ud83d"`, "surrogate"},
		{"high surrogate, text", `"\ud83dxxxxxx"`, "surrogate"},
		{"high surrogate, escape", `"\ud83d\n12345"`, "surrogate"},
		{"two high surrogates", `"\ud83d\ud83d"`, "surrogate"},
		{"low surrogate", `"\udeb2\ud83d"`, "surrogate"},
		{"exponent too large", `[1e200000]`, "exponent"},
		{"exponent too small", `[1e-200000]`, "exponent"},
		{"exponent beyond int", `[1e99999999999999999999]`, "exponent"},
		{"endless number", strings.Repeat("1", 200000), "a number has"},
		{"too deep", strings.Repeat("[", 9000) + strings.Repeat("]", 9000), "nested"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := observation.Payload{Kind: observation.KindBikes, Network: oslo, FetchedAt: at(0), Body: []byte(tt.body)}
			body := bytes.Clone(p.Body)
			added, err := addPayload(t, s, p)
			if tt.refusal != "" {
				refused(t, err, tt.refusal)
				refused(t, err, oslo)
				return
			}
			if err != nil || !added {
				t.Errorf("added %t, error %v", added, err)
			}
			if !bytes.Equal(p.Body, body) {
				t.Error("the body was changed")
			}
		})
	}
}

func payloadBadKinds(t *testing.T, s Store) {
	p := observation.Payload{Kind: "tides", Network: oslo, FetchedAt: at(0), Body: []byte("{}")}
	_, err := addPayload(t, s, p)
	refused(t, err, "tides")
	p = observation.Payload{Kind: observation.KindBikes, Network: oslo, Body: []byte("{}")}
	_, err = addPayload(t, s, p)
	refused(t, err, "no time")
}
