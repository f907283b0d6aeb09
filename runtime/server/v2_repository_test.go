package server

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"livelab/pipeline/model"
	"livelab/pipeline/publish"
	"livelab/runtime/loader"
)

// failing is a repository that can list and load nothing.
type failing struct{ repository }

func (*failing) Index(context.Context) ([]loader.Entry, error) {
	return nil, errors.New("open /srv/artifacts: permission denied")
}

func (*failing) Load(context.Context, string, string) (loader.Loaded, error) {
	return loader.Loaded{}, errors.New("read /srv/artifacts/m/model.json: it changed after training")
}

func withRepository(r Repository) option { return func(_ *Config, d *Deps) { d.Repository = r } }

func TestRepositoryAway(t *testing.T) {
	t.Parallel()
	s := setup(t, withRepository(&failing{}))
	w := do(s.Handler(), "POST", "/v2/repository/index", "")
	wantV2Problem(t, w, 503)
	load := do(s.Handler(), "POST", "/v2/repository/models/network-shortage/load", "")
	wantV2Problem(t, load, 503)
	if !strings.Contains(load.Body.String(), "it changed after training") {
		t.Errorf("the reason is not told: %s", load.Body)
	}
	for _, body := range []string{w.Body.String(), load.Body.String()} {
		if strings.Contains(body, "/srv") {
			t.Errorf("where files lie is told: %s", body)
		}
	}
}

func TestRepositoryOfOneModel(t *testing.T) {
	t.Parallel()
	s := setup(t)
	for _, body := range []string{"", "{}", `{"ready": true}`} {
		w := do(s.Handler(), "POST", "/v2/repository/index", body)
		if got := w.Body.String(); w.Code != 200 || got != `[{"name":"network-shortage","version":"v1","state":"READY","reason":""}]` {
			t.Errorf("%q: %d %s", body, w.Code, got)
		}
	}
	if w := do(setup(t, withoutModel).Handler(), "POST", "/v2/repository/index", ""); w.Code != 200 || w.Body.String() != "[]" {
		t.Errorf("without a model: %d %s", w.Code, w.Body)
	}
	wantV2Problem(t, do(s.Handler(), "POST", "/v2/repository/index", `{"ready": 1}`), 400, "ready must be true or false")
	wantV2Problem(t, do(s.Handler(), "POST", "/v2/repository/models/network-shortage/load", ""), 404)
	wantV2Problem(t, do(s.Handler(), "POST", "/v2/repository/models/network-shortage/unload", ""), 404)
}

func TestRepositoryIsGuarded(t *testing.T) {
	t.Parallel()
	fake := &repository{loaded: map[string]*loader.Loaded{"v1": load(t, testModel(), "v1")}}
	s := setup(t, withAdminToken, withRepository(fake))
	for _, what := range []string{"load", "unload"} {
		path := "/v2/repository/models/network-shortage/" + what
		wantV2Problem(t, do(s.Handler(), "POST", path, ""), 401)
		wantV2Problem(t, do(s.Handler(), "POST", path, "", "Authorization", "Bearer wrong"), 401)
		wantV2Problem(t, do(s.Handler(), "POST", path, "", "Authorization", "Bearer open sesame", "Sec-Fetch-Site", "cross-site"), 403)
	}
	if len(fake.loaded) != 1 {
		t.Error("the model was unloaded all the same")
	}
	w := do(s.Handler(), "POST", "/v2/repository/models/network-shortage/unload", `{"parameters": {"version": "20260511T120000Z-1a2b3c4d"}}`, "Authorization", "Bearer open sesame")
	if w.Code != 200 {
		t.Errorf("with the token: %d %s", w.Code, w.Body)
	}
}

// versions publishes models into a new registry.
type versions struct {
	*publish.Dir
	at time.Time
}

func (r *versions) add(t *testing.T, name string, intercept float64) (version string) {
	t.Helper()
	m := testModel()
	m.Name, m.Intercept = name, intercept
	b, err := model.Encode(m)
	if err != nil {
		t.Fatal(err)
	}
	r.at = r.at.Add(time.Second)
	version = publish.VersionName(r.at, model.Digest(b))
	metadata, err := json.Marshal(model.Metadata{ModelVersion: version, Model: name, Digest: model.Digest(b)})
	if err != nil {
		t.Fatal(err)
	}
	files := map[string][]byte{model.ModelFile: b, model.MetricsFile: []byte("{}"), model.MetadataFile: metadata}
	if _, err := r.Add(t.Context(), name, files, r.at); err != nil {
		t.Fatal(err)
	}
	return version
}

// setupSet is a server over the real set of models: two versions of one, the
// first one its champion, and one of another, which follows no alias.
func setupSet(t *testing.T) (s *testServer, first, second, other string) {
	t.Helper()
	r := &versions{publish.OpenDir(t.TempDir()), noon}
	first, second, other = r.add(t, "network-shortage", -1), r.add(t, "network-shortage", 1), r.add(t, "another", 2)
	if err := r.Promote(t.Context(), "network-shortage", first, publish.PromoteOptions{Force: true, At: r.at}); err != nil {
		t.Fatal(err)
	}
	set, err := loader.NewSet(loader.SetConfig{Config: loader.Config{Registry: r, Model: "network-shortage"}})
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := set.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	s = setup(t, func(_ *Config, d *Deps) { d.Models, d.Repository = set, set })
	return s, first, second, other
}

func (s *testServer) repository(t *testing.T, model, what, version string, status int) string {
	t.Helper()
	body := ""
	if version != "" {
		body = `{"parameters": {"version": "` + version + `"}}`
	}
	w := do(s.Handler(), "POST", "/v2/repository/models/"+model+"/"+what, body)
	if w.Code != status {
		t.Fatalf("%s %s %s: %d %s, want %d", what, model, version, w.Code, w.Body, status)
	}
	return w.Body.String()
}

