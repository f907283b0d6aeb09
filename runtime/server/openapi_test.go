package server

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
)

// TestContractIsValid holds the document to OpenAPI 3.1 and its examples to its
// schemas; with these closed, so that no example has more than is documented.
func TestContractIsValid(t *testing.T) {
	t.Parallel()
	open, err := parseContract(openAPI)
	if err != nil {
		t.Fatal(err)
	}
	for name, doc := range map[string]*contractDoc{"as it is": open, "closed": closedContract(t)} {
		if err := doc.Validate(t.Context()); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if !doc.IsOpenAPI31OrLater() {
			t.Errorf("the version is %s", doc.OpenAPI)
		}
	}
}

// TestContractIsServed holds that the file is the contract, byte for byte.
func TestContractIsServed(t *testing.T) {
	t.Parallel()
	file, err := os.ReadFile("openapi.json")
	if err != nil {
		t.Fatal(err)
	}
	h := setup(t).Handler()
	w := do(h, "GET", "/openapi.json", "")
	if w.Code != 200 || w.Header().Get("Content-Type") != "application/json" || w.Body.String() != string(file) {
		t.Errorf("%d %s, %d bytes, want those of openapi.json, %d", w.Code, w.Header().Get("Content-Type"), w.Body.Len(), len(file))
	}
	tag := w.Header().Get("ETag")
	if len(tag) < 10 || tag[0] != '"' || w.Header().Get("Cache-Control") != "no-cache" {
		t.Errorf("headers %v", w.Header())
	}
	if head := do(h, "HEAD", "/openapi.json", ""); head.Code != 200 || head.Header().Get("ETag") != tag {
		t.Errorf("HEAD: %d %v", head.Code, head.Header())
	}
	for value, status := range map[string]int{
		tag: 304, "W/" + tag: 304, "*": 304, `"a", ` + tag: 304,
		`"a"`: 200, strings.Trim(tag, `"`): 200, "": 200,
	} {
		w := do(h, "GET", "/openapi.json", "", "If-None-Match", value)
		if w.Code != status || w.Header().Get("ETag") != tag || (w.Body.Len() == 0) != (status == 304) {
			t.Errorf("If-None-Match: %s gives %d with %d bytes, want %d", value, w.Code, w.Body.Len(), status)
		}
	}
}

// TestContractHasTheRoutes holds that every route is documented, and that there
// is a route for all that is.
func TestContractHasTheRoutes(t *testing.T) {
	t.Parallel()
	s := setup(t)
	const twin = "/v2/" // answers like /v2, which says so
	routes, heads := make(map[string]bool), make(map[string]bool)
	for _, r := range s.engine.Routes() {
		parts := strings.Split(r.Path, "/")
		for i, part := range parts {
			if part != "" && strings.ContainsRune(":*", rune(part[0])) {
				parts[i] = "{" + part[1:] + "}"
			}
		}
		path := strings.Join(parts, "/")
		switch {
		case path == twin:
		case r.Method == http.MethodHead:
			heads[path] = true
		default:
			routes[r.Method+" "+path] = true
		}
	}
	documented := make(map[string]bool)
	for path, item := range closedContract(t).Paths.Map() {
		for method := range item.Operations() {
			documented[method+" "+path] = true
			if method == http.MethodGet && !heads[path] {
				t.Errorf("GET %s has no HEAD", path)
			}
		}
	}
	for _, route := range slices.Sorted(maps.Keys(routes)) {
		if !documented[route] {
			t.Errorf("%s is not documented", route)
		}
	}
	for _, route := range slices.Sorted(maps.Keys(documented)) {
		if !routes[route] {
			t.Errorf("%s is documented, and there is no such route", route)
		}
	}
}

