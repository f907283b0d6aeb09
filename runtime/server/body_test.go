package server

import (
	"encoding/json"
	"io"
	"math"
	"slices"
	"strings"
	"testing"
)

func testSchema(t testing.TB) *schema { return newSchema(load(t, testModel(), "v1").Predictor) }

// bodies are what the fuzz targets begin with.
var bodies = []string{
	``, ` `, `{}`, `null`, `[]`, `{"features":{}}`, `{"features":` + classic + `}`, `{"network":"oslo"}`, `{"network":"\u00e5\ud83d\ude00\ud800"}`,
	`{"language":"en","network":"x"}`, `{"station":"465","network":"oslo"}`, `{"features":{"free_bikes":-1.5E+3,"temp_2m":0}}`, `{"features":{"free_bikes":1e999}}`,
	`{"features":{"a":[{"b":[null,true,false,"\n"]}]}}`, `{"features":{"climatology":NaN}}`, `{"a":01}`, `{"a":1.}`, `{"a":"` + "\x01" + `"}`, "\ufeff{}", `{"a":"\`,
	`{"instances":[]}`, `{"instances":[` + classic + `,` + classic + `]}`, `{"instances":[{},{"temp_2m":-0},3]}`, `{"instances":[` + classic + `],"features":` + classic + `}`,
	`{"instances":[` + classic + `],"instances":[` + classic + `]}`, `{"station":"\u0000"}`, `{"network":"<&>"}`, "{\"network\":\"\xff\"}",
	strings.Replace(`{"features":`+classic+`}`, "free_bikes", `free\u005fbikes`, 1),
}

// FuzzDecode holds the decoder to the standard library's: what it accepts must
// be valid JSON with the same values, and what it refuses it must explain.
func FuzzDecode(f *testing.F) {
	for _, seed := range bodies {
		f.Add([]byte(seed), true)
		f.Add([]byte(seed), false)
	}
	sc := testSchema(f)
	f.Fuzz(func(t *testing.T, body []byte, language bool) {
		var q question
		takes := form{language: language}
		if !language {
			takes.instances = 5
		}
		errs := decode(slices.Clone(body), sc, takes, &q)
		for _, e := range errs {
			if e.Detail == "" {
				t.Errorf("an error without a reason: %+v", e)
			}
		}
		if len(errs) > maxErrors+2 {
			t.Errorf("%d errors", len(errs))
		}
		if _, err := json.Marshal(invalid(errs)); err != nil {
			t.Errorf("the refusal cannot be written: %v", err)
		}
		if !json.Valid(body) && strings.Trim(string(body), " \t\r\n") != "" && len(errs) == 0 {
			t.Fatalf("accepted what is not JSON: %q", body)
		}
		if len(errs) == 0 {
			compare(t, body, sc, &q)
		}
	})
}

// compare reads an accepted body the slow way.
func compare(t *testing.T, body []byte, sc *schema, q *question) {
	t.Helper()
	var want struct {
		Features                   map[string]*float64
		Instances                  []map[string]*float64
		Network, Station, Language string
	}
	d := json.NewDecoder(strings.NewReader(string(body)))
	d.DisallowUnknownFields()
	if err := d.Decode(&want); err != nil && err != io.EOF {
		t.Fatalf("accepted %q, which the standard library refuses: %v", body, err)
	}
	if q.given != (want.Features != nil || want.Instances != nil) || q.many != (want.Instances != nil) ||
		q.network != want.Network || q.station != want.Station || q.language != want.Language {
		t.Fatalf("%q was read as %+v", body, q)
	}
	rows := want.Instances
	if !q.many {
		rows = []map[string]*float64{want.Features}
	}
	if len(rows) != q.rows || q.rows > 5 || len(q.values) != q.rows*len(sc.columns) {
		t.Fatalf("%q has %d rows, and was read as %+v", body, len(rows), q)
	}
	for i, row := range rows {
		for column, name := range sc.columns {
			v, there := row[name]
			if got := q.row(i)[column]; there == math.IsNaN(got) || there && (v == nil || *v != got) {
				t.Fatalf("%q: %s of row %d was read as %v", body, name, i, got)
			}
		}
	}
}

func TestSyntaxErrorsSayWhere(t *testing.T) {
	t.Parallel()
	sc := testSchema(t)
	for body, want := range map[string]FieldError{
		`{"features":{"temp_2m":1,}}`:     {"", "the body is not valid JSON: expected a field name in double quotes at byte 25"},
		`{"features":{"temp_2m" 1}}`:      {"", "the body is not valid JSON: expected a colon at byte 23"},
		`{"features":{"temp_2m":1 2}}`:    {"", "the body is not valid JSON: expected a comma or a closing brace at byte 25"},
		`{"features":{"temp_2m":1`:        {"", "the body is not valid JSON: expected a comma or a closing brace at byte 24"},
		`{"features":{"temp_2m":-nan}}`:   {"features.temp_2m", "the body is not valid JSON: NaN and infinities are not JSON (leave out what is missing) at byte 24"},
		`{"features":{"temp_2m":Infinity`: {"features.temp_2m", "the body is not valid JSON: NaN and infinities are not JSON (leave out what is missing) at byte 23"},
		`{"features":{"temp_2m":007}}`:    {"features.temp_2m", "the body is not valid JSON: a number with a leading zero at byte 26"},
		`{"network":"x`:                   {"network", "the body is not valid JSON: the string does not end at byte 13"},
		`{"network":"\q"}`:                {"network", "the body is not valid JSON: a string with an invalid escape at byte 11"},
		"{\"network\":\"a\nb\"}":          {"network", "the body is not valid JSON: a control character in a string at byte 13"},
	} {
		var q question
		errs := decode([]byte(body), sc, form{instances: 100}, &q)
		if len(errs) != 1 || errs[0] != want {
			t.Errorf("%s: errors %q, want %q", body, errs, want)
		}
	}
}

// A question is used again and must forget the one before.
func TestQuestionForgets(t *testing.T) {
	t.Parallel()
	sc := testSchema(t)
	var q question
	if errs := decode([]byte(`{"features":`+classic+`}`), sc, form{language: true}, &q); len(errs) > 0 {
		t.Fatal(errs)
	}
	if errs := decode([]byte(`{"language":"en"}`), sc, form{language: true}, &q); len(errs) > 0 {
		t.Fatal(errs)
	}
	if q.given || slices.ContainsFunc(q.values, func(v float64) bool { return !math.IsNaN(v) }) {
		t.Errorf("remembers %+v", q)
	}
}

func TestDecodeDoesNotAllocate(t *testing.T) {
	sc, body := testSchema(t), []byte(`{"features":`+classic+`}`)
	var q question
	if n := testing.AllocsPerRun(100, func() { decode(body, sc, form{instances: 100}, &q) }); n > 1 {
		t.Errorf("%v allocations a body", n)
	}
}
