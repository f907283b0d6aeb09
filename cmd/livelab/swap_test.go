package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"livelab/pipeline/features/featurestest"
	"livelab/pipeline/model"
)

// questions are asked before and after something that must change no answer.
var questions = []string{
	classicBody,
	strings.Replace(classicBody, `"features": {`, `"features": {"unix_time_ahead": 1780000000, "latitude": 50, "longitude": 8.5, "free_ratio_yesterday": 0.75, "climatology": 0.25, "typical_change": 0.125, `, 1),
}

// said is all that a server answers to the questions but for the IDs of the
// request and of its prediction.
func (p *process) said(t *testing.T) (all []string) {
	t.Helper()
	for _, q := range questions {
		a := p.post(t, "/explain", q)
		a.want(t, 200, "proba", "request_id", "prediction_id")
		for _, own := range []string{"request_id", "prediction_id"} {
			id, _ := a.json[own].(string)
			a.body = strings.Replace(a.body, id, "", 1)
		}
		all = append(all, a.body)
	}
	return all
}

func (p *process) wantSaid(t *testing.T, when string, want []string) {
	t.Helper()
	for i, got := range p.said(t) {
		if got != want[i] {
			t.Errorf("%s, the answer is\n%s\nwas\n%s", when, got, want[i])
		}
	}
}

// TestPluginsFolderDoesNotReachAModel swaps the file of a transform for another
// of the same name, and removes it, under a model that was trained with it:
// the model answers as before, loaded and loaded again, and can be judged.
// A training that names the transform gets the new one.
func TestPluginsFolderDoesNotReachAModel(t *testing.T) {
	t.Parallel()
	s := skewed(t)
	file := filepath.Join(s.dir, "plugins", "skewed.wasm")
	old := fileDigest(t, file)
	p := s.start(t, "serve")
	want := p.said(t)
	p.wantPlugin(t, old)

	featurestest.BuildSkewed(t, "2.0", file)
	swapped := fileDigest(t, file)
	if swapped == old {
		t.Fatal("the other transform is the same")
	}
	p.wantPlugin(t, swapped)
	p.wantSaid(t, "with another file in the folder", want)
	p.post(t, "/reload_model", "").want(t, 200)
	p.wantSaid(t, "loaded again", want)
	s.must(t, "train", "--dataset", "frozen", "--transform", "skewed")
	if trained := s.must(t, "models", "show", "latest", "--json"); !strings.Contains(trained, swapped) || strings.Contains(trained, old) {
		t.Errorf("trained with another file in the folder: %s", trained)
	}

	if err := os.RemoveAll(filepath.Dir(file)); err != nil {
		t.Fatal(err)
	}
	p.wantPlugin(t, "")
	p.wantSaid(t, "with no file in the folder", want)
	p.stop(t)
	p = s.start(t, "serve")
	p.wantSaid(t, "started without the folder", want)
	// Both versions carry their own: the challenger and the champion.
	if verdict := s.judge(t); !strings.Contains(verdict, `"champion": {`) {
		t.Errorf("the champion was not compared with: %s", verdict)
	}

	// What was published with the other transform answers otherwise.
	s.must(t, "publish", "--force")
	p.post(t, "/reload_model", "").want(t, 200)
	if got := p.said(t); got[1] == want[1] {
		t.Errorf("another transform made no other model: %s", got[1])
	}
	p.stop(t)
}

// judge runs the gate, whatever it says.
func (s shell) judge(t *testing.T) string {
	t.Helper()
	out, err := s.command("gate", "--json").Output()
	if len(out) == 0 {
		t.Fatalf("gate: %v", err)
	}
	return string(out)
}

// wantPlugin waits until the server offers skewed with a digest, or no more
// where it is empty.
func (p *process) wantPlugin(t *testing.T, digest string) {
	t.Helper()
	eventually(t, "the plugin "+digest, func() bool {
		list, _ := p.get(t, "/plugins").json["plugins"].([]any)
		offered := ""
		for _, entry := range list {
			if e, _ := entry.(map[string]any); e["name"] == "skewed" && e["state"] == "offered" {
				offered, _ = e["digest"].(string)
			}
		}
		return offered == digest
	})
}

func fileDigest(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return model.Digest(b)
}

