package server

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"

	"livelab/pipeline/dataset"
)

// answered is what was seen of the document, by operation and status, by
// response and type of problem, and by member of an answer.
type answered struct{ statuses, problems, members map[string]bool }

func (a *answered) note(t *testing.T, d dialogue) {
	t.Helper()
	w := d.recorded
	a.statuses[d.operation.OperationID+" "+strconv.Itoa(w.Code)] = true
	if !strings.HasSuffix(w.Header().Get("Content-Type"), "json") {
		return
	}
	var body any
	if err := json.Unmarshal(w.Body.Bytes(), &body); err != nil {
		t.Fatal(err)
	}
	if d.operation.OperationID != "getOpenAPI" { // the document has them all
		a.noteMembers(body)
	}
	if problem, ok := body.(map[string]any); ok && w.Code >= 400 && d.response != nil {
		a.problems[fmt.Sprint(d.response.Ref, " ", problem["type"])] = true
	}
}

func (a *answered) noteMembers(v any) {
	switch v := v.(type) {
	case []any:
		for _, e := range v {
			a.noteMembers(e)
		}
	case map[string]any:
		for name, member := range v {
			a.members[name] = true
			a.noteMembers(member)
		}
	}
}

// scenario is a request with what is to become of it.
type scenario struct {
	request string // method and path
	status  int
	body    string
	headers []string // in pairs
	options []option
	prepare func(*testServer)

	// wrong says that the document has something against the request. Of a
	// request that only the model in service can tell to be wrong, it has not.
	wrong bool
}

const (
	loadPath   = "POST /v2/repository/models/network-shortage/load"
	unloadPath = "POST /v2/repository/models/network-shortage/unload"
)

