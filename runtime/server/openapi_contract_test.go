package server

import (
	"bytes"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/gorillamux"
)

// contractDoc is openapi.json as a test uses it.
type contractDoc struct {
	*openapi3.T
	router routers.Router
}

// theContract is the document with all its schemas closed: what is not
// documented is an error. In the document itself answers are open, as clients
// must bear with new members.
var theContract = sync.OnceValues(func() (*contractDoc, error) {
	for _, media := range []string{"text/html", "text/css"} {
		openapi3filter.RegisterBodyDecoder(media, openapi3filter.FileBodyDecoder)
	}
	var raw map[string]any
	if err := json.Unmarshal(openAPI, &raw); err != nil {
		return nil, err
	}
	closeAll(raw)
	text, err := json.Marshal(raw)
	if err != nil {
		return nil, err
	}
	return parseContract(text)
})

func parseContract(text []byte) (*contractDoc, error) {
	doc, err := openapi3.NewLoader().LoadFromData(text)
	if err != nil {
		return nil, err
	}
	router, err := gorillamux.NewRouter(doc)
	return &contractDoc{doc, router}, err
}

func closedContract(t *testing.T) *contractDoc {
	t.Helper()
	doc, err := theContract()
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

// closeAll closes the schemas in any part of the document but the schemas of
// the components: those are closed where they are referred to, as they may be
// parts of others.
func closeAll(node any) {
	switch node := node.(type) {
	case []any:
		for _, v := range node {
			closeAll(v)
		}
	case map[string]any:
		for key, v := range node {
			schemas, many := v.(map[string]any)
			switch {
			case key == "example", key == "value":
			case key == "schema":
				node[key] = closed(v)
			case key == "schemas" && many:
				for _, s := range schemas {
					closeWithin(s)
				}
			default:
				closeAll(v)
			}
		}
	}
}

// closed closes a schema whose value no other schema describes, too.
func closed(schema any) any {
	s, ok := schema.(map[string]any)
	if !ok {
		return schema // true or false
	}
	closeWithin(s)
	if target, ok := s["$ref"]; ok {
		s = maps.Clone(s)
		delete(s, "$ref")
		s["allOf"] = []any{map[string]any{"$ref": target}}
	}
	s["unevaluatedProperties"] = false
	return s
}

// closeWithin closes the schemas of a value's members and elements, and not
// those of the value itself.
func closeWithin(schema any) {
	s, ok := schema.(map[string]any)
	if !ok {
		return
	}
	if members, ok := s["properties"].(map[string]any); ok {
		for name, member := range members {
			members[name] = closed(member)
		}
	}
	for _, key := range []string{"items", "additionalProperties"} {
		if of, there := s[key]; there {
			s[key] = closed(of)
		}
	}
	for _, key := range []string{"allOf", "anyOf", "oneOf"} {
		parts, _ := s[key].([]any)
		for _, part := range parts {
			closeWithin(part)
		}
	}
}

// dialogue is a request with its answer and the operation that documents them.
type dialogue struct {
	operation *openapi3.Operation
	response  *openapi3.ResponseRef // as documented; nil where it is not
	request   error                 // what the document has against the request
	answer    error                 // and against the answer
	recorded  *httptest.ResponseRecorder
}

// talk sends a request, whose headers come in pairs, and holds it and its
// answer against the document.
func (d *contractDoc) talk(t *testing.T, h http.Handler, method, path, body string, headers ...string) dialogue {
	t.Helper()
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	if body == "" {
		r = httptest.NewRequest(method, path, http.NoBody)
	} else {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	route, params, err := d.router.FindRoute(r)
	if err != nil {
		t.Fatalf("%s %s is not documented: %v", method, path, err)
	}
	options := &openapi3filter.Options{IncludeResponseStatus: true, SkipSettingDefaults: true, AuthenticationFunc: openapi3filter.NoopAuthenticationFunc}
	asked := &openapi3filter.RequestValidationInput{Request: r, PathParams: params, Route: route, Options: options}
	e := dialogue{operation: route.Operation, recorded: httptest.NewRecorder()}
	e.request = openapi3filter.ValidateRequest(t.Context(), asked)

	served := r.Clone(t.Context())
	served.Body = io.NopCloser(strings.NewReader(body))
	h.ServeHTTP(e.recorded, served)
	e.response = route.Operation.Responses.Status(e.recorded.Code)
	e.answer = openapi3filter.ValidateResponse(t.Context(), &openapi3filter.ResponseValidationInput{
		RequestValidationInput: asked, Options: options,
		Status: e.recorded.Code, Header: e.recorded.Header(), Body: io.NopCloser(bytes.NewReader(e.recorded.Body.Bytes())),
	})
	return e
}
