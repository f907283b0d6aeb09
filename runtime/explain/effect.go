package explain

import (
	"cmp"
	"math"
	"slices"

	"livelab/pipeline/features"
)

// effect is what the inputs of one label add together.
type effect struct {
	name    string
	value   string // empty where it says nothing
	logOdds float64
}

// Least log odds, either way, of an effect that is worth a word, that is
// moderate and that is strong: they multiply the odds by 1.05, 1.5 and 4.5.
const (
	slight   = 0.05
	moderate = 0.4
	strong   = 1.5
)

// effects joins the parts that share a label, the largest first.
func (l Language) effects(of features.Entity, parts []Part) []effect {
	var es []effect
	at := make(map[label]int)
	for i := range parts {
		found := labelOf(of, parts[i].Feature)
		if e, ok := at[found]; ok {
			es[e].logOdds += parts[i].LogOdds
			continue
		}
		at[found] = len(es)
		es = append(es, effect{l.in(found.italian, found.english), l.value(of, &parts[i]), parts[i].LogOdds})
	}
	slices.SortStableFunc(es, func(a, b effect) int { return cmp.Compare(math.Abs(b.logOdds), math.Abs(a.logOdds)) })
	return es
}

// split keeps the effects worth a word, at most so many each way.
func split(es []effect, most int) (raising, lowering []effect) {
	for _, e := range es {
		switch {
		case e.logOdds >= slight && len(raising) < most:
			raising = append(raising, e)
		case e.logOdds <= -slight && len(lowering) < most:
			lowering = append(lowering, e)
		}
	}
	return raising, lowering
}

func (e effect) strength(l Language) string {
	switch a := math.Abs(e.logOdds); {
	case a >= strong:
		return l.in("effetto forte", "strong effect")
	case a >= moderate:
		return l.in("effetto medio", "moderate effect")
	}
	return l.in("effetto lieve", "slight effect")
}

// say names the effect with its value and strength.
func (e effect) say(l Language) string {
	if e.value == "" {
		return e.name + " (" + e.strength(l) + ")"
	}
	return e.name + " (" + e.value + "; " + e.strength(l) + ")"
}
