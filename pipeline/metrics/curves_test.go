package metrics

import (
	"math"
	"testing"

	"pgregory.net/rapid"
)

func TestCurvesEndWhereTheyMust(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		proba, outcome := drawForecasts(t)
		most := rapid.IntRange(1, 12).Draw(t, "most")
		pr, roc := PrecisionRecall(proba, outcome, most), ROC(proba, outcome, most)
		positives := countTrue(outcome)
		if (positives == 0) != (len(pr) == 0) {
			t.Fatalf("%d points of precision and recall for %d positives", len(pr), positives)
		}
		if (positives == 0 || positives == len(outcome)) != (len(roc) == 0) {
			t.Fatalf("%d points of ROC for %d positives of %d", len(roc), positives, len(outcome))
		}
		if len(pr) > most || len(roc) > most+1 {
			t.Fatalf("%d and %d points, want at most %d", len(pr), len(roc), most)
		}
		if n := len(pr); n > 0 {
			if end := pr[n-1]; end != (Point{1, float64(positives) / float64(len(outcome))}) {
				t.Fatalf("calling all rows gives %v", end)
			}
		}
		if n := len(roc); n > 0 && (roc[0] != Point{} || roc[n-1] != (Point{1, 1})) {
			t.Fatalf("ROC runs from %v to %v", roc[0], roc[n-1])
		}
	})
}

// TestCurvesHoldTheirAreas integrates the curves.
func TestCurvesHoldTheirAreas(t *testing.T) {
	t.Parallel()
	_, outcome, good, _ := city(200, 5)
	s := Evaluate(good, outcome, 0.5)
	area := func(ps []Point) float64 {
		sum := 0.0
		for i := 1; i < len(ps); i++ {
			sum += (ps[i].X - ps[i-1].X) * (ps[i].Y + ps[i-1].Y) / 2
		}
		return sum
	}
	if got := area(ROC(good, outcome, 200)); math.Abs(got-float64(s.ROCAUC)) > 2e-3 {
		t.Errorf("the area under ROC is %v, its score %v", got, s.ROCAUC)
	}
	if got := area(PrecisionRecall(good, outcome, 200)); math.Abs(got-float64(s.PRAUC)) > 1e-2 {
		t.Errorf("the area under precision-recall is %v, its score %v", got, s.PRAUC)
	}
}

func TestCalibrationIsThatOfTheError(t *testing.T) {
	t.Parallel()
	_, outcome, _, worse := city(50, 6)
	var sum float64
	rows := 0
	for _, b := range Calibration(worse, outcome) {
		if b.Rows > 0 {
			sum += float64(b.Rows) * math.Abs(b.Mean-b.Rate)
			if b.Mean < b.Low || b.Mean > b.High {
				t.Errorf("the mean %v is outside [%v, %v]", b.Mean, b.Low, b.High)
			}
		}
		rows += b.Rows
	}
	if want := float64(Evaluate(worse, outcome, 0.5).ECE); math.Abs(sum/float64(rows)-want) > 1e-12 {
		t.Errorf("the bins give an error of %v, want %v", sum/float64(rows), want)
	}
}

func TestHistogram(t *testing.T) {
	t.Parallel()
	p, n := Histogram([]float64{0, 0.24, 0.25, 0.99, 1}, []bool{false, true, false, true, true}, 4)
	for i, want := range [][2]int{{1, 1}, {0, 1}, {0, 0}, {2, 0}} {
		if p[i] != want[0] || n[i] != want[1] {
			t.Errorf("bin %d has %d and %d, want %v", i, p[i], n[i], want)
		}
	}
}
