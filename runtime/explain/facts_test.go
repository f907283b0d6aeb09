package explain

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"livelab/pipeline/features"
	"livelab/pipeline/features/featurestest"
	"livelab/pipeline/model"
)

// pair computes two outputs, of which one is missing for a part of the rows.
var pair = featurestest.New("pair", []string{"free_ratio", "temp_2m", "margin_lag_30m"}, []string{"sum", "rare"},
	func(in, out []float64) error {
		out[0], out[1] = in[0]+in[1], in[2]
		if in[1] > 10 {
			out[1] = math.NaN()
		}
		return nil
	})

// anyPredictor draws a model of some of the catalogue's columns and of the
// transform's outputs.
func anyPredictor(t *rapid.T) *model.Predictor {
	m := &model.Model{Name: "any", Transforms: []features.TransformSpec{pair.Pin}}
	if rapid.Bool().Draw(t, "has a default") {
		m.Defaults = map[string]float64{features.Threshold: 0.2}
	}
	names := append(features.Inputs(features.EntityNetwork), "free_ratio", "total_slots", "pair.sum", "pair.rare")
	number := rapid.Float64Range(-100, 100)
	for _, name := range rapid.SliceOfNDistinct(rapid.SampledFrom(names), 1, len(names), rapid.ID).Draw(t, "inputs") {
		m.Inputs = append(m.Inputs, model.Input{
			Name: name, Mean: number.Draw(t, "mean"), Scale: rapid.Float64Range(1e-3, 1e3).Draw(t, "sd"), Weight: number.Draw(t, "weight"), Optional: true,
		})
	}
	m.Intercept = number.Draw(t, "intercept")
	p, err := model.NewPredictor(m, []features.Transform{pair})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestPartsSumToTheLogOdds(t *testing.T) {
	t.Parallel()
	transforms, stoodIn := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		p := anyPredictor(t)
		values := make([]float64, len(p.Columns()))
		for i := range values {
			values[i] = rapid.OneOf(rapid.Just(math.NaN()), rapid.Float64Range(-1e6, 1e6)).Draw(t, p.Columns()[i])
		}
		x := make([]float64, len(p.Model.Inputs))
		if err := p.Vector(x, values); err != nil {
			t.Fatal(err)
		}
		intercept, parts := Parts(p, x, values)
		sum, size := intercept, math.Abs(intercept)
		for i := range parts {
			part := &parts[i]
			sum, size = sum+part.LogOdds, size+math.Abs(part.LogOdds)
			if want := part.Weight * (part.Value - part.Mean) / part.Scale; math.Abs(part.LogOdds-want) > 1e-12*max(1, math.Abs(want)) {
				t.Errorf("%s adds %v, by its own numbers %v", part.Feature, part.LogOdds, want)
			}
			if got := part.Transform != nil; got != strings.HasPrefix(part.Feature, "pair.") {
				t.Errorf("%s has the transform %+v", part.Feature, part.Transform)
			}
			if part.Transform != nil {
				transforms++
			}
			if part.Imputed {
				stoodIn++
			}
		}
		// What rounding may do is relative to what was added, not to a sum
		// that may be near zero.
		if want := p.Model.LogOdds(x); math.Abs(sum-want) > 1e-12*max(1, size) {
			t.Errorf("the parts sum to %v, the log odds are %v", sum, want)
		}
		if len(parts) != len(x) || !slices.IsSortedFunc(parts, func(a, b Part) int { return cmp.Compare(math.Abs(b.LogOdds), math.Abs(a.LogOdds)) }) {
			t.Errorf("%d parts for %d inputs, or not the largest first", len(parts), len(x))
		}
	})
	if transforms == 0 || stoodIn == 0 {
		t.Errorf("%d outputs of transforms and %d imputed inputs were explained; the models say too little", transforms, stoodIn)
	}
}

