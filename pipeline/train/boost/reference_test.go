package boost

import (
	"encoding/json"
	"math"
	"os"
	"testing"

	"livelab/pipeline/train/traintest"
)

// TestAsGoodAsScikitLearn compares with the log losses that
// testdata/reference.py wrote. Bins differ, and so do trees: the losses agree
// within a hundredth on the rows of the training, and on others ours are at
// most as much over.
func TestAsGoodAsScikitLearn(t *testing.T) {
	t.Parallel()
	b, err := os.ReadFile("testdata/reference.json")
	if err != nil {
		t.Fatal(err)
	}
	var reference struct {
		Rows, Cols, Positives int
		HeldOut               int `json:"held_out"`
		Cases                 []struct {
			Name          string
			LearningRate  float64 `json:"learning_rate"`
			Trees, Leaves int
			MinRows       int `json:"min_rows"`
			L2            float64
			Fitted        float64
			HeldOut       float64 `json:"held_out"`
		}
	}
	if err := json.Unmarshal(b, &reference); err != nil {
		t.Fatal(err)
	}
	if len(reference.Cases) == 0 {
		t.Fatal("testdata/reference.json has no cases; run reference.py")
	}
	x, y := traintest.Curved(reference.Cols).Matrix(reference.Rows)
	positives := 0
	for _, v := range y {
		if v {
			positives++
		}
	}
	if positives != reference.Positives {
		t.Fatalf("%d positives, the reference has %d: the matrices differ", positives, reference.Positives)
	}
	m, fitted := coded(x, MostEdges), reference.Rows-reference.HeldOut
	for _, c := range reference.Cases {
		t.Run(c.Name, func(t *testing.T) {
			t.Parallel()
			f, err := Fit(t.Context(), m, y, rowsOf(0, fitted), nil, Options{
				Trees: c.Trees, LearningRate: c.LearningRate, Leaves: c.Leaves, MinRows: c.MinRows, L2: c.L2 + 1e-9,
			})
			if err != nil {
				t.Fatal(err)
			}
			const tolerance = 0.01 // of the loss
			ours, held := meanLoss(f, m, y, 0, fitted), meanLoss(f, m, y, fitted, reference.Rows)
			t.Logf("on rows of the training %.4f, scikit-learn %.4f; on others %.4f, scikit-learn %.4f", ours, c.Fitted, held, c.HeldOut)
			if math.Abs(ours/c.Fitted-1) > tolerance {
				t.Errorf("the loss on rows of the training is %v, scikit-learn's %v", ours, c.Fitted)
			}
			if held/c.HeldOut-1 > tolerance {
				t.Errorf("the loss on other rows is %v, scikit-learn's %v", held, c.HeldOut)
			}
		})
	}
}
