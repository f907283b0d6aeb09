package gate

import (
	_ "embed"
	"fmt"
	"math"

	"github.com/goccy/go-yaml"

	"livelab/pipeline/rulesfile"
)

// Rules is what a model must show; rules.yaml explains each and says how to
// switch it off.
type Rules struct {
	// MinTestPositives is the least number of positives in the test part that
	// decides anything; at least 1, by default 100.
	MinTestPositives int `yaml:"min_test_positives"`

	// MinF1 is the least F1; by default 0.60.
	MinF1 float64 `yaml:"min_f1"`

	// MaxF1BelowPersistence and MaxF1BelowChampion are how far F1 may lie
	// under theirs; by default 0.01.
	MaxF1BelowPersistence float64 `yaml:"max_f1_below_persistence"`
	MaxF1BelowChampion    float64 `yaml:"max_f1_below_champion"`

	// The comparisons that are made or not; by default all are.
	BrierBetterThanPersistence bool `yaml:"brier_better_than_persistence"`
	BrierNotWorseThanChampion  bool `yaml:"brier_not_worse_than_champion"`
	PRAUCAboveClimatology      bool `yaml:"pr_auc_above_climatology"`

	// MaxECE is the most expected calibration error; by default 0.05.
	MaxECE float64 `yaml:"max_ece"`

	Bootstrap Bootstrap `yaml:"bootstrap"`
}

// Bootstrap says how the intervals of a verdict are made.
type Bootstrap struct {
	Resamples int    `yaml:"resamples" json:"resamples"` // 100 to 100000, by default 2000
	Seed      uint64 `yaml:"seed" json:"seed"`           // by default 1
}

// DefaultRulesYAML is the default rules file, with an explanation of each rule.
//
//go:embed rules.yaml
var DefaultRulesYAML []byte

// DefaultRules gives the rules of DefaultRulesYAML.
func DefaultRules() Rules {
	r, err := decodeRules(DefaultRulesYAML, Rules{})
	if err != nil {
		panic("gate: the embedded rules are broken: " + err.Error())
	}
	return r
}

// ParseRules reads a rules file. A key that is left out or left empty keeps its
// default; an unknown one, one that is there twice and a value out of bounds
// are errors.
func ParseRules(b []byte) (Rules, error) {
	r, err := decodeRules(b, DefaultRules())
	if err != nil {
		return Rules{}, fmt.Errorf("parse gate rules: %w", err)
	}
	return r, nil
}

// decodeRules gives the base with what the file changes.
func decodeRules(b []byte, base Rules) (Rules, error) {
	r, err := rulesfile.Decode(b, base)
	if err != nil {
		return Rules{}, err
	}
	if err := wholeCounts(b); err != nil {
		return Rules{}, err
	}
	return r, r.Validate()
}

// wholeCounts refuses fractions where a count belongs: the decoder would cut
// 1.5 down to 1 without a word.
func wholeCounts(b []byte) error {
	var counts struct {
		Positives float64 `yaml:"min_test_positives"`
		Bootstrap struct {
			Resamples float64 `yaml:"resamples"`
			Seed      float64 `yaml:"seed"`
		} `yaml:"bootstrap"`
	}
	if err := yaml.Unmarshal(b, &counts); err != nil {
		return rulesfile.Explain(err)
	}
	for _, f := range []struct {
		key   string
		value float64
	}{
		{"min_test_positives", counts.Positives},
		{"bootstrap.resamples", counts.Bootstrap.Resamples},
		{"bootstrap.seed", counts.Bootstrap.Seed},
	} {
		if f.value != math.Trunc(f.value) {
			return fmt.Errorf("%s is %v, must be a whole number", f.key, f.value)
		}
	}
	return nil
}

// Validate says which value is out of its bounds, if any.
func (r Rules) Validate() error {
	for _, f := range []struct {
		key   string
		value float64
	}{
		{"min_f1", r.MinF1},
		{"max_f1_below_persistence", r.MaxF1BelowPersistence},
		{"max_f1_below_champion", r.MaxF1BelowChampion},
		{"max_ece", r.MaxECE},
	} {
		if !(f.value >= 0 && f.value <= 1) { // NaN is out, too
			return fmt.Errorf("%s is %v, must be 0 to 1", f.key, f.value)
		}
	}
	if r.MinTestPositives < 1 {
		return fmt.Errorf("min_test_positives is %d, must be at least 1", r.MinTestPositives)
	}
	if n := r.Bootstrap.Resamples; n < 100 || n > 100_000 {
		return fmt.Errorf("bootstrap.resamples is %d, must be 100 to 100000", n)
	}
	return nil
}