// TestContractIsWhole holds what every operation has.
func TestContractIsWhole(t *testing.T) {
	t.Parallel()
	doc := closedContract(t)
	ids := make(map[string]bool)
	for path, item := range doc.Paths.Map() {
		for method, op := range item.Operations() {
			name := method + " " + path
			if op.OperationID == "" || ids[op.OperationID] || op.Summary == "" || op.Description == "" || len(op.Tags) != 1 || doc.Tags.Get(op.Tags[0]) == nil {
				t.Errorf("%s needs an ID of its own, a summary, a description and a tag", name)
			}
			ids[op.OperationID] = true
			for status, response := range op.Responses.Map() {
				if response.Value.Headers[requestIDHeader] == nil {
					t.Errorf("%s %s has no header %s", name, status, requestIDHeader)
				}
				if problem := response.Value.Content["application/problem+json"]; (status >= "400") != (problem != nil && len(response.Value.Content) == 1) {
					t.Errorf("%s %s: errors are problems, and nothing else is", name, status)
				}
			}
			if takesBody(op) && len(op.RequestBody.Value.Content["application/json"].Examples) == 0 {
				t.Errorf("%s has no example of a request", name)
			}
		}
	}
}

func takesBody(op *openapi3.Operation) bool { return op.RequestBody != nil }

// TestContractNamesTheProblems holds the types of problems to those in the
// code, and each to what its description says of its status.
func TestContractNamesTheProblems(t *testing.T) {
	t.Parallel()
	typ := closedContract(t).Components.Schemas["Problem"].Value.Properties["type"].Value
	documented := make(map[string]bool)
	for _, v := range typ.Enum {
		documented[v.(string)] = true
	}
	for name := range kindsInCode(t) {
		if urn := "urn:livelab:problem:" + name; !documented[urn] {
			t.Errorf("%s is not documented", urn)
		} else {
			delete(documented, urn)
		}
	}
	for urn := range documented {
		t.Errorf("%s is documented, and no code has it", urn)
	}
}

// kindsInCode finds the kinds of problems by their names.
func kindsInCode(t *testing.T) map[string]bool {
	t.Helper()
	files, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	kinds := make(map[string]bool)
	for _, f := range files {
		if !strings.HasSuffix(f.Name(), ".go") || strings.HasSuffix(f.Name(), "_test.go") {
			continue
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), f.Name(), nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(parsed, func(n ast.Node) bool {
			literal, ok := n.(*ast.CompositeLit)
			if !ok {
				return true
			}
			if typ, ok := literal.Type.(*ast.Ident); ok && typ.Name == "kind" {
				name, err := strconv.Unquote(literal.Elts[0].(*ast.BasicLit).Value)
				if err != nil {
					t.Fatal(err)
				}
				kinds[name] = true
			}
			return true
		})
	}
	if len(kinds) < 10 {
		t.Fatalf("found %d kinds of problems only", len(kinds))
	}
	return kinds
}

// TestContractOfTheRest holds what is answered where there is no operation to
// the problem that the document describes.
func TestContractOfTheRest(t *testing.T) {
	t.Parallel()
	doc := closedContract(t)
	h := setup(t).Handler()
	for _, tt := range []struct {
		method, path, schema string
		status               int
	}{
		{"GET", "/nothing", "Problem", 404}, {"GET", "/predict", "Problem", 405},
		{"GET", "/v2/nothing", "V2Problem", 404}, {"GET", inferPath, "V2Problem", 405},
	} {
		w := do(h, tt.method, tt.path, "")
		var problem any
		if err := json.Unmarshal(w.Body.Bytes(), &problem); err != nil {
			t.Fatal(err)
		}
		if w.Code != tt.status || w.Header().Get("Content-Type") != "application/problem+json" || (tt.status == 405) != (w.Header().Get("Allow") == "POST") {
			t.Errorf("%s %s: %d %v", tt.method, tt.path, w.Code, w.Header())
		}
		schema := &openapi3.Schema{AllOf: openapi3.SchemaRefs{doc.Components.Schemas[tt.schema]}}
		if err := schema.VisitJSON(problem, openapi3.EnableJSONSchema2020()); err != nil {
			t.Errorf("%s %s: %v", tt.method, tt.path, err)
		}
	}
}