// TestServeRefusesASpoiltTransform has a champion whose code was changed after
// training: it is not loaded, and the one before serves on.
func TestServeRefusesASpoiltTransform(t *testing.T) {
	t.Parallel()
	s := skewed(t)
	p := s.start(t, "serve", "--watch", "0") // not before it is spoilt
	want := p.said(t)
	s.must(t, "train", "--dataset", "frozen", "--transform", "skewed", "--c", "0.5")
	s.must(t, "publish", "--force")
	files, err := filepath.Glob(filepath.Join(s.dir, "artifacts", "*", "versions", "*", "transforms", "*.wasm"))
	if err != nil || len(files) != 2 {
		t.Fatalf("the versions carry %v, %v", files, err)
	}
	for _, file := range files {
		spoilFile(t, file)
	}
	a := p.post(t, "/reload_model", "")
	a.want(t, 503, "detail", "version")
	p.wantSaid(t, "after a failed reload", want)
	p.stop(t)
}

// TestServeWithoutTransformCache has no folder for machine code: a model without
// transforms is served all the same.
func TestServeWithoutTransformCache(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	s.must(t, "dataset", "--source", "sim", "--days", "30", "--out", "frozen")
	s.must(t, "train", "--dataset", "frozen")
	s.must(t, "publish", "--force")
	if err := os.WriteFile(filepath.Join(s.dir, "file"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	p := s.start(t, "serve", "--transform-cache", "file/cache")
	p.post(t, "/predict", classicBody).want(t, 200, "y")
	p.get(t, "/plugins").want(t, 200, "plugins")
	if !strings.Contains(p.stderr.String(), "no transform can be run") {
		t.Error("it does not say so")
	}
	p.stop(t)
}

// TestTransformRowError serves a model whose transform fails on a row: the
// outputs are missing, or the request is refused, as configured.
func TestTransformRowError(t *testing.T) {
	t.Parallel()
	s := skewed(t)
	unlucky := strings.Replace(classicBody, `"free_bikes": 300`, `"free_bikes": 13`, 1)
	p := s.start(t, "serve")
	a := p.post(t, "/predict", unlucky)
	a.want(t, 200, "imputed")
	if !strings.Contains(a.body, `"skewed.sun"`) {
		t.Errorf("an output that is missing is not named: %s", a.body)
	}
	p.stop(t)
	p = s.start(t, "serve", "--transform-row-error", "fail")
	a = p.post(t, "/predict", unlucky)
	a.want(t, 422, "title", "detail", "errors")
	if !strings.Contains(a.body, `"transforms.skewed"`) || !strings.Contains(a.body, "13 bikes are unlucky") {
		t.Errorf("the transform and its reason are not named: %s", a.body)
	}
	p.post(t, "/predict", classicBody).want(t, 200, "y")
	p.stop(t)
}

// TestTransformFlags holds what is said about transforms that cannot be had.
func TestTransformFlags(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	s.must(t, "dataset", "--source", "sim", "--days", "30", "--out", "frozen")
	if err := os.WriteFile(filepath.Join(s.dir, "bad.wasm"), []byte("not a module"), 0o600); err != nil {
		t.Fatal(err)
	}
	said := s.refused(t, exitFailed, "train", "--dataset", "frozen", "--transform", "bad.wasm")
	if !strings.Contains(said, "bad.wasm is refused at the step parse: ") {
		t.Errorf("a file that is no module: %s", said)
	}
	for _, tt := range []struct{ want, args string }{
		{`there is no transform "moon"`, "--transform moon"},
		{"no-such.wasm", "--transform ./no-such.wasm"},
		{`--transform-row-error is "ignore"`, "--transform moon --transform-row-error ignore"},
		{"--transform-fuel-call is 0", "--transform moon --transform-fuel-call 0"},
		{"--transform-memory is 65", "--transform moon --transform-memory 65"},
		{`--features names "moon.phase", which no --transform gives`, "--features temp_2m,moon.phase"},
	} {
		args := append([]string{"train", "--dataset", "frozen"}, strings.Fields(tt.args)...)
		if said := s.refused(t, exitUsage, args...); !strings.Contains(said, tt.want) {
			t.Errorf("%s: %s", tt.args, said)
		}
	}
	for _, none := range []string{"none", ""} {
		s.must(t, "train", "--dataset", "frozen", "--transform", none)
	}
}