// index is the repository's index as text: name, version and state a line.
func (s *testServer) index(t *testing.T, body string) string {
	t.Helper()
	var list []struct{ Name, Version, State string }
	w := do(s.Handler(), "POST", "/v2/repository/index", body)
	if err := json.Unmarshal(w.Body.Bytes(), &list); err != nil {
		t.Fatalf("%d %s: %v", w.Code, w.Body, err)
	}
	var lines []string
	for _, e := range list {
		lines = append(lines, e.Name+" "+e.Version+" "+e.State)
	}
	return strings.Join(lines, "\n")
}

func TestRepositoryOfManyModels(t *testing.T) {
	t.Parallel()
	s, first, second, other := setupSet(t)
	network := "network-shortage "
	if got, want := s.index(t, ""), fmt.Sprintf("another %s UNAVAILABLE\n%s%s UNAVAILABLE\n%s%s READY", other, network, second, network, first); got != want {
		t.Errorf("the index is\n%s\nwant\n%s", got, want)
	}
	if got, want := s.index(t, `{"ready": true}`), network+first+" READY"; got != want {
		t.Errorf("ready is\n%s\nwant\n%s", got, want)
	}

	if got, want := s.repository(t, "network-shortage", "load", second, 200), `{"name":"network-shortage","version":"`+second+`","state":"READY","reason":""}`; got != want {
		t.Errorf("loaded is %s, want %s", got, want)
	}
	s.repository(t, "another", "load", other, 200)
	s.answers(t, "/v2/models/network-shortage", first, 0.2689414213699951)
	s.answers(t, "/v2/models/network-shortage/versions/"+first, first, 0.2689414213699951)
	s.answers(t, "/v2/models/network-shortage/versions/"+second, second, 0.7310585786300049)
	s.answers(t, "/v2/models/another", other, 0.8807970779778823)
	metadata := want(t, do(s.Handler(), "GET", "/v2/models/network-shortage/versions/"+second, ""), 200)
	if got := fmt.Sprint(metadata["versions"]); got != "["+second+" "+first+"]" {
		t.Errorf("the versions are %s", got)
	}

	s.repository(t, "network-shortage", "unload", second, 200)
	wantV2Problem(t, do(s.Handler(), "POST", "/v2/models/network-shortage/versions/"+second+"/infer", inputs(classicColumns...)), 404)
	s.repository(t, "network-shortage", "unload", second, 404)
	s.answers(t, "/v2/models/network-shortage", first, 0.2689414213699951)

	s.repository(t, "network-shortage", "unload", "", 200)
	wantV2Problem(t, do(s.Handler(), "GET", "/v2/health/ready", ""), 503)
	s.answers(t, "/v2/models/another", other, 0.8807970779778823)
	s.repository(t, "network-shortage", "load", "", 200)
	s.answers(t, "/v2/models/network-shortage", first, 0.2689414213699951)

	for _, tt := range []struct {
		model, version string
		status         int
	}{
		{"network-shortage", "20200101T000000Z-00000000", 404},
		{"nothing", "", 404},
		{"another", "", 404}, // it has no champion to follow
		{"network-shortage", "..", 400},
		{"network-shortage", "../../etc", 400},
		{"..", "", 400},
		{"%2e%2e", "", 400},
		{"A%20B", "", 400},
	} {
		wantV2Problem(t, do(s.Handler(), "POST", "/v2/repository/models/"+tt.model+"/load", `{"parameters": {"version": "`+tt.version+`"}}`), tt.status)
	}
	wantV2Problem(t, do(s.Handler(), "POST", "/v2/repository/models/another/load", `{"parameters": {"config": "{}"}}`), 400, `parameters knows version and no "config"`)
}

// answers holds that a model answers for its means.
func (s *testServer) answers(t *testing.T, path, version string, probability float64) {
	t.Helper()
	w := do(s.Handler(), "POST", path+"/infer", inputs(classicColumns...))
	var a inferred
	if err := json.Unmarshal(w.Body.Bytes(), &a); err != nil || w.Code != 200 {
		t.Fatalf("%s: %d %s", path, w.Code, w.Body)
	}
	if got := a.probabilities(t, 2)[0]; a.ModelVersion != version || got < probability-1e-12 || got > probability+1e-12 {
		t.Errorf("%s: version %s says %v, want %s and %v", path, a.ModelVersion, got, version, probability)
	}
	if last := s.log.logged(); last[len(last)-1].Version != version {
		t.Errorf("%s: logged for the version %s", path, last[len(last)-1].Version)
	}
}

// Loading and unloading beside requests must not touch them.
func TestInferWhileVersionsComeAndGo(t *testing.T) {
	t.Parallel()
	s, _, second, _ := setupSet(t)
	body := inputs(classicColumns...)
	var clients sync.WaitGroup
	for range 4 {
		clients.Go(func() {
			for range 100 {
				if w := do(s.Handler(), "POST", inferPath, body); w.Code != 200 {
					t.Errorf("the default model: %d %s", w.Code, w.Body)
				}
				if w := do(s.Handler(), "POST", "/v2/models/network-shortage/versions/"+second+"/infer", body); w.Code != 200 && w.Code != 404 {
					t.Errorf("the version beside it: %d %s", w.Code, w.Body)
				}
			}
		})
	}
	for range 20 {
		s.repository(t, "network-shortage", "load", second, 200)
		s.repository(t, "network-shortage", "unload", second, 200)
	}
	clients.Wait()
}