// scenarios are those of what is not provoked for all operations alike.
func scenarios(t *testing.T) []scenario {
	everything := []option{withEverything(t)}
	given, unlucky := `{"features":`+classic+`}`, `{"features":`+changed("free_bikes", "13")+`}`
	stale := withRows(rows{row: newestRow(t, "temp_2m")})
	several := withRows(rows{err: &dataset.NetworkError{Known: []string{"a", "b"}}})
	none := []option{withoutModel}
	text := []string{"Content-Type", "text/plain"}
	foreign := []string{"Sec-Fetch-Site", "cross-site"}
	predicted := func(s *testServer) {
		do(s.Handler(), "POST", "/predict", given)
		do(s.Handler(), "POST", "/predict", "")
	}
	aboutStations := func(_ *Config, d *Deps) {
		m := stationShortage()
		m.Task.Target.Bikes = 2
		d.Models = &models{current: load(t, m, "s1")}
	}
	stations := load(t, stationShortage(), "s1")
	away, still := &snapshot{err: errors.New("connection refused")}, &snapshot{asOf: noon.Add(-61 * time.Minute)}
	list := []scenario{
		{request: "GET /health", status: 200, prepare: failedLast},
		{request: "GET /health", status: 200, options: []option{withoutModel, withStoreDown}},
		{request: "GET /api/status", status: 200, options: []option{withoutModel, withStoreDown}},
		{request: "GET /model", status: 200},
		{request: "GET /model", status: 200, options: []option{aboutStations}},
		{request: "GET /model", status: 503, options: none},
		{request: "GET /plugins", status: 200, options: none},
		{request: "GET /metrics", status: 200, headers: []string{"Accept", "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited"}},
		{request: "GET /metrics", status: 500, options: []option{withoutMetrics}},
		{request: "GET /api/predictions", status: 200, prepare: predicted},
		{request: "GET /api/predictions?limit=0", status: 400, wrong: true},
		{request: "GET /api/predictions", status: 503, options: []option{withStoreDown}},
		{request: "GET /health", status: 200, options: []option{withSnapshot(t, away, stations)}},
		{request: "GET /api/stations", status: 200, options: []option{withSnapshot(t, still, stations)}},
		{request: "GET /api/stations", status: 200, options: []option{withStations(t, nil)}},
		{request: "GET /api/stations/467", status: 200, options: []option{withStations(t, stations)}},
		{request: "GET /api/stations/468", status: 404, options: []option{withStations(t, stations)}},
		{request: "GET /api/stations?sort=name", status: 400, wrong: true},
		{request: "GET /assets/app.js", status: 404},
		{request: "GET /openapi.json", status: 304, headers: []string{"If-None-Match", openAPITag}},

		{request: "POST /predict", status: 200, body: given, options: []option{func(_ *Config, d *Deps) { d.Log = nil }}},
		{request: "POST /predict", status: 400, body: unlucky[:20], wrong: true},
		{request: "POST /predict", status: 400, body: `{"features":{"free_ratio":2}}`},
		{request: "POST /predict", status: 400, body: `{"features":{},"network":"a"}`, wrong: true},
		{request: "POST /predict", status: 400, body: `{"features":{},"instances":[{}]}`, wrong: true},
		{request: "POST /predict", status: 400, body: `{"instances":[]}`, wrong: true},
		{request: "POST /predict", status: 400, body: `{"network":""}`, wrong: true},
		{request: "POST /predict", status: 400, body: `{"language":"en"}`, wrong: true},
		{request: "POST /explain", status: 400, body: `{"instances":[` + classic + `]}`, wrong: true},
		{request: "POST /explain", status: 400, body: `{"features":` + classic + `,"station":"465"}`, wrong: true},
		{request: "POST /explain", status: 400, body: `{"language":"de"}`, wrong: true},
		{request: "POST /explain?lang=de", status: 400, wrong: true},
		{request: "POST /explain", status: 200, body: given, options: []option{withExplainToken}, headers: []string{"X-Explain-Token", "tell me why"}},
		{request: "POST /explain", status: 200, body: given, options: []option{withTrees(t)}},
		{request: "GET /model", status: 200, options: []option{withTrees(t)}},
		{request: "GET /v2/models/network-shortage", status: 200, options: []option{withTrees(t)}},
		{request: "POST /explain", status: 401, options: []option{withExplainToken}},

		{request: "POST /reload_model", status: 401, options: []option{withAdminToken}},
		{request: "POST /reload_model", status: 403, headers: foreign},
		{request: "POST /reload_model", status: 503, options: none},
		{request: "POST /reload_model", status: 503, prepare: func(s *testServer) { s.models.err = failedLoad }},
		{request: "POST /reload_model", status: 503, body: longBody("{}"), prepare: fullOfBodies},

		{request: "GET /v2", status: 200},
		{request: "GET /v2/health/ready", status: 503, options: none},
		{request: "GET /v2/health/ready", status: 503, prepare: func(s *testServer) { s.draining.Store(true) }},

		{request: "POST /v2/repository/index", status: 200},
		{request: "POST /v2/repository/index", status: 400, body: `{"ready":1}`, wrong: true},
		{request: "POST /v2/repository/index", status: 413, body: `{"ready":true}`, options: []option{withSmallBodies}},
		{request: "POST /v2/repository/index", status: 415, body: "{}", headers: text, wrong: true},
		{request: "POST /v2/repository/index", status: 503, options: []option{withRepository(&failing{})}},
		{request: "POST /v2/repository/index", status: 503, body: longBody("{}"), prepare: fullOfBodies},
		{request: loadPath, status: 503, options: []option{withRepository(&failing{})}},
		{request: unloadPath, status: 200, body: `{"parameters":{"version":"` + documentedVersion + `"}}`, options: everything},
	}
	for _, path := range []string{"POST /predict", "POST /explain"} {
		list = append(list,
			scenario{request: path, status: 400, body: `{"when":"now"}`, wrong: true},
			scenario{request: path, status: 400, options: []option{several}},
			scenario{request: path, status: 404, body: `{"network":"atlantis"}`},
			scenario{request: path, status: 404, body: `{"station":"468"}`, options: []option{withStations(t, stations)}},
			scenario{request: path, status: 503, body: `{"station":"467"}`, options: []option{withStations(t, stations)}},
			scenario{request: path, status: 413, body: given, options: []option{withSmallBodies}},
			scenario{request: path, status: 415, body: "{}", headers: text, wrong: true},
			scenario{request: path, status: 422, body: unlucky, options: everything},
			scenario{request: path, status: 503, options: none},
			scenario{request: path, status: 503, body: `{"station":"465"}`},
			scenario{request: path, status: 503, options: []option{stale}},
			scenario{request: path, status: 503, options: []option{withStoreDown}},
			scenario{request: path, status: 503, body: longBody("{}"), prepare: fullOfBodies},
		)
	}
	for _, path := range []string{"GET /api/stations", "GET /api/stations/465"} {
		list = append(list,
			scenario{request: path, status: 304, options: []option{withStations(t, stations)}, headers: []string{"If-None-Match", "*"}},
			scenario{request: path, status: 400, options: []option{func(_ *Config, d *Deps) { d.Stations = severalNetworks{} }}},
			scenario{request: path + "?network=atlantis", status: 404, options: []option{withStations(t, stations)}},
			scenario{request: path, status: 503},
			scenario{request: path, status: 503, options: []option{withSnapshot(t, away, stations)}},
		)
	}
	for _, path := range []string{loadPath, unloadPath} {
		list = append(list,
			scenario{request: path, status: 400, body: `{"parameters":{"config":"{}"}}`, options: everything, wrong: true},
			scenario{request: strings.Replace(path, "network-shortage", "A%20B", 1), status: 400, options: everything},
			scenario{request: path, status: 401, options: []option{withAdminToken}},
			scenario{request: path, status: 403, headers: foreign},
			scenario{request: path, status: 404},
			scenario{request: strings.Replace(path, "network-shortage", "other", 1), status: 404, options: everything},
			scenario{request: path, status: 413, body: `{"parameters":{}}`, options: append(everything, withSmallBodies)},
			scenario{request: path, status: 415, body: "{}", headers: text, options: everything, wrong: true},
			scenario{request: path, status: 503, body: longBody("{}"), prepare: fullOfBodies},
		)
	}
	for _, model := range []string{"/v2/models/network-shortage", "/v2/models/network-shortage/versions/v1"} {
		other, infer := strings.Replace(model, "network-shortage", "other", 1), model+"/infer"
		tensors := inputs(classicColumns...)
		list = append(list,
			scenario{request: "GET " + model, status: 200},
			scenario{request: "GET " + other, status: 404},
			scenario{request: "GET " + model, status: 503, options: none},
			scenario{request: "GET " + model + "/ready", status: 200},
			scenario{request: "GET " + other + "/ready", status: 404},
			scenario{request: "GET " + model + "/ready", status: 503, options: none},
			scenario{request: "POST " + infer, status: 200, body: tensors},
			scenario{request: "POST " + infer, status: 200, body: inputs(`{"name":"x","shape":[8],"datatype":"FP32","data":[` + means + `]}`)},
			scenario{request: "POST " + infer, status: 200, body: inputs(`{"name":"x","shape":[1,8],"datatype":"FP64","data":[[` + means + `]],"parameters":null}`)},
			scenario{request: "POST " + infer, status: 400, wrong: true},
			scenario{request: "POST " + infer, status: 400, body: `{"inputs":[]}`, wrong: true},
			scenario{request: "POST " + infer, status: 400, body: `{"inputs":[{"name":"x","shape":[1],"datatype":"BYTES","data":["a"]}]}`, wrong: true},
			scenario{request: "POST " + infer, status: 400, body: inputs(classicColumns[1:]...)},
			scenario{request: "POST " + other + "/infer", status: 404, body: tensors},
			scenario{request: "POST " + infer, status: 413, body: tensors, options: []option{withSmallBodies}},
			scenario{request: "POST " + infer, status: 415, body: tensors, headers: text, wrong: true},
			scenario{request: "POST " + infer, status: 415, body: tensors, headers: []string{binaryHeader, "100"}},
			scenario{request: "POST " + infer, status: 422, body: inputs(`{"name":"x","shape":[8],"datatype":"FP64","data":[100,13,600,1000,0.4,10,0,10]}`),
				options: []option{func(_ *Config, d *Deps) { d.Models = &models{current: load(t, halved(), "v1", half)} }}},
			scenario{request: "POST " + infer, status: 503, body: tensors, options: none},
			scenario{request: "POST " + infer, status: 503, body: longBody(tensors), prepare: fullOfBodies},
		)
	}
	return list
}

