package abi

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"
)

const good = `{"name":"calendar","version":"1.0.0","doc":"cycles of the day",` +
	`"inputs":[{"name":"unix_time"},{"name":"comfort.felt"}],` +
	`"outputs":[{"name":"hour_sin","doc":"sine","min":-1,"max":1},{"name":"rush"}]}`

func TestParseDescription(t *testing.T) {
	t.Parallel()
	d, err := ParseDescription([]byte(good))
	if err != nil {
		t.Fatal(err)
	}
	least, greatest := -1.0, 1.0
	want := Description{
		Name: "calendar", Version: "1.0.0", Doc: "cycles of the day",
		Inputs:  []Input{{"unix_time"}, {"comfort.felt"}},
		Outputs: []Output{{Name: "hour_sin", Doc: "sine", Min: &least, Max: &greatest}, {Name: "rush"}},
	}
	if !reflect.DeepEqual(d, want) {
		t.Errorf("got %+v, want %+v", d, want)
	}
}

func TestParseDescriptionRefuses(t *testing.T) {
	t.Parallel()
	swap := func(old, with string) string { return strings.Replace(good, old, with, 1) }
	var many []string
	for i := range MaxColumns + 1 {
		many = append(many, fmt.Sprintf(`{"name":"c%d"}`, i))
	}
	tests := []struct{ name, json, want string }{
		{"empty", "", "not one JSON object"},
		{"cut off", good[:len(good)-1], "not one JSON object"},
		{"trailing data", good + " {}", "not one JSON object"},
		{"a list", "[]", "an object is needed"},
		{"null", "null", "an object is needed"},
		{"too large", good + strings.Repeat(" ", MaxDescription), "use at most 16384"},
		{"not UTF-8", swap("sine", "\xff"), "not UTF-8"},
		{"unknown field", swap(`"doc"`, `"dox"`), `"dox" is not known`},
		{"other case", swap(`"doc"`, `"Doc"`), `"Doc" is not known`},
		{"unknown field of an input", swap(`{"name":"unix_time"}`, `{"name":"unix_time","unit":"s"}`), `"unit" is not known`},
		{"duplicate", swap(`"version":"1.0.0"`, `"name":"calendar"`), `"name" is there twice`},
		{"escaped duplicate", swap(`"version":"1.0.0"`, `"n\u0061me":"calendar"`), `"name" is there twice`},
		{"duplicate in an output", swap(`"min":-1`, `"max":1`), `"max" is there twice`},
		{"null text", swap(`"1.0.0"`, "null"), "a text is needed"},
		{"null bound", swap(`"min":-1`, `"min":null`), "a number is needed"},
		{"bound as text", swap(`"min":-1`, `"min":"-1"`), "a number is needed"},
		{"bound out of range", swap(`"min":-1`, `"min":-1e999`), "is out of range"},
		{"bounds swapped", swap(`"min":-1`, `"min":2`), "is above max"},
		{"inputs not a list", swap(`[{"name":"unix_time"},{"name":"comfort.felt"}]`, `{}`), "a list is needed"},
		{"no name", swap(`"name":"calendar",`, ""), `name ""`},
		{"no version", swap(`"version":"1.0.0",`, ""), `version ""`},
		{"no inputs", swap(`{"name":"unix_time"},{"name":"comfort.felt"}`, ""), "no inputs"},
		{"no outputs", good[:strings.Index(good, `,"outputs"`)] + "}", "no outputs"},
		{"too many inputs", swap(`{"name":"unix_time"}`, strings.Join(many, ",")), "at most 256"},
		{"too many outputs", swap(`{"name":"rush"}`, strings.Join(many, ",")), "at most 256"},
		{"input twice", swap("comfort.felt", "unix_time"), `"unix_time" is there twice`},
		{"output twice", swap("rush", "hour_sin"), `"hour_sin" is there twice`},
		{"letter of another alphabet", swap("calendar", "calendàr"), `name "calendàr"`},
		{"hyphen first", swap("calendar", "-calendar"), `name "-calendar"`},
		{"comma", swap("calendar", "a,b"), `name "a,b"`},
		{"digit first", swap("calendar", "1st"), `name "1st"`},
		{"path", swap("calendar", "../etc"), `name "../etc"`},
		{"dot in an output", swap("rush", "a.b"), `output "a.b"`},
		{"long name", swap("calendar", strings.Repeat("a", 65)), "name"},
		{"two dots", swap("comfort.felt", "a.b.c"), `input "a.b.c"`},
		{"two words as version", swap("1.0.0", "1 beta"), `version "1 beta"`},
		{"long version", swap("1.0.0", "1."+strings.Repeat("0", 31)), "version"},
		{"long doc", swap("cycles", strings.Repeat("x", MaxDoc)), "use at most 1024"},
		{"terminal escape", swap("cycles", `\u001b[2J`), "U+001B"},
		{"right to left override", swap("cycles", `\u202e`), "U+202E"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			_, err := ParseDescription([]byte(test.json))
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want an error with %q", err, test.want)
			}
		})
	}
}

func TestVersions(t *testing.T) {
	t.Parallel()
	for v, want := range map[string]bool{
		"1": true, "1.2.3.4": true, "0.0.1-rc.1": true, "1.2.3+b7": true, "v1_2": true, "2026-11-23": true,
		"": false, "1.2.3 ": false, "1/2": false, "1@2": false, "é": false,
	} {
		if got := validVersion(v); got != want {
			t.Errorf("validVersion(%q) = %v, want %v", v, got, want)
		}
	}
}

// What is accepted must mean the same when it is written and read once more.
func FuzzParseDescription(f *testing.F) {
	f.Add([]byte(good))
	f.Add([]byte(`{"name":"a","version":"1","inputs":[{"name":"b"}],"outputs":[{"name":"c","min":1e-3}]}`))
	f.Add([]byte(`{"name":"a","name":"a"}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		d, err := ParseDescription(data)
		if err != nil {
			return
		}
		again, err := json.Marshal(d)
		if err != nil {
			t.Fatalf("accepted %q, which cannot be written: %v", data, err)
		}
		if len(again) > MaxDescription {
			return // escapes can make it longer
		}
		d2, err := ParseDescription(again)
		if err != nil || !reflect.DeepEqual(d, d2) {
			t.Fatalf("%q was read as %+v, then as %+v (%v)", data, d, d2, err)
		}
	})
}

// A space that does not break is how French writes numbers and units.
func TestDocMayHaveSpacesThatDoNotBreak(t *testing.T) {
	t.Parallel()
	if _, err := ParseDescription([]byte(strings.Replace(good, "cycles", "24\u00a0h", 1))); err != nil {
		t.Error(err)
	}
}
