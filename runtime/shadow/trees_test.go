package shadow

import (
	"encoding/json"
	"testing"

	"livelab/pipeline/detmath"
	"livelab/pipeline/features"
	"livelab/pipeline/model"
	"livelab/runtime/loader"
)

// TestTreesInTheShadow has trees answer beside a model of another family. A
// value that clients seldom give is missing to them, a column that no tree
// looks at need not be there.
func TestTreesInTheShadow(t *testing.T) {
	t.Parallel()
	m := &model.Model{
		Format: model.Format, Name: "network-shortage", Task: features.NetworkShortage(), Family: model.FamilyTrees, Intercept: -1,
		Inputs: []model.Input{
			{Name: "free_ratio", Mean: 0.4, Scale: 0.1}, {Name: "free_ratio_yesterday", Mean: 0.5, Scale: 0.1, Optional: true}, {Name: "temp_2m", Mean: 10, Scale: 5},
		},
		Trees: &model.Trees{Edges: [][]float64{{0.45}, {0.5}, {}}, Trees: []model.Tree{{
			Input: []int{0, 1, -1, -1, -1}, Edge: make([]int, 5), MissingLeft: make([]int, 5), Left: []int{1, 3, 0, 0, 0}, Right: []int{2, 4, 0, 0, 0},
			Value: []float64{0, 0, -1, 1, 3}, Rows: []int{4, 2, 2, 1, 1},
		}}},
		Calibration: model.Calibration{Slope: 1}, Threshold: 0.3, Dataset: "d", Training: json.RawMessage(`{}`),
	}
	p, err := model.NewPredictor(m, nil)
	if err != nil {
		t.Fatal(err)
	}
	b := setup(t, &loader.Loaded{Version: "20260511T120000Z-0badcafe", Digest: "challenger", Model: m, Predictor: p}, nil)
	values := classic()
	delete(values, "temp_2m")
	served := servedWith(values)
	b.Offer(&served, nil)
	b.Start()
	b.stop(t)
	b.log.want(t, 1, 1)
	if got, want := b.log.ps[0].Probability, detmath.Sigmoid(-1+3); got != want || b.log.ps[0].Digest != "challenger" {
		t.Errorf("the trees answer %v, want %v: %+v", got, want, b.log.ps[0])
	}
}
