package quality

import (
	_ "embed"
	"fmt"
	"math"
	"time"

	"livelab/pipeline/rulesfile"
)

// Rules say what is excluded, what is reported and what is too bad to train on;
// rules.yaml explains each. What they exclude decides what a model learns, so
// the model records them.
type Rules struct {
	MaxGapHours      float64 `yaml:"max_gap_hours" json:"max_gap_hours"`
	FrozenHours      float64 `yaml:"frozen_hours" json:"frozen_hours"`
	MinStationsShare float64 `yaml:"min_stations_share" json:"min_stations_share"`
	MaxFleetJump     float64 `yaml:"max_fleet_jump" json:"max_fleet_jump"`
	MaxDocks         float64 `yaml:"max_docks" json:"max_docks"`
	MaxOverCapacity  float64 `yaml:"max_over_capacity" json:"max_over_capacity"`
	DeadDays         float64 `yaml:"dead_days" json:"dead_days"`
	MinCoverage      float64 `yaml:"min_coverage" json:"min_coverage"`
	MaxExcluded      float64 `yaml:"max_excluded" json:"max_excluded"`
	MaxDeadStations  float64 `yaml:"max_dead_stations" json:"max_dead_stations"`
}

// DefaultRulesYAML is the default rules file, with an explanation of each rule.
//
//go:embed rules.yaml
var DefaultRulesYAML []byte

// DefaultRules gives the rules of DefaultRulesYAML.
func DefaultRules() Rules {
	r, err := rulesfile.Decode(DefaultRulesYAML, Rules{})
	if err != nil {
		panic("quality: the embedded rules are broken: " + err.Error())
	}
	return r
}

// ParseRules reads a rules file. A key that is left out or left empty keeps its
// default; an unknown one, one that is there twice and a value out of bounds
// are errors.
func ParseRules(b []byte) (Rules, error) {
	r, err := rulesfile.Decode(b, DefaultRules())
	if err == nil {
		err = r.Validate()
	}
	if err != nil {
		return Rules{}, fmt.Errorf("parse the rules of data quality: %w", err)
	}
	return r, nil
}

// Validate says which value is out of its bounds, if any.
func (r Rules) Validate() error {
	for _, f := range []struct {
		key   string
		value float64
	}{
		{"max_gap_hours", r.MaxGapHours},
		{"frozen_hours", r.FrozenHours},
		{"max_fleet_jump", r.MaxFleetJump},
		{"max_docks", r.MaxDocks},
		{"max_over_capacity", r.MaxOverCapacity},
		{"dead_days", r.DeadDays},
	} {
		if !(f.value > 0 && f.value <= 1e6) { // NaN is out, too
			return fmt.Errorf("%s is %v, must be above 0 and at most 1000000", f.key, f.value)
		}
	}
	for _, f := range []struct {
		key   string
		value float64
	}{
		{"min_stations_share", r.MinStationsShare},
		{"min_coverage", r.MinCoverage},
		{"max_excluded", r.MaxExcluded},
		{"max_dead_stations", r.MaxDeadStations},
	} {
		if !(f.value >= 0 && f.value <= 1) {
			return fmt.Errorf("%s is %v, must be 0 to 1", f.key, f.value)
		}
	}
	return nil
}

func hours(h float64) time.Duration {
	return time.Duration(math.Round(float64(h * float64(time.Hour))))
}
