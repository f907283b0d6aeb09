package main

import (
	"encoding/json"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// arrows says what each room must not import, and why. Rooms are folders; a
// rule holds for the packages below them too, tests excepted.
var arrows = []struct {
	room string
	ban  []string
	why  string
}{
	{"pipeline", []string{"livelab/runtime", "livelab/sql", "livelab/web", "livelab/cmd"}, "the pipeline runs without a server and with any store"},
	{"pipeline/observation", []string{"livelab/"}, "the shared words are a leaf"},
	{"pipeline/detmath", []string{"livelab/"}, "arithmetic is a leaf"},
	{"pipeline/metrics", []string{"livelab/"}, "scores are a leaf but for arithmetic"},
	{"pipeline/ingest", []string{"livelab/pipeline/features", "livelab/pipeline/model", "livelab/pipeline/train", "livelab/pipeline/gate", "livelab/pipeline/publish"}, "ingest knows observations alone"},
	{"pipeline/features", []string{"livelab/pipeline/ingest", "livelab/pipeline/model", "livelab/pipeline/train", "livelab/pipeline/dataset"}, "features are made from observations alone"},
	{"pipeline/model", []string{"livelab/pipeline/ingest", "livelab/pipeline/train", "livelab/pipeline/gate", "livelab/pipeline/publish"}, "the bundle does not know who made it"},
	{"pipeline/train", []string{"livelab/pipeline/gate", "livelab/pipeline/publish", "livelab/pipeline/ingest"}, "training does not judge itself"},
	{"pipeline/gate", []string{"livelab/pipeline/train", "livelab/pipeline/publish", "livelab/pipeline/ingest"}, "the gate judges numbers, whoever made them"},
	{"pipeline/train/boost", []string{"livelab/pipeline/features", "livelab/pipeline/train", "livelab/pipeline/observation"}, "trees are fitted to bytes, whatever they stand for"},
	{"pipeline/report", []string{"livelab/pipeline/train", "livelab/pipeline/retrain", "livelab/pipeline/publish", "livelab/pipeline/ingest", "livelab/pipeline/dataset", "livelab/pipeline/quality"}, "a report shows what it is given"},
	{"pipeline/quality", []string{"livelab/pipeline/model", "livelab/pipeline/train", "livelab/pipeline/gate", "livelab/pipeline/publish", "livelab/pipeline/ingest", "livelab/pipeline/report", "livelab/pipeline/retrain"}, "data is looked over before anything is made of it"},
	{"pipeline/rulesfile", []string{"livelab/"}, "what reads rules does not know what they are about"},
	{"pipeline/dataset", []string{"livelab/pipeline/model", "livelab/pipeline/train", "livelab/pipeline/quality", "livelab/pipeline/publish"}, "data is kept as it came, whatever is made of it"},
	{"pipeline/publish", []string{"livelab/pipeline/train", "livelab/pipeline/ingest"}, "a registry keeps versions, whoever made them"},
	{"runtime", []string{"livelab/pipeline/train", "livelab/pipeline/ingest", "livelab/pipeline/retrain", "livelab/sql", "livelab/cmd"}, "serving never imports training, sources or stores"},
	{"runtime", []string{"livelab/runtime/wasm/bench"}, "what runs modules without limits is out of serving's reach"},
	{"runtime/server", []string{"livelab/runtime/explain/llm"}, "a language model's client is large, and serving knows an interface"},
	{"runtime/forecast", []string{"livelab/runtime/server", "livelab/runtime/predlog", "livelab/runtime/shadow"}, "forecasts are made off the way of the requests"},
	{"runtime/shadow", []string{"livelab/runtime/server", "livelab/runtime/wasm"}, "who is offered a prediction does not know who asked"},
	{"runtime/jsonscan", []string{"livelab/"}, "what reads clients' bytes is a leaf"},
	{"runtime/explain", []string{"livelab/runtime"}, "words are made of the facts of one prediction alone"},
	{"runtime/predlog/spool", []string{"livelab/"}, "a queue on disk does not know what waits in it"},
	{"runtime/oip", []string{"livelab/"}, "a protocol's messages know neither servers nor models"},
	{"runtime/wasm", []string{"livelab/runtime/server", "livelab/runtime/loader", "livelab/runtime/predlog"}, "the host of transforms serves training, too"},
	{"runtime/wasm/module", []string{"livelab/"}, "what reads hostile bytes is a leaf"},
	{"runtime/wasm/meter", []string{"livelab/"}, "metering knows the parsed module alone"},
	{"runtime/wasm/catalogue", []string{"livelab/runtime/wasm"}, "the catalogue and who lists it need no engine"},
	{"plugins", []string{"livelab/pipeline", "livelab/runtime", "livelab/sql", "livelab/web", "livelab/cmd"}, "authors of transforms need the contract alone"},
	{"plugins/abi", []string{"livelab/"}, "the contract is a leaf"},
	{"plugins/pdk", []string{"livelab/"}, "the kit is compiled into modules"},
	{"sql", []string{"livelab/runtime/server", "livelab/runtime/loader", "livelab/pipeline/train", "livelab/cmd"}, "a store implements interfaces and knows no more"},
}

// allowed are exceptions from a ban by a longer path.
var allowed = map[string][]string{
	"pipeline/metrics":     {"livelab/pipeline/detmath", "livelab/pipeline/metrics"},
	"pipeline/train/boost": {"livelab/pipeline/train/boost"},
	"pipeline/observation": {"livelab/pipeline/observation"},
	"pipeline/detmath":     {"livelab/pipeline/detmath"},
	"runtime/wasm/meter":   {"livelab/runtime/wasm/module"},
	"runtime/oip":          {"livelab/runtime/jsonscan"},
	"runtime/explain":      {"livelab/runtime/explain"},
}

// standardOnly are the rooms that use the standard library and our own leaves
// alone, so that anyone may import them.
var standardOnly = []string{
	"pipeline/observation", "pipeline/features", "pipeline/model", "pipeline/detmath", "pipeline/train/boost",
	"plugins/abi", "plugins/pdk", "runtime/wasm/module", "runtime/wasm/meter",
}

// forTests are rooms that tests import and nothing else does.
var forTests = []string{"livelab/pipeline/features/featurestest", "livelab/runtime/wasm/wasmtest", "livelab/plugins/plugintest", "livelab/sql/storetest", "livelab/pipeline/train/traintest"}

type listed struct {
	ImportPath string
	Name       string
	Imports    []string
	Deps       []string
}

func TestArrows(t *testing.T) {
	t.Parallel()
	packages := list(t, "livelab/...")
	if len(packages) < 10 {
		t.Fatalf("go list found %d packages only", len(packages))
	}
	found := make(map[string]bool)
	for _, p := range packages {
		for _, a := range arrows {
			if !within(p.ImportPath, "livelab/"+a.room) {
				continue
			}
			found[a.room] = true
			for _, imported := range p.Imports {
				if banned(imported, a.ban) && !banned(imported, allowed[a.room]) {
					t.Errorf("%s imports %s: %s", p.ImportPath, imported, a.why)
				}
			}
		}
	}
	for _, a := range arrows {
		if !found[a.room] {
			t.Errorf("there is no room %s, which a rule is about", a.room)
		}
	}
}

// TestGuests holds that a transform in Go is made from the kit and the standard
// library: whatever else it imported would become part of its bytes.
func TestGuests(t *testing.T) {
	t.Parallel()
	guests := 0
	for _, p := range list(t, "livelab/plugins/...") {
		if p.Name != "main" {
			continue
		}
		guests++
		for _, d := range p.Imports {
			if first, _, _ := strings.Cut(d, "/"); d != "livelab/plugins/pdk" && (first == "livelab" || strings.Contains(first, ".")) {
				t.Errorf("%s imports %s: a transform imports the kit and the standard library alone", p.ImportPath, d)
			}
		}
	}
	if guests == 0 {
		t.Error("go list found no transform")
	}
}

func TestRoomsForTests(t *testing.T) {
	t.Parallel()
	for _, p := range list(t, "livelab/...") {
		for _, d := range p.Imports {
			if banned(d, forTests) && !banned(p.ImportPath, forTests) {
				t.Errorf("%s imports %s, which is for tests", p.ImportPath, d)
			}
		}
	}
}

func TestStandardLibraryOnly(t *testing.T) {
	t.Parallel()
	for _, room := range standardOnly {
		for _, p := range list(t, "livelab/"+room) {
			for _, d := range p.Deps {
				ours := strings.HasPrefix(d, "livelab/")
				if first, _, _ := strings.Cut(d, "/"); !ours && strings.Contains(first, ".") {
					t.Errorf("%s depends on %s, and uses the standard library alone", p.ImportPath, d)
				}
			}
		}
	}
}

// TestServerLinksNoLanguageModel holds that neither the server nor its tests
// reach the client by any way: each of their binaries would carry all of it.
func TestServerLinksNoLanguageModel(t *testing.T) {
	t.Parallel()
	const client = "github.com/openai/openai-go"
	reaches := func(args ...string) (through []string) {
		for _, p := range list(t, args...) {
			if slices.ContainsFunc(p.Deps, func(d string) bool { return within(d, client) }) {
				through = append(through, p.ImportPath)
			}
		}
		return through
	}
	if found := reaches("-test", "livelab/runtime/server", "livelab/runtime/explain"); len(found) > 0 {
		t.Errorf("%s depend on %s", strings.Join(found, " and "), client)
	}
	if len(reaches("livelab/runtime/explain/llm")) == 0 {
		t.Errorf("nothing depends on %s any more; this test looks for the wrong name", client)
	}
}

func banned(path string, bans []string) bool {
	for _, b := range bans {
		if within(path, strings.TrimSuffix(b, "/")) {
			return true
		}
	}
	return false
}

func within(path, folder string) bool {
	return path == folder || strings.HasPrefix(path, folder+"/")
}

// list gives what go list says of packages.
func list(t *testing.T, args ...string) []listed {
	t.Helper()
	cmd := exec.Command("go", append([]string{"list", "-json=ImportPath,Name,Imports,Deps"}, args...)...)
	cmd.Dir = "../.."
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var all []listed
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p listed
		if err := d.Decode(&p); err == io.EOF {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
}
