package metrics

// Point is one of a curve.
type Point struct{ X, Y float64 }

// PrecisionRecall gives the precision (Y) at each recall (X), from the highest
// score down: at most `most` points, spread evenly over the recall. It is
// empty where there is no positive or a probability is not within [0, 1].
func PrecisionRecall(proba []float64, outcome []bool, most int) []Point {
	return thinned(proba, outcome, most, func(s, end step) (Point, float64) {
		recall := float64(s.hits) / float64(end.hits)
		return Point{recall, float64(s.hits) / float64(s.hits+s.falseHit)}, recall
	})
}

// ROC gives the true positive rate (Y) at each false positive rate (X): at most
// `most` points and the origin. It is empty where there is one class or a
// probability is not within [0, 1].
func ROC(proba []float64, outcome []bool, most int) []Point {
	if countTrue(outcome) == len(outcome) {
		return nil
	}
	ps := thinned(proba, outcome, most, func(s, end step) (Point, float64) {
		p := Point{float64(s.falseHit) / float64(end.falseHit), float64(s.hits) / float64(end.hits)}
		return p, (p.X + p.Y) / 2
	})
	if len(ps) == 0 {
		return nil
	}
	return append([]Point{{}}, ps...)
}

// thinned keeps one point of the curve in each of `most` equal stretches of
// its way, which runs from 0 to 1, and the last one of all.
func thinned(proba []float64, outcome []bool, most int, at func(s, end step) (p Point, way float64)) []Point {
	mustMatch(len(proba), len(outcome))
	if countTrue(outcome) == 0 || !probabilities(proba) {
		return nil
	}
	c := newCurve(proba, outcome)
	end := c[len(c)-1]
	var ps []Point
	before := -1
	for i, s := range c {
		p, way := at(s, end)
		stretch := min(int(float64(way*float64(most))), most-1)
		switch {
		case stretch > before:
			ps = append(ps, p)
			before = stretch
		case i+1 == len(c):
			ps[len(ps)-1] = p
		}
	}
	return ps
}

// CalibrationBin holds the rows of a stretch of probabilities, as the expected
// calibration error has them.
type CalibrationBin struct {
	Low, High float64 // of the probabilities; High belongs to the next bin, if there is one
	Rows      int
	Positives int
	Mean      float64 // of the probabilities; NaN without rows
	Rate      float64 // share of positives; NaN without rows
}

// Calibration gives the bins of the expected calibration error.
func Calibration(proba []float64, outcome []bool) []CalibrationBin {
	mustMatch(len(proba), len(outcome))
	bins := make([]CalibrationBin, eceBins)
	for i, p := range proba {
		b := &bins[bin(p)]
		b.Rows++
		b.Mean += p
		if outcome[i] {
			b.Positives++
		}
	}
	for i := range bins {
		b := &bins[i]
		b.Low, b.High = float64(i)/eceBins, float64(i+1)/eceBins
		b.Mean /= float64(b.Rows)
		b.Rate = float64(b.Positives) / float64(b.Rows)
	}
	return bins
}

// Histogram counts the rows by probability in n equal bins from 0 to 1, those
// that came true apart from the others.
func Histogram(proba []float64, outcome []bool, n int) (positives, negatives []int) {
	mustMatch(len(proba), len(outcome))
	positives, negatives = make([]int, n), make([]int, n)
	for i, p := range proba {
		k := min(int(float64(p*float64(n))), n-1)
		if outcome[i] {
			positives[k]++
		} else {
			negatives[k]++
		}
	}
	return positives, negatives
}
