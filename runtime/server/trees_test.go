package server

import (
	"encoding/json"
	"math"
	"net/http"
	"strings"
	"testing"

	"livelab/pipeline/model"
)

// treesModel reads what testModel does, by two trees: one of free_ratio and of
// climatology, and one of the temperature.
func treesModel() *model.Model {
	m := testModel()
	m.Family = model.FamilyTrees
	for i := range m.Inputs {
		m.Inputs[i].Weight = 0
	}
	edges := make([][]float64, len(m.Inputs))
	for i := range edges {
		edges[i] = []float64{m.Inputs[i].Mean}
	}
	m.Trees = &model.Trees{Edges: edges, Trees: []model.Tree{
		{
			Input: []int{4, 8, -1, -1, -1}, Edge: make([]int, 5), MissingLeft: make([]int, 5), Left: []int{1, 3, 0, 0, 0}, Right: []int{2, 4, 0, 0, 0},
			Value: []float64{0, 0, -1, 0.5, 1.5}, Rows: []int{100, 40, 60, 30, 10},
		},
		{
			Input: []int{5, -1, -1}, Edge: make([]int, 3), MissingLeft: make([]int, 3), Left: []int{1, 0, 0}, Right: []int{2, 0, 0},
			Value: []float64{0, 0.25, -0.25}, Rows: []int{100, 50, 50},
		},
	}}
	return m
}

func withTrees(t *testing.T) option {
	return func(_ *Config, d *Deps) { d.Models = &models{current: load(t, treesModel(), "v1")} }
}

// TestTreesAreExplained asks about a row that leaves climatology out: to trees
// it is missing, and that has an effect of its own.
func TestTreesAreExplained(t *testing.T) {
	t.Parallel()
	s := setup(t, withTrees(t))
	body := `{"language":"en","features":{"stations_count":71,"free_bikes":387,"empty_slots":411,"total_slots":798,"free_ratio":0.3,"temp_2m":-7.3,"precipitation":1.1,"wind_speed_10m":33.3}}`
	w := do(s.Handler(), "POST", "/explain", body)
	var e explanation
	if err := json.Unmarshal(w.Body.Bytes(), &e); err != nil || w.Code != http.StatusOK {
		t.Fatalf("%d %s: %v", w.Code, w.Body, err)
	}
	sum := e.Intercept
	for _, c := range e.Contributions {
		sum += c.Contribution
		if c.Weight != nil {
			t.Errorf("%s has the weight %v, which trees have none of", c.Feature, *c.Weight)
		}
		if missing := c.Feature == "climatology"; (c.Value == nil) != missing || c.Imputed != missing || missing && c.Contribution == 0 {
			t.Errorf("%s is explained as %+v", c.Feature, c)
		}
	}
	const mean = -1 + 0.3*0.5 + 0.1*1.5 - 0.6
	if e.Family != "trees" || math.Abs(e.LogOdds-0.75) > 1e-12 || math.Abs(e.Intercept-mean) > 1e-12 || math.Abs(sum-e.LogOdds) > 1e-12 {
		t.Errorf("from %v the contributions sum to %v, the log odds are %v", e.Intercept, sum, e.LogOdds)
	}
	if want := "usual frequency of shortages at that hour (missing; "; !strings.Contains(e.Explanation, want) {
		t.Errorf("the words are %q, want %q among them", e.Explanation, want)
	}
	if strings.Contains(e.Explanation, "estimated") {
		t.Errorf("the words are %q, but nothing was estimated", e.Explanation)
	}
}

func TestTreesAreNamed(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		option         option
		path, family   string
		trees, without string
	}{
		{withTrees(t), "/model", `"family":"trees"`, `"trees":2`, `"logistic"`},
		{func(*Config, *Deps) {}, "/model", `"family":"logistic"`, ``, `"trees"`},
		{withTrees(t), "/v2/models/network-shortage", `"platform":"livelab_trees"`, ``, `"livelab_logistic"`},
	} {
		body := do(setup(t, tt.option).Handler(), "GET", tt.path, "").Body.String()
		if !strings.Contains(body, tt.family) || !strings.Contains(body, tt.trees) || strings.Contains(body, tt.without) {
			t.Errorf("%s says %s, want %s and %s", tt.path, body, tt.family, tt.trees)
		}
	}
}
