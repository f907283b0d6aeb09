package metrics

import (
	"math"
	"testing"

	"pgregory.net/rapid"
)

func TestBestThreshold(t *testing.T) {
	t.Parallel()
	almostOne := math.Nextafter(1, 0)
	tests := []struct {
		name    string
		proba   []float64
		outcome []bool
		want    float64
	}{
		{"separable", []float64{0.1, 0.2, 0.6, 0.8}, []bool{false, false, true, true}, 0.4},
		{"all above", []float64{0.5, 0.7}, []bool{true, true}, 0.25},
		{"tie takes the higher", []float64{0.9, 0.6, 0.6, 0.3}, []bool{true, false, false, true}, 0.75},
		{"constant", []float64{0.5, 0.5}, []bool{true, false}, 0.25},
		{"all one", []float64{1, 1}, []bool{true, true}, 0.5},
		{"all zero", []float64{0, 0}, []bool{true, true}, 0.5},
		{"no positives", []float64{0.3, 0.4}, []bool{false, false}, 0.5},
		{"empty", nil, nil, 0.5},
		{"nothing between", []float64{1, almostOne, 0.2}, []bool{true, true, false}, 0.2 + (almostOne-0.2)/2},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := BestThreshold(tt.proba, tt.outcome); got != tt.want {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}

func TestBestThresholdBeatsEveryOther(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		proba, outcome := drawForecasts(t)
		best := BestThreshold(proba, outcome)
		if !(best > 0 && best < 1) {
			t.Fatalf("threshold is %v", best)
		}
		have := Evaluate(proba, outcome, best).F1
		for _, p := range proba {
			if p > 0 && p < 1 && Evaluate(proba, outcome, p).F1 > have {
				t.Fatalf("threshold %v has F1 %v, but %v has %v", best, have, p, Evaluate(proba, outcome, p).F1)
			}
		}
	})
}

// TestROCAUCCountsPairs compares with the definition, over all pairs.
func TestROCAUCCountsPairs(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		proba, outcome := drawForecasts(t)
		var won, pairs float64
		for i := range proba {
			for j := range proba {
				if !outcome[i] || outcome[j] {
					continue
				}
				pairs++
				if proba[i] > proba[j] {
					won++
				} else if proba[i] == proba[j] {
					won += 0.5
				}
			}
		}
		got := float64(Evaluate(proba, outcome, 0.5).ROCAUC)
		if pairs == 0 {
			if !math.IsNaN(got) {
				t.Fatalf("ROC-AUC is %v without a pair", got)
			}
		} else if got != won/pairs {
			t.Fatalf("ROC-AUC is %v, want %v of %v pairs", got, won, pairs)
		}
	})
}

// drawForecasts draws few distinct scores, so that there are ties.
func drawForecasts(t *rapid.T) ([]float64, []bool) {
	n := rapid.IntRange(1, 30).Draw(t, "rows")
	proba, outcome := make([]float64, n), make([]bool, n)
	for i := range proba {
		proba[i] = float64(rapid.IntRange(0, 10).Draw(t, "score")) / 10
		outcome[i] = rapid.Bool().Draw(t, "outcome")
	}
	return proba, outcome
}