func TestPartsSayWhatAnInputIs(t *testing.T) {
	t.Parallel()
	m := &model.Model{Name: "m", Transforms: []features.TransformSpec{pair.Pin}, Inputs: []model.Input{
		{Name: "temp_2m", Mean: 10, Scale: 5, Weight: 1}, {Name: "pair.sum", Mean: 0, Scale: 1, Weight: 1},
	}}
	p, err := model.NewPredictor(m, []features.Transform{pair})
	if err != nil {
		t.Fatal(err)
	}
	values := make([]float64, len(p.Columns()))
	values[slices.Index(p.Columns(), "temp_2m")] = 3
	x := make([]float64, 2)
	if err := p.Vector(x, values); err != nil {
		t.Fatal(err)
	}
	_, parts := Parts(p, x, values)
	if got := fmt.Sprint(parts[0].Feature, parts[0].Transform.Digest == pair.Pin.Digest, parts[0].Unit); got != "pair.sumtrue" {
		t.Error("the transform's output is", got)
	}
	if got := parts[1]; got.Feature != "temp_2m" || got.Unit != "°C" || got.Meaning != "air temperature at 2 m" {
		t.Errorf("the temperature is %+v", got)
	}
}

// TestLabels holds that sentences have words for every column of each entity,
// and no words for columns that are gone; and that those about a station do not
// speak of a network where the column is the station's own.
func TestLabels(t *testing.T) {
	t.Parallel()
	entities := []features.Entity{features.EntityNetwork, features.EntityStation}
	used := make(map[label]bool)
	for _, f := range features.Catalogue() {
		for _, e := range entities {
			if f.Role(e) == features.Absent {
				continue
			}
			l := labelOf(e, f.Name)
			if used[l] = true; l.italian == f.Name || l.italian == "" || l.english == "" {
				t.Errorf("%s of a %s has no words in a language: %+v", f.Name, e, l)
			}
			if e == features.EntityStation && !strings.HasPrefix(f.Name, "network_") && strings.Contains(l.italian+l.english, "network") {
				t.Errorf("%s of a station is called %q", f.Name, l.english)
			}
		}
	}
	for _, known := range []map[string]label{labels, stationLabels} {
		for name, l := range known {
			if !used[l] {
				t.Errorf("%s has words that nothing is called by", name)
			}
		}
	}
}

// TestPartsOfTrees explains by a tree of a value that is given and of one that
// is missing, to which nothing stands in.
func TestPartsOfTrees(t *testing.T) {
	t.Parallel()
	m := &model.Model{Name: "m", Intercept: -1, Family: model.FamilyTrees, Inputs: []model.Input{{Name: "temp_2m", Mean: 10, Scale: 5}, {Name: "capacity", Mean: 20, Scale: 5}}}
	m.Trees = &model.Trees{Edges: [][]float64{{5}, {15}}, Trees: []model.Tree{{
		Input: []int{0, 1, -1, -1, -1}, Edge: make([]int, 5), MissingLeft: make([]int, 5), Left: []int{1, 3, 0, 0, 0}, Right: []int{2, 4, 0, 0, 0},
		Value: []float64{0, 0, -1, 1, 2}, Rows: []int{4, 2, 2, 1, 1},
	}}}
	p, err := model.NewPredictor(m, nil)
	if err != nil {
		t.Fatal(err)
	}
	values := make([]float64, len(p.Columns()))
	for i, name := range p.Columns() {
		values[i] = map[string]float64{"temp_2m": 3, "capacity": math.NaN()}[name]
	}
	x := make([]float64, 2)
	if err := p.Vector(x, values); err != nil {
		t.Fatal(err)
	}
	base, parts := Parts(p, x, values)
	if sum := base + parts[0].LogOdds + parts[1].LogOdds; math.Abs(sum-1) > 1e-12 || math.Abs(base+0.75) > 1e-12 {
		t.Errorf("from %v the parts sum to %v, want from -0.75 to 1", base, sum)
	}
	if temp, capacity := parts[0], parts[1]; temp.Imputed || temp.Value != 3 || !capacity.Imputed || !math.IsNaN(capacity.Value) || capacity.LogOdds == 0 {
		t.Errorf("the parts are %+v", parts)
	}
}
