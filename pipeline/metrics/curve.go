package metrics

import (
	"cmp"
	"math"
	"slices"
)

// step is what forecasting positive at and above a score gives. A curve has
// one step for each distinct score, the highest first: rows that tie can only
// be called together.
type step struct {
	score    float64
	hits     int // outcomes among the rows called
	falseHit int // the other rows called
}

type curve []step

func newCurve(proba []float64, outcome []bool) curve {
	type row struct {
		p   float64
		hit bool
	}
	rows := make([]row, len(proba))
	for i, p := range proba {
		rows[i] = row{p, outcome[i]}
	}
	slices.SortFunc(rows, func(a, b row) int { return cmp.Compare(b.p, a.p) })
	var c curve
	var at step
	for i, r := range rows {
		at.score = r.p
		if r.hit {
			at.hits++
		} else {
			at.falseHit++
		}
		if i+1 == len(rows) || rows[i+1].p != r.p {
			c = append(c, at)
		}
	}
	return c
}

// averagePrecision is Σ (R_k − R_k−1)·P_k over the steps, without
// interpolation; NaN without positives.
func (c curve) averagePrecision() float64 {
	positives := c[len(c)-1].hits
	if positives == 0 {
		return math.NaN()
	}
	var sum float64
	before := 0
	for _, s := range c {
		sum += float64(float64(s.hits-before) * (float64(s.hits) / float64(s.hits+s.falseHit)))
		before = s.hits
	}
	return sum / float64(positives)
}

// rocAUC is the share of pairs of a positive and a negative in which the
// positive has the higher score, ties counting half (Mann and Whitney, 1947);
// NaN where there are no pairs.
func (c curve) rocAUC() float64 {
	end := c[len(c)-1]
	if end.hits == 0 || end.falseHit == 0 {
		return math.NaN()
	}
	var twice int64 // counts of pairs are exact
	var before step
	for _, s := range c {
		twice += int64(s.falseHit-before.falseHit) * int64(s.hits+before.hits)
		before = s
	}
	return float64(twice) / (2 * float64(end.hits) * float64(end.falseHit))
}

// BestThreshold is the threshold in (0, 1) with the highest F1. It lies midway
// between the neighbouring scores (0 below the lowest), so that it does not
// hang on the last bit of one. Among equally good ones it is the highest; it
// is 0.5 where no threshold has an F1 above 0.
func BestThreshold(proba []float64, outcome []bool) float64 {
	mustMatch(len(proba), len(outcome))
	best := 0.5
	if len(proba) == 0 || !probabilities(proba) {
		return best
	}
	c := newCurve(proba, outcome)
	positives := c[len(c)-1].hits
	var bestHits, bestCalls int64 = 0, 1
	for i, s := range c {
		below := 0.0
		if i+1 < len(c) {
			below = c[i+1].score
		}
		t := between(below, s.score)
		hits, calls := int64(s.hits), int64(s.hits+s.falseHit+positives)
		// F1 is 2·hits/calls; the fractions compare exactly.
		if t > 0 && t < 1 && hits*bestCalls > bestHits*calls {
			best, bestHits, bestCalls = t, hits, calls
		}
	}
	return best
}

// between is midway between low and high, and above low where there is no
// number between them.
func between(low, high float64) float64 {
	t := low + float64((high-low)/2)
	if t <= low {
		return high
	}
	return t
}