var failedLoad = fmt.Errorf("model.json was changed after training")

// TestContractOfAnswers holds requests and real answers to the document, and
// that all of it was seen: every status of every operation, every type of
// problem of every response, every member of every answer.
func TestContractOfAnswers(t *testing.T) {
	t.Parallel()
	doc := closedContract(t)
	seen := &answered{make(map[string]bool), make(map[string]bool), make(map[string]bool)}
	for _, tt := range scenarios(t) {
		s := setup(t, tt.options...)
		if tt.prepare != nil {
			tt.prepare(s)
		}
		method, path, _ := strings.Cut(tt.request, " ")
		d := doc.talk(t, s.Handler(), method, path, tt.body, tt.headers...)
		what := fmt.Sprintf("%s %.80s", tt.request, strings.TrimSpace(tt.body))
		if d.recorded.Code != tt.status {
			t.Errorf("%s: %d, want %d: %s", what, d.recorded.Code, tt.status, d.recorded.Body)
		}
		if (d.request != nil) != tt.wrong {
			t.Errorf("%s: the document says of the request: %v", what, d.request)
		}
		d.check(t, what)
		seen.note(t, d)
	}
	for _, e := range examplesOf(doc) {
		for _, tt := range []struct {
			option option
			worst  int
		}{{withEverything(t), 399}, {withMistakes, 500}} {
			s := setup(t, tt.option)
			d := doc.talk(t, s.Handler(), e.method, e.path, e.body, e.headers...)
			if d.request != nil || d.recorded.Code > tt.worst {
				t.Errorf("the example %s %s %s: %d %s, and of the request: %v", e.method, e.path, e.body, d.recorded.Code, d.recorded.Body, d.request)
			}
			d.check(t, e.method+" "+e.path+" "+e.body)
			seen.note(t, d)
		}
	}
	seen.checkAll(t, doc)
}

