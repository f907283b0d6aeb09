package metrics

import (
	"fmt"
	"math"

	"livelab/pipeline/detmath"
)

const (
	// leastProbability is what log loss clips probabilities to, from below
	// and from 1: one certain error must not make the whole loss infinite.
	leastProbability = 1e-15

	// eceBins is the number of equal-width bins of the calibration error.
	eceBins = 10
)

// Evaluate scores forecasts. proba and outcome have one value for each row;
// a row is forecast positive where its probability is at least the threshold.
// Scores that the sample does not define are NaN: all of them for an empty
// sample or where a probability is not within [0, 1]; F1, recall and PR-AUC
// without positives; precision where nothing is forecast positive; ROC-AUC
// where there is one class.
func Evaluate(proba []float64, outcome []bool, threshold float64) Scores {
	mustMatch(len(proba), len(outcome))
	s := undefined(len(outcome), countTrue(outcome), threshold)
	if s.Samples == 0 || !probabilities(proba) {
		return s
	}
	s.decide(proba, outcome, threshold)
	c := newCurve(proba, outcome)
	s.PRAUC = Score(c.averagePrecision())
	s.ROCAUC = Score(c.rocAUC())
	s.Brier = Score(mean(SquaredErrors(proba, outcome)))
	s.LogLoss = Score(logLoss(proba, outcome))
	s.ECE = Score(calibrationError(proba, outcome))
	return s
}

// SquaredErrors gives each row's part of the Brier score: (p - outcome)².
func SquaredErrors(proba []float64, outcome []bool) []float64 {
	mustMatch(len(proba), len(outcome))
	es := make([]float64, len(proba))
	for i, p := range proba {
		d := p - indicator(outcome[i])
		es[i] = float64(d * d)
	}
	return es
}

func undefined(samples, positives int, threshold float64) Scores {
	nan := Score(math.NaN())
	return Scores{
		Samples: samples, Positives: positives, Threshold: Score(threshold),
		F1: nan, Precision: nan, Recall: nan, PRAUC: nan, ROCAUC: nan,
		Brier: nan, LogLoss: nan, ECE: nan,
	}
}

// decide fills in the scores of the yes-or-no forecast.
func (s *Scores) decide(proba []float64, outcome []bool, threshold float64) {
	var called, hits int
	for i, p := range proba {
		if p >= threshold {
			called++
			if outcome[i] {
				hits++
			}
		}
	}
	if called > 0 {
		s.Precision = Score(float64(hits) / float64(called))
	}
	if s.Positives > 0 {
		s.Recall = Score(float64(hits) / float64(s.Positives))
		s.F1 = Score(float64(2*hits) / float64(called+s.Positives))
	}
}

func logLoss(proba []float64, outcome []bool) float64 {
	var sum float64
	for i, p := range proba {
		p = min(max(p, leastProbability), 1-leastProbability)
		if outcome[i] {
			sum -= detmath.Log(p)
		} else {
			sum -= detmath.Log1p(-p)
		}
	}
	return sum / float64(len(proba))
}

// calibrationError is the expected calibration error: rows are binned by
// probability into [0, 0.1), [0.1, 0.2) … [0.9, 1], and the distances between
// a bin's mean probability and its share of positives are averaged, weighted
// by the bin's rows (Guo et al., 2017, for the positive class).
func calibrationError(proba []float64, outcome []bool) float64 {
	var sums [eceBins]float64 // of probability minus outcome
	for i, p := range proba {
		sums[bin(p)] += p - indicator(outcome[i])
	}
	var total float64
	for _, s := range sums {
		total += math.Abs(s)
	}
	return total / float64(len(proba))
}

// bin is where a probability counts for the calibration.
func bin(p float64) int { return min(int(float64(p*eceBins)), eceBins-1) }

func probabilities(ps []float64) bool {
	for _, p := range ps {
		if !(p >= 0 && p <= 1) {
			return false
		}
	}
	return true
}

func mean(xs []float64) float64 {
	var sum float64
	for _, x := range xs {
		sum += x
	}
	return sum / float64(len(xs))
}

func indicator(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

func countTrue(bs []bool) int {
	n := 0
	for _, b := range bs {
		if b {
			n++
		}
	}
	return n
}

func mustMatch(rows, outcomes int) {
	if rows != outcomes {
		panic(fmt.Sprintf("metrics: %d values for %d outcomes", rows, outcomes))
	}
}
