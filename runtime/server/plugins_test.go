package server

import (
	"strings"
	"testing"
	"time"

	"livelab/pipeline/features"
	"livelab/plugins/abi"
	"livelab/runtime/wasm/catalogue"
)

// listing is a catalogue at one time.
type listing catalogue.Listing

func (l listing) List() catalogue.Listing { return catalogue.Listing(l) }

func withPlugins(l catalogue.Listing) option {
	return func(_ *Config, d *Deps) { d.Plugins = listing(l) }
}

// withHalf serves a model that carries the transform half.
func withHalf(t *testing.T) option {
	m := testModel()
	m.Transforms = []features.TransformSpec{half.Pin}
	return func(_ *Config, d *Deps) { d.Models = &models{current: load(t, m, "v2", half)} }
}

func TestPlugins(t *testing.T) {
	t.Parallel()
	least := 0.0
	offered := catalogue.Entry{
		File: "half.wasm", State: catalogue.Offered, Available: true, Since: noon, Size: 1000,
		Name: "half", Version: "1.0.0", Digest: half.Pin.Digest, Doc: "half of them",
		Inputs: []string{"free_bikes"}, Outputs: []abi.Output{{Name: "bikes", Doc: "bikes", Min: &least}},
	}
	other := offered
	other.Digest = strings.Repeat("0", 64)
	refused := catalogue.Entry{
		File: "bad.wasm", State: catalogue.Refused, Reason: "it imports the moon", Since: noon.Add(time.Minute),
		Inputs: []string{}, Outputs: []abi.Output{},
	}
	carries := `{"model":"network-shortage","version":"v2","transforms":[{"name":"half","version":"1.0.0","digest":"` + half.Pin.Digest +
		`","state":"carried","offered":true,"inputs":["free_bikes"],"outputs":["bikes"]}]}`

	tests := []struct {
		name    string
		options []option
		want    []string
	}{
		{"none at all", []option{withoutModel}, []string{`{"plugins":[],"models":[]}`}},
		{"a model without transforms", nil, []string{`"models":[{"model":"network-shortage","version":"v1","transforms":[]}]`}},
		{"offered and refused", []option{withPlugins(catalogue.Listing{Plugins: []catalogue.Entry{offered, refused}})},
			[]string{
				`"file":"half.wasm"`, `"state":"offered"`, `"name":"half","version":"1.0.0","digest":"` + half.Pin.Digest, `"doc":"half of them"`,
				`"inputs":["free_bikes"],"outputs":[{"name":"bikes","doc":"bikes","min":0}]`,
				`"file":"bad.wasm"`, `"state":"refused","reason":"it imports the moon","since":"2026-05-11T12:01:00Z"`,
			}},
		{"a folder in trouble", []option{withPlugins(catalogue.Listing{Plugins: []catalogue.Entry{}, Skipped: 3, Problem: "permission denied"})},
			[]string{`"skipped":3`, `"problem":"permission denied"`}},
		{"carried and offered", []option{withHalf(t), withPlugins(catalogue.Listing{Plugins: []catalogue.Entry{offered}})}, []string{carries}},
		{"carried, and another of its name is offered", []option{withHalf(t), withPlugins(catalogue.Listing{Plugins: []catalogue.Entry{other}})},
			[]string{strings.Replace(carries, `"offered":true`, `"offered":false`, 1)}},
		{"carried, and its file is gone", []option{withHalf(t), withAdminToken}, []string{strings.Replace(carries, `"offered":true`, `"offered":false`, 1)}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := setup(t, tt.options...)
			w := do(s.Handler(), "GET", "/plugins", "")
			if w.Code != 200 || w.Header().Get("Content-Type") != "application/json" {
				t.Fatalf("%d %s", w.Code, w.Body)
			}
			for _, part := range tt.want {
				if !strings.Contains(w.Body.String(), part) {
					t.Errorf("got %s, want %s in it", w.Body, part)
				}
			}
			if w := do(s.Handler(), "POST", "/plugins", ""); w.Code != 405 {
				t.Errorf("POST gives %d, want 405", w.Code)
			}
		})
	}
}
