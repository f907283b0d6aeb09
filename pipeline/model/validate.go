package model

import (
	"errors"
	"fmt"
	"math"
	"strings"

	"livelab/pipeline/features"
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
	if err := m.validateTransforms(); err != nil {
		return fmt.Errorf("model %s: %w", m.Name, err)
	}
	if err := m.validateFamily(); err != nil {
		return fmt.Errorf("model %s: %w", m.Name, err)
	}
	return nil
}

func (m *Model) validateTransforms() error {
	names, outputs := make(map[string]bool), make(map[string]bool)
	for _, t := range m.Transforms {
		if !columnName(t.Name) || names[t.Name] {
			return fmt.Errorf("transform %q has no usable name, or one that is there twice", t.Name)
		}
		names[t.Name] = true
		if err := validatePin(t); err != nil {
			return fmt.Errorf("transform %s: %w", t.Name, err)
		}
		for _, in := range t.Inputs {
			if in == "" || strings.Contains(in, ".") && !outputs[in] {
				return fmt.Errorf("transform %s reads %q, which no transform before it gives", t.Name, in)
			}
		}
		for _, out := range t.Outputs {
			name := t.Name + "." + out
			if !columnName(out) || outputs[name] {
				return fmt.Errorf("transform %s: output %q has no usable name, or one that is there twice", t.Name, out)
			}
			outputs[name] = true
		}
	}
	return nil
}

func validatePin(t features.TransformSpec) error {
	switch {
	case !isDigest(t.Digest):
		return fmt.Errorf("digest is %q, must be 64 lower-case hex digits", t.Digest)
	case !isDigest(t.Golden):
		return fmt.Errorf("golden is %q, must be 64 lower-case hex digits", t.Golden)
	case t.ABI < 1:
		return fmt.Errorf("abi is %d, must be at least 1", t.ABI)
	case t.Budget.Call < 1 || t.Budget.Row < 0 || t.Budget.Pages < 1:
		return fmt.Errorf("the budget is %d a call, %d a row and %d pages, must be at least 1, 0 and 1", t.Budget.Call, t.Budget.Row, t.Budget.Pages)
	case len(t.Inputs) == 0 || len(t.Outputs) == 0:
		return fmt.Errorf("it has %d inputs and %d outputs, must have one of each at least", len(t.Inputs), len(t.Outputs))
	}
	return nil
}

// columnName reports whether s can be a part of transform.output.
func columnName(s string) bool { return s != "" && !strings.Contains(s, ".") }

func isDigest(s string) bool {
	return len(s) == 64 && strings.Trim(s, "0123456789abcdef") == ""
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
