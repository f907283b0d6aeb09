package publish

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"testing"
	"time"

	"livelab/pipeline/features"
	"livelab/pipeline/gate"
	"livelab/pipeline/metrics"
	"livelab/pipeline/model"
)

const demo = "network-shortage"

var (
	ctx = context.Background()
	t0  = time.Date(2026, 11, 23, 12, 42, 43, 0, time.UTC)
)

func must[T any](x T, err error) T {
	if err != nil {
		panic(err)
	}
	return x
}

// demoFiles gives the n-th version's files. They need no testing.T: the
// processes that the tests kill make them, too.
func demoFiles(n int, at time.Time) map[string][]byte {
	code := fmt.Appendf(nil, "transform %d", n)
	m := &model.Model{
		Format: model.Format, Name: demo, Task: features.NetworkShortage(),
		Inputs:    []model.Input{{Name: "free_ratio", Mean: 0.4, Scale: 0.1, Weight: -2}},
		Intercept: float64(n), Threshold: 0.5, Calibration: model.Calibration{Slope: 1},
		Transforms: []features.TransformSpec{{
			Name: "demo", Version: "1.0.0", Digest: model.Digest(code), ABI: 1, Budget: features.Budget{Call: 1, Pages: 1},
			Golden: model.Digest(nil), Inputs: []string{"free_ratio"}, Outputs: []string{"out"},
		}},
		Dataset: "sim", Training: json.RawMessage("{}"),
	}
	b := must(model.Encode(m))
	digest := model.Digest(b)
	return map[string][]byte{
		model.ModelFile:   b,
		model.MetricsFile: []byte("{}\n"),
		model.MetadataFile: must(json.Marshal(model.Metadata{
			Model: demo, ModelVersion: VersionName(at, digest), Digest: digest, F1: 0.9,
		})),
		"transforms/" + model.Digest(code) + ".wasm": code,
	}
}

// verdictFiles judges the files' model; another dataset makes another verdict.
func verdictFiles(files map[string][]byte, result gate.Result, dataset string) map[string][]byte {
	s := metrics.Sample{}
	for i := range 400 {
		short := i%2 == 0
		s.At = append(s.At, t0.Unix()+int64(i)*3600)
		s.Outcome = append(s.Outcome, short)
		s.ShortNow = append(s.ShortNow, i%4 == 0)
		s.Model = append(s.Model, map[bool]float64{true: 0.98, false: 0.02}[short])
		s.Climatology = append(s.Climatology, 0.5)
	}
	rules := gate.DefaultRules()
	rules.Bootstrap.Resamples = 100
	c := gate.Candidate{
		Model: demo, Version: "judged", Digest: model.Digest(files[model.ModelFile]), Dataset: dataset,
		Threshold: 0.5, ClimatologyThreshold: 0.5, Sample: s,
	}
	switch result {
	case gate.Fail:
		c.Threshold = 1
	case gate.Inconclusive:
		rules.MinTestPositives = 1000
	}
	v := must(gate.Judge(rules, c, nil))
	if v.Result != result {
		panic(fmt.Sprintf("the fixture gives %s, not %s", v.Result, result))
	}
	return map[string][]byte{model.GateFile: must(v.JSON()), model.GateTable: v.Markdown()}
}

// addJudged adds the n-th version with a verdict.
func addJudged(t testing.TB, d *Dir, n int, result gate.Result) string {
	t.Helper()
	at := t0.Add(time.Duration(n) * time.Second)
	files := demoFiles(n, at)
	version, err := d.Add(ctx, demo, files, at)
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Amend(ctx, demo, version, verdictFiles(files, result, "a")); err != nil {
		t.Fatal(err)
	}
	return version
}

func promote(t testing.TB, d *Dir, version string) {
	t.Helper()
	if err := d.Promote(ctx, demo, version, PromoteOptions{At: t0, By: "test"}); err != nil {
		t.Fatal(err)
	}
}

// wantWhole checks all that a reader can see.
func wantWhole(t testing.TB, d *Dir) {
	t.Helper()
	for _, alias := range []string{Champion, Challenger, Latest} {
		if _, err := d.Resolve(ctx, demo, alias); err != nil && !errors.Is(err, ErrNotFound) {
			t.Errorf("alias %s: %v", alias, err)
		}
	}
	infos, err := d.Versions(ctx, demo)
	if err != nil {
		t.Error(err)
	}
	for _, i := range infos {
		if i.Err != nil {
			t.Errorf("version %s: %v", i.Version, i.Err)
		}
	}
}

func wantChampion(t testing.TB, d *Dir, version string) {
	t.Helper()
	v, err := d.Resolve(ctx, demo, Champion)
	if err != nil || v.Version != version {
		t.Fatalf("the champion is %q (%v), want %q", v.Version, err, version)
	}
}

func wantNoStaging(t testing.TB, d *Dir) {
	t.Helper()
	entries, err := os.ReadDir(d.stagingPath(demo))
	if err == nil && len(entries) > 0 {
		t.Errorf("left behind in staging: %v", entries)
	}
}
