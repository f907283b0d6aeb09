package model

import (
	"errors"
	"fmt"
	"math"
)

// Validate says what is wrong with the model, if anything.
func (m *Model) Validate() error {
	if m.Format != Format {
		return fmt.Errorf("model format is %d, this program reads %d: retrain, or use the program that trained it", m.Format, Format)
	}
	if m.Name == "" {
		return errors.New("model has no name")
	}
	if err := m.Task.Validate(); err != nil {
		return fmt.Errorf("model %s: %w", m.Name, err)
	}
	if err := m.validateNumbers(); err != nil {
		return fmt.Errorf("model %s: %w", m.Name, err)
	}
	return nil
}

func (m *Model) validateNumbers() error {
	if len(m.Inputs) == 0 {
		return errors.New("no inputs")
	}
	if !finite(m.Intercept, m.Calibration.Slope, m.Calibration.Offset) {
		return errors.New("intercept or calibration is not finite")
	}
	if !(m.Threshold > 0 && m.Threshold < 1) {
		return fmt.Errorf("threshold is %v, must be between 0 and 1", m.Threshold)
	}
	for name, v := range m.Defaults {
		if !finite(v) {
			return fmt.Errorf("the default of %s is %v, must be finite", name, v)
		}
	}
	seen := make(map[string]bool, len(m.Inputs))
	for _, in := range m.Inputs {
		switch {
		case in.Name == "" || seen[in.Name]:
			return fmt.Errorf("input %q is empty or there twice", in.Name)
		case !finite(in.Mean, in.Scale, in.Weight) || in.Scale <= 0:
			return fmt.Errorf("input %s: mean %v, scale %v, weight %v; all must be finite and the scale positive", in.Name, in.Mean, in.Scale, in.Weight)
		}
		seen[in.Name] = true
	}
	return nil
}

func finite(xs ...float64) bool {
	for _, x := range xs {
		if math.IsNaN(x) || math.IsInf(x, 0) {
			return false
		}
	}
	return true
}
