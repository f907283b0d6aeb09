package gate

import (
	"strings"
	"testing"

	"livelab/pipeline/metrics"
)

func TestPass(t *testing.T) {
	t.Parallel()
	c := usual.candidate()
	v := judge(t, DefaultRules(), c, c.asChampion())
	if v.Result != Pass || len(v.Rules) != len(checks) || named(v, Pass) != strings.Join(ruleNames(), " ") {
		t.Fatalf("a good model is not let through: %s", v.Conclusion)
	}
}

func ruleNames() []string {
	var names []string
	for _, ch := range checks {
		names = append(names, ch.name)
	}
	return names
}

// TestEachRuleRefusesAlone gives every rule a model that it refuses and that
// all other rules let through.
func TestEachRuleRefusesAlone(t *testing.T) {
	t.Parallel()
	for name, make := range map[string]func() (Candidate, *Candidate){
		"f1": func() (Candidate, *Candidate) {
			c := world{days: 60, tendency: 0.2, surprise: 0.3, change: 0.5}.candidate()
			return c, nil
		},
		"f1_vs_persistence": func() (Candidate, *Candidate) {
			c := usual.candidate()
			c.Threshold = 0.945
			return c, nil
		},
		"f1_vs_champion": func() (Candidate, *Candidate) {
			c := usual.candidate()
			champion := c.asChampion()
			c.Threshold = 0.941
			return c, champion
		},
		"brier_vs_persistence": func() (Candidate, *Candidate) {
			c := world{days: 20, tendency: 0.3, surprise: 0.05, change: 0.03}.candidate()
			copy(c.Sample.Model, c.Sample.Persistence())
			return c, nil
		},
		"brier_vs_champion": func() (Candidate, *Candidate) {
			c := usual.candidate()
			champion := c.asChampion()
			c.mapModel(func(i int, p float64) float64 {
				if p < 0.5 {
					return 0.12 * float64(i%2) // right on average, but blurred
				}
				return p
			})
			return c, champion
		},
		"pr_auc_vs_climatology": func() (Candidate, *Candidate) {
			c := usual.candidate()
			copy(c.Sample.Climatology, c.Sample.Model)
			c.mapModel(func(_ int, p float64) float64 {
				if p < 0.5 {
					return 0.055
				}
				return 0.945
			})
			return c, nil
		},
		"ece": func() (Candidate, *Candidate) {
			c := usual.candidate()
			c.mapModel(func(_ int, p float64) float64 { return 0.5 + float64(0.8*(p-0.5)) })
			return c, nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, champion := make()
			v := judge(t, DefaultRules(), c, champion)
			if v.Result != Fail || named(v, Fail) != name {
				t.Fatalf("got %s, refused by %q\n%s", v.Result, named(v, Fail), v.Markdown())
			}
			if named(v, Inconclusive) != "" {
				t.Fatalf("undecided: %s", named(v, Inconclusive))
			}
		})
	}
}

func TestTooFewPositivesDecideNothing(t *testing.T) {
	t.Parallel()
	few := world{days: 5, tendency: 0.3, surprise: 0.05, change: 0.12}

	good := few.candidate()
	if v := judge(t, DefaultRules(), good, nil); v.Result != Inconclusive || named(v, Fail) != "" {
		t.Errorf("good model: %s", v.Conclusion)
	}
	bad := few.candidate()
	bad.Threshold = 1
	v := judge(t, DefaultRules(), bad, nil)
	if v.Result != Inconclusive || !strings.Contains(named(v, Fail), "f1") {
		t.Errorf("a bad model on few rows: %s, failed %q", v.Result, named(v, Fail))
	}
	if !strings.Contains(v.Conclusion, "100") || !strings.Contains(v.Conclusion, "it would also be refused") {
		t.Errorf("the conclusion does not say why: %s", v.Conclusion)
	}
}

func TestOneDayGivesNoInterval(t *testing.T) {
	t.Parallel()
	c := usual.candidate()
	for i := range c.Sample.At {
		c.Sample.At[i] = 1_763_000_000 // the stations of one moment
	}
	v := judge(t, DefaultRules(), c, c.asChampion())
	if v.Result != Inconclusive || named(v, Inconclusive) != "brier_vs_persistence brier_vs_champion" {
		t.Fatalf("%s, undecided %q", v.Result, named(v, Inconclusive))
	}
	c.Threshold = 1
	if v := judge(t, DefaultRules(), c, nil); v.Result != Fail {
		t.Fatalf("a failed rule must refuse whatever is undecided: %s", v.Result)
	}
}

