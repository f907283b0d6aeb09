package metrics

import (
	"encoding/json"
	"math"
	"os"
	"testing"
)

// reference is a case that testdata/reference.py wrote.
type reference struct {
	Name      string    `json:"name"`
	Proba     []float64 `json:"proba"`
	Outcome   []bool    `json:"outcome"`
	Threshold float64   `json:"threshold"`
	F1        float64   `json:"f1"`
	Precision float64   `json:"precision"`
	Recall    float64   `json:"recall"`
	PRAUC     float64   `json:"pr_auc"`
	ROCAUC    float64   `json:"roc_auc"`
	Brier     float64   `json:"brier"`
	LogLoss   float64   `json:"log_loss"`
	ECE       float64   `json:"ece"`
}

func TestEvaluateAgreesWithScikitLearn(t *testing.T) {
	t.Parallel()
	b, err := os.ReadFile("testdata/reference.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases []reference
	if err := json.Unmarshal(b, &cases); err != nil {
		t.Fatal(err)
	}
	if len(cases) == 0 {
		t.Fatal("testdata/reference.json has no cases; run reference.py")
	}
	for _, c := range cases {
		t.Run(c.Name, func(t *testing.T) {
			t.Parallel()
			s := Evaluate(c.Proba, c.Outcome, c.Threshold)
			for _, score := range []struct {
				name string
				got  Score
				want float64
			}{
				{"F1", s.F1, c.F1}, {"precision", s.Precision, c.Precision}, {"recall", s.Recall, c.Recall},
				{"PR-AUC", s.PRAUC, c.PRAUC}, {"ROC-AUC", s.ROCAUC, c.ROCAUC},
				{"Brier", s.Brier, c.Brier}, {"log loss", s.LogLoss, c.LogLoss}, {"ECE", s.ECE, c.ECE},
			} {
				if !(math.Abs(float64(score.got)-score.want) <= 1e-12) {
					t.Errorf("%s is %v, scikit-learn has %v", score.name, score.got, score.want)
				}
			}
		})
	}
}

func TestEvaluateUndefined(t *testing.T) {
	t.Parallel()
	nan := math.NaN()
	tests := []struct {
		name    string
		proba   []float64
		outcome []bool
		// what must be NaN; the rest must not be
		f1, precision, recall, prAUC, rocAUC, losses bool
	}{
		{"empty", nil, nil, true, true, true, true, true, true},
		{"no positives, one called", []float64{0.9, 0.1}, []bool{false, false}, true, false, true, true, true, false},
		{"nothing called", []float64{0.1, 0.1}, []bool{true, false}, false, true, false, false, false, false},
		{"all positive", []float64{0.9, 0.1}, []bool{true, true}, false, false, false, false, true, false},
		{"NaN", []float64{nan, 0.1}, []bool{true, false}, true, true, true, true, true, true},
		{"not a probability", []float64{1.5, 0.1}, []bool{true, false}, true, true, true, true, true, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := Evaluate(tt.proba, tt.outcome, 0.5)
			for _, score := range []struct {
				name string
				got  Score
				nan  bool
			}{
				{"F1", s.F1, tt.f1}, {"precision", s.Precision, tt.precision}, {"recall", s.Recall, tt.recall},
				{"PR-AUC", s.PRAUC, tt.prAUC}, {"ROC-AUC", s.ROCAUC, tt.rocAUC},
				{"Brier", s.Brier, tt.losses}, {"log loss", s.LogLoss, tt.losses}, {"ECE", s.ECE, tt.losses},
			} {
				if math.IsNaN(float64(score.got)) != score.nan {
					t.Errorf("%s is %v; undefined: want %v", score.name, score.got, score.nan)
				}
			}
			if s.Samples != len(tt.outcome) {
				t.Errorf("%d samples, want %d", s.Samples, len(tt.outcome))
			}
		})
	}
}

func TestScoreJSON(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		score Score
		want  string
	}{
		{Score(math.NaN()), "null"}, {Score(math.Inf(1)), "null"}, {0.1, "0.1"}, {1.0 / 3, "0.3333333333333333"},
	} {
		b, err := json.Marshal(tt.score)
		if err != nil || string(b) != tt.want {
			t.Errorf("%v is written as %s (%v), want %s", float64(tt.score), b, err, tt.want)
		}
		var back Score
		if err := json.Unmarshal(b, &back); err != nil {
			t.Errorf("%s: %v", b, err)
		}
		if string(b) != "null" && back != tt.score || string(b) == "null" && !math.IsNaN(float64(back)) {
			t.Errorf("%s reads back as %v", b, float64(back))
		}
	}
}

func TestBaselines(t *testing.T) {
	t.Parallel()
	s := Sample{
		At:          []int64{0, 600, 1200, 1800},
		Outcome:     []bool{true, false, true, false},
		ShortNow:    []bool{true, true, false, false},
		Model:       []float64{0.9, 0.4, 0.6, 0.1},
		Climatology: []float64{0.3, 0.1, 0.3, 0.1},
	}
	b := s.Baselines(0.2)
	for _, tt := range []struct {
		name      string
		got, want Score
	}{
		{"F1 of always-short", b.AlwaysShort.F1, 2.0 / 3},
		{"Brier of always-short", b.AlwaysShort.Brier, 0.5},
		{"F1 of persistence", b.Persistence.F1, 0.5},
		{"Brier of persistence", b.Persistence.Brier, 0.5},
		{"F1 of climatology", b.Climatology.F1, 1},
		{"F1 of the model", s.Scores(0.5).F1, 1},
		{"F1 of persistence at the onset", s.Onset().Baselines(0.2).Persistence.F1, 0},
		{"F1 of the model at the onset", s.Onset().Scores(0.5).F1, 1},
	} {
		if math.Abs(float64(tt.got-tt.want)) > 1e-15 {
			t.Errorf("%s is %v, want %v", tt.name, tt.got, tt.want)
		}
	}
	if o := s.Onset(); o.Len() != 2 || o.At[0] != 1200 || o.Model[1] != 0.1 {
		t.Errorf("the onset is %+v, want the last two rows", o)
	}
}