func (d *dialogue) check(t *testing.T, what string) {
	t.Helper()
	if d.answer != nil {
		t.Errorf("%s: %d %s: %.2000v", what, d.recorded.Code, d.recorded.Body, d.answer)
	}
	if media := d.recorded.Header().Get("Content-Type"); (media == "") != (d.recorded.Code == http.StatusNotModified) {
		t.Errorf("%s: %d has the content type %q", what, d.recorded.Code, media)
	}
}

// example is a request that the document has, ready to be sent.
type example struct {
	method, path, body string
	headers            []string
}

// examplesOf makes requests of the document's examples: for each operation one
// for each body, with the examples of all parameters.
func examplesOf(doc *contractDoc) []example {
	var list []example
	for path, item := range doc.Paths.Map() {
		for method, op := range item.Operations() {
			e, query := example{method: method, path: path}, url.Values{}
			for _, p := range slices.Concat(item.Parameters, op.Parameters) {
				switch value := fmt.Sprint(p.Value.Example); p.Value.In {
				case openapi3.ParameterInPath:
					e.path = strings.ReplaceAll(e.path, "{"+p.Value.Name+"}", value)
				case openapi3.ParameterInQuery:
					query.Set(p.Value.Name, value)
				case openapi3.ParameterInHeader:
					if p.Value.Example != nil {
						e.headers = append(e.headers, p.Value.Name, value)
					}
				}
			}
			if len(query) > 0 {
				e.path += "?" + query.Encode()
			}
			if !takesBody(op) {
				list = append(list, e)
				continue
			}
			for _, body := range op.RequestBody.Value.Content["application/json"].Examples {
				text, _ := json.Marshal(body.Value.Value) // it was JSON
				e.body = string(text)
				list = append(list, e)
			}
		}
	}
	return list
}

// checkAll names what is documented and was not seen.
func (a *answered) checkAll(t *testing.T, doc *contractDoc) {
	t.Helper()
	for _, item := range doc.Paths.Map() {
		for _, op := range item.Operations() {
			for status, response := range op.Responses.Map() {
				if !a.statuses[op.OperationID+" "+status] {
					t.Errorf("%s: no scenario has the status %s", op.OperationID, status)
				}
				a.checkProblems(t, response)
			}
		}
	}
	documented := make(map[string]bool)
	for _, name := range []string{"Answer", "Answers", "Explanation", "Health", "Status", "ModelInService", "Plugins", "Reloaded", "LoggedPredictions", "StationForecasts", "StationForecast",
		"V2Problem", "ServerMetadata", "ServerReady", "ModelReady", "ModelMetadata", "InferResponse", "RepositoryEntry"} {
		membersOf(doc.Components.Schemas[name], documented)
	}
	for _, name := range slices.Sorted(maps.Keys(documented)) {
		if !a.members[name] {
			t.Errorf("no answer has the member %s, which is documented", name)
		}
	}
}

func (a *answered) checkProblems(t *testing.T, response *openapi3.ResponseRef) {
	t.Helper()
	content := response.Value.Content["application/problem+json"]
	if content == nil {
		return
	}
	typ := content.Schema.Value.Properties["type"].Value
	types := typ.Enum
	if typ.Const != nil {
		types = append(types, typ.Const)
	}
	if len(types) == 0 {
		t.Errorf("%s has no types of problems", response.Ref)
	}
	for _, name := range types {
		if !a.problems[fmt.Sprint(response.Ref, " ", name)] {
			t.Errorf("%s: no scenario has the problem %v", response.Ref, name)
		}
	}
}

// membersOf gathers the names of the members that a schema has, at any depth.
func membersOf(s *openapi3.SchemaRef, into map[string]bool) {
	if s == nil || s.Value == nil {
		return
	}
	for name, member := range s.Value.Properties {
		into[name] = true
		membersOf(member, into)
	}
	membersOf(s.Value.Items, into)
	for _, part := range slices.Concat(s.Value.AllOf, s.Value.AnyOf, s.Value.OneOf) {
		membersOf(part, into)
	}
}
