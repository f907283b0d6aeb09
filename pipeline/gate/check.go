package gate

import (
	"fmt"
	"math"

	"livelab/pipeline/metrics"
)

// check is one rule: what it asks for and how it is measured.
type check struct {
	name       string
	comparison Comparison

	// interval checks hold the lower end of an interval against the limit,
	// the others the value itself.
	interval bool

	// otherwise is the result where the comparison does not hold.
	otherwise Result

	explain func(Rules) string
	measure func(*evidence) measured
}

// measured is what a check found. low and high are NaN where there is no
// interval.
type measured struct {
	value, limit, low, high float64
	skip                    string // why the rule does not apply, if so
}

func plain(value metrics.Score, limit float64) measured {
	return measured{value: float64(value), limit: limit, low: math.NaN(), high: math.NaN()}
}

func skipped(why string) measured {
	nan := math.NaN()
	return measured{value: nan, limit: nan, low: nan, high: nan, skip: why}
}

const (
	switchedOff      = "switched off in the rules"
	persistenceKnows = "at horizon 0 persistence is the answer itself"
)

// checks are the rules in the order in which verdicts list them.
var checks = []check{{
	name: "test_positives", comparison: AtLeast, otherwise: Inconclusive,
	explain: func(r Rules) string { return fmt.Sprintf("at least %d shortages in the test part", r.MinTestPositives) },
	measure: func(e *evidence) measured {
		return plain(metrics.Score(e.test.Positives), float64(e.rules.MinTestPositives))
	},
}, {
	name: "f1", comparison: AtLeast, otherwise: Fail,
	explain: func(r Rules) string { return fmt.Sprintf("F1 at least %v", r.MinF1) },
	measure: func(e *evidence) measured { return plain(e.all.Model.F1, e.rules.MinF1) },
}, {
	name: "f1_vs_persistence", comparison: AtLeast, otherwise: Fail,
	explain: func(r Rules) string {
		return fmt.Sprintf("F1 at most %v under persistence's", r.MaxF1BelowPersistence)
	},
	measure: func(e *evidence) measured {
		if e.candidate.Present {
			return skipped(persistenceKnows)
		}
		return plain(e.all.Model.F1, float64(e.all.Persistence.F1)-e.rules.MaxF1BelowPersistence)
	},
}, {
	name: "f1_vs_champion", comparison: AtLeast, otherwise: Fail,
	explain: func(r Rules) string { return fmt.Sprintf("F1 at most %v under the champion's", r.MaxF1BelowChampion) },
	measure: func(e *evidence) measured {
		if e.champion == nil {
			return skipped(e.absent)
		}
		return plain(e.all.Model.F1, float64(e.all.Champion.F1)-e.rules.MaxF1BelowChampion)
	},
}, {
	name: "brier_vs_persistence", comparison: Above, interval: true, otherwise: Fail,
	explain: func(Rules) string { return "Brier score surely better than persistence's: the gain" },
	measure: func(e *evidence) measured {
		switch {
		case !e.rules.BrierBetterThanPersistence:
			return skipped(switchedOff)
		case e.candidate.Present:
			return skipped(persistenceKnows)
		}
		return e.brierDifference(e.candidate.Sample.Persistence(), e.candidate.Sample.Model)
	},
}, {
	name: "brier_vs_champion", comparison: AtMost, interval: true, otherwise: Fail,
	explain: func(Rules) string { return "Brier score not surely worse than the champion's: the loss" },
	measure: func(e *evidence) measured {
		switch {
		case !e.rules.BrierNotWorseThanChampion:
			return skipped(switchedOff)
		case e.champion == nil:
			return skipped(e.absent)
		}
		return e.brierDifference(e.candidate.Sample.Model, e.champion.Sample.Model)
	},
}, {
	name: "pr_auc_vs_climatology", comparison: Above, otherwise: Fail,
	explain: func(Rules) string { return "PR-AUC above climatology's" },
	measure: func(e *evidence) measured {
		if !e.rules.PRAUCAboveClimatology {
			return skipped(switchedOff)
		}
		return plain(e.all.Model.PRAUC, float64(e.all.Climatology.PRAUC))
	},
}, {
	name: "ece", comparison: AtMost, otherwise: Fail,
	explain: func(r Rules) string { return fmt.Sprintf("expected calibration error at most %v", r.MaxECE) },
	measure: func(e *evidence) measured { return plain(e.all.Model.ECE, e.rules.MaxECE) },
}}

// judge applies the check; without measurable rows it only says what it would
// have asked for.
func (ch check) judge(e *evidence, measurable bool) RuleResult {
	m := skipped("")
	if measurable {
		m = ch.measure(e)
	}
	r := RuleResult{
		Name:        ch.name,
		Explanation: ch.explain(e.rules),
		Value:       metrics.Score(m.value),
		Comparison:  ch.comparison,
		Limit:       metrics.Score(m.limit),
		Low:         metrics.Score(m.low),
		High:        metrics.Score(m.high),
		Note:        m.skip,
	}
	switch {
	case !measurable:
		r.Result = InsufficientData
	case m.skip != "":
		r.Result = NotApplied
	default:
		r.Result = ch.compare(r)
		if r.Result == Inconclusive && math.IsNaN(float64(ch.judged(r))) {
			r.Note = "cannot be computed on these rows"
			if ch.interval {
				r.Note = fmt.Sprintf("the rows lie on %d day, an interval needs 2", e.test.Days)
			}
		}
	}
	return r
}

// judged is the number that is held against the limit.
func (ch check) judged(r RuleResult) metrics.Score {
	if ch.interval {
		return r.Low
	}
	return r.Value
}

func (ch check) compare(r RuleResult) Result {
	x, limit := float64(ch.judged(r)), float64(r.Limit)
	if math.IsNaN(x) || math.IsNaN(limit) {
		return Inconclusive
	}
	holds := x >= limit
	switch ch.comparison {
	case Above:
		holds = x > limit
	case AtMost:
		holds = x <= limit
	}
	if holds {
		return Pass
	}
	return ch.otherwise
}
