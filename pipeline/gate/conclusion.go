package gate

import (
	"fmt"
	"strings"
)

// conclude says in one sentence why the verdict is what it is.
func conclude(v Verdict) string {
	switch v.Result {
	case InsufficientData:
		return insufficient(v.Test)
	case Fail:
		return fmt.Sprintf("Refused by %d of %d rules: %s.", count(v.Rules, Fail), len(v.Rules), reasons(v.Rules, Fail))
	case Inconclusive:
		s := "Not decided: " + reasons(v.Rules, Inconclusive)
		if count(v.Rules, Fail) > 0 {
			s += "; it would also be refused: " + reasons(v.Rules, Fail)
		}
		return s + ". Collect more data and train again."
	}
	s := fmt.Sprintf("May be published: %d rules hold", count(v.Rules, Pass))
	if n := count(v.Rules, NotApplied); n > 0 {
		s += fmt.Sprintf(", %d were not applied (%s)", n, notes(v.Rules))
	}
	return s + "."
}

func insufficient(t Test) string {
	switch t.Positives {
	case 0:
		if t.Samples == 0 {
			return "The test part has no rows, so nothing was measured. Collect more data and train again."
		}
		return fmt.Sprintf("None of the %d test rows is short at t+h, so nothing was measured. Collect more data and train again.", t.Samples)
	}
	return fmt.Sprintf("All of the %d test rows are short at t+h, so nothing was measured. Collect more data and train again.", t.Samples)
}

func count(rules []RuleResult, result Result) int {
	n := 0
	for _, r := range rules {
		if r.Result == result {
			n++
		}
	}
	return n
}

// reasons lists the rules with that result, with their numbers.
func reasons(rules []RuleResult, result Result) string {
	var rs []string
	for i, r := range rules {
		if r.Result != result {
			continue
		}
		why := r.Note
		if why == "" {
			ours, limit := apart(float64(checks[i].judged(r)), float64(r.Limit))
			if checks[i].interval {
				ours = "its lower end is " + ours
			}
			why = fmt.Sprintf("%s, must be %s %s", ours, r.Comparison.sign(), limit)
		}
		rs = append(rs, fmt.Sprintf("%s (%s)", r.Explanation, why))
	}
	return strings.Join(rs, "; ")
}

// notes lists why rules were not applied, each reason once.
func notes(rules []RuleResult) string {
	var ns []string
	seen := make(map[string]bool)
	for _, r := range rules {
		if r.Result == NotApplied && !seen[r.Note] {
			seen[r.Note] = true
			ns = append(ns, r.Note)
		}
	}
	return strings.Join(ns, ", ")
}