func TestInsufficientDataMeasuresNothing(t *testing.T) {
	t.Parallel()
	all := func(outcome bool) Candidate {
		c := usual.candidate()
		for i := range c.Sample.Outcome {
			c.Sample.Outcome[i] = outcome
		}
		return c
	}
	empty := usual.candidate()
	empty.Sample = metrics.Sample{}
	for name, c := range map[string]Candidate{"no rows": empty, "never short": all(false), "always short": all(true)} {
		v := judge(t, DefaultRules(), c, c.asChampion())
		if v.Result != InsufficientData || v.Scores != nil || v.Onset != nil {
			t.Errorf("%s: %s, scores %v", name, v.Result, v.Scores)
		}
		b, err := v.JSON()
		if err != nil || strings.Count(string(b), `"value": null`) != len(checks) {
			t.Errorf("%s: numbers were made up (%v):\n%s", name, err, b)
		}
	}
}

func TestChampionIsNotComparedWith(t *testing.T) {
	t.Parallel()
	c := usual.candidate()
	other := c
	other.ChampionAbsent = "the champion answers for 30 minutes ahead, this model for 60"
	for _, test := range []struct {
		candidate Candidate
		champion  *Candidate
		why       string
	}{
		{c, nil, "no champion serves yet"},
		{c, &c, sameModel},
		{other, nil, other.ChampionAbsent},
	} {
		v := judge(t, DefaultRules(), test.candidate, test.champion)
		if v.Result != Pass || named(v, NotApplied) != "f1_vs_champion brier_vs_champion" {
			t.Errorf("%s: %s, not applied %q", test.why, v.Result, named(v, NotApplied))
		}
		if v.Champion != nil || v.ChampionAbsent != test.why || !strings.Contains(string(v.Markdown()), test.why) {
			t.Errorf("%s: the verdict says %q", test.why, v.ChampionAbsent)
		}
		if itself := strings.Contains(string(v.Markdown()), "| champion | this very model |"); itself != (test.why == sameModel) {
			t.Errorf("%s: the table says of the champion that it is the model itself: %v", test.why, itself)
		}
	}
}

func TestRulesSwitchedOff(t *testing.T) {
	t.Parallel()
	rules, err := ParseRules([]byte(`
min_test_positives: 1
min_f1: 0
max_f1_below_persistence: 1
max_f1_below_champion: 1
brier_better_than_persistence: false
brier_not_worse_than_champion: false
pr_auc_above_climatology: false
max_ece: 1
`))
	if err != nil {
		t.Fatal(err)
	}
	c := usual.candidate()
	champion := c.asChampion()
	c.mapModel(func(_ int, p float64) float64 { return 1 - p })
	if v := judge(t, rules, c, champion); v.Result != Pass {
		t.Fatalf("without rules the worst model passes, here %s", v.Conclusion)
	}
}

func TestJudgeRefusesBadInput(t *testing.T) {
	t.Parallel()
	for want, spoil := range map[string]func(c, champion *Candidate, r *Rules){
		"no model name":           func(c, _ *Candidate, _ *Rules) { c.Model = "" },
		"lower-case hex SHA-256":  func(c, _ *Candidate, _ *Rules) { c.Digest = "1a2b" },
		"threshold is 2":          func(c, _ *Candidate, _ *Rules) { c.Threshold = 2 },
		"differ in length":        func(c, _ *Candidate, _ *Rules) { c.Sample.Model = c.Sample.Model[1:] },
		"ascending order of time": func(c, _ *Candidate, _ *Rules) { c.Sample.At[3] = 0 },
		"must be probabilities":   func(c, _ *Candidate, _ *Rules) { c.Sample.Model[5] = 1.5 },
		"min_f1 is 3":             func(_, _ *Candidate, r *Rules) { r.MinF1 = 3 },
		"it was scored on 959 rows": func(_, ch *Candidate, _ *Rules) {
			s := &ch.Sample
			*s = metrics.Sample{At: s.At[1:], Outcome: s.Outcome[1:], ShortNow: s.ShortNow[1:], Model: s.Model[1:], Climatology: s.Climatology[1:]}
		},
		"row 4 is another one": func(_, ch *Candidate, _ *Rules) {
			ch.Sample.Outcome = append([]bool(nil), ch.Sample.Outcome...)
			ch.Sample.Outcome[4] = !ch.Sample.Outcome[4]
		},
	} {
		t.Run(want, func(t *testing.T) {
			t.Parallel()
			c, rules := usual.candidate(), DefaultRules()
			champion := c.asChampion()
			spoil(&c, champion, &rules)
			if _, err := Judge(rules, c, champion); err == nil || !strings.Contains(err.Error(), want) {
				t.Fatalf("got %v, want %q", err, want)
			}
		})
	}
}
