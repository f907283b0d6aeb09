package train

import (
	"slices"
	"testing"

	"livelab/pipeline/features"
	"livelab/pipeline/features/featurestest"
	"livelab/pipeline/model"
)

// TestRunOrdersTransforms trains on one frame with its transforms named in
// either order, of which the second reads the first.
func TestRunOrdersTransforms(t *testing.T) {
	t.Parallel()
	double := func(in, out []float64) error { out[0] = 2 * in[0]; return nil }
	first := featurestest.New("z", []string{"temp_2m"}, []string{"y"}, double)
	second := featurestest.New("a", []string{"z.y"}, []string{"y"}, double)
	f := cityFrame(2000, 60, 1)
	if err := features.ApplyTransforms(f, []features.Transform{first, second}); err != nil {
		t.Fatal(err)
	}
	var models []string
	for _, ts := range [][]features.Transform{{first, second}, {second, first}} {
		given := slices.Clone(ts)
		r, err := Run(t.Context(), Whole{Frame: f}, Config{Inputs: append(features.ClassicInputs(), "z.y", "a.y"), Transforms: ts})
		if err != nil {
			t.Fatal(err)
		}
		b, err := model.Encode(r.Model)
		if err != nil {
			t.Fatal(err)
		}
		models = append(models, string(b))
		if ts[0].Spec().Name != given[0].Spec().Name {
			t.Error("what was given was changed")
		}
	}
	if models[0] != models[1] {
		t.Errorf("two models:\n%s\n%s", models[0], models[1])
	}
	if _, err := Run(t.Context(), Whole{Frame: f}, Config{Transforms: []features.Transform{second}}); err == nil {
		t.Error("a transform without its partner was taken")
	}
}
