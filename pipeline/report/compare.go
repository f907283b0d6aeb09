package report

import (
	"slices"
	"strings"

	"livelab/pipeline/features"
	"livelab/pipeline/metrics"
	"livelab/pipeline/model"
)

// transform is one of the model's, with what it brings.
type transform struct {
	features.TransformSpec
	Doc string

	// Known is whether a model was trained without it. Over is what ours
	// scores above that one.
	Known     bool
	Over      metrics.Scores
	Intervals metrics.Intervals
}

func (p *page) transforms() []transform {
	var ts []transform
	for _, spec := range p.in.Model.Transforms {
		t := transform{TransformSpec: spec, Doc: p.in.Docs[spec.Name]}
		for _, a := range p.in.Metrics.Ablations {
			if a.Transform == spec.Name {
				t.Known, t.Over, t.Intervals = true, less(p.in.Metrics.Scores, a.Scores), a.Over
			}
		}
		ts = append(ts, t)
	}
	return ts
}

// change is one difference between the model and the champion.
type change struct {
	What     string
	Was, Now string
}

func (p *page) changes() []change {
	if p.in.Champion == nil {
		return nil
	}
	was, now := p.in.Champion.Model, p.in.Model
	var cs []change
	add := func(what, a, b string) {
		if a != b {
			cs = append(cs, change{what, a, b})
		}
	}
	add("family", family(was), family(now))
	oldInputs, newInputs := inputNames(was), inputNames(now)
	add("inputs taken away", strings.Join(missing(oldInputs, newInputs), ", "), "")
	add("inputs added", "", strings.Join(missing(newInputs, oldInputs), ", "))
	add("threshold", decimals(was.Threshold), decimals(now.Threshold))
	old := make(map[string]string)
	for _, s := range settings(was.Training) {
		old[s.Name] = s.Text
	}
	for _, s := range settings(now.Training) {
		if s.Name != "inputs" {
			add("setting "+s.Name, old[s.Name], s.Text)
		}
		delete(old, s.Name)
	}
	for _, s := range settings(was.Training) {
		if text, ok := old[s.Name]; ok {
			add("setting "+s.Name, text, "")
		}
	}
	add("transforms", transformNames(was), transformNames(now))
	add("dataset", was.Dataset, now.Dataset)
	return cs
}

func inputNames(m *model.Model) []string {
	names := make([]string, len(m.Inputs))
	for i, in := range m.Inputs {
		names[i] = in.Name
	}
	return names
}

// missing are those of names that are not among others.
func missing(names, others []string) (ms []string) {
	for _, n := range names {
		if !slices.Contains(others, n) {
			ms = append(ms, n)
		}
	}
	return ms
}

func transformNames(m *model.Model) string {
	names := make([]string, len(m.Transforms))
	for i, t := range m.Transforms {
		names[i] = t.Name + " " + t.Version + " (" + short(t.Digest) + ")"
	}
	return strings.Join(names, ", ")
}

func family(m *model.Model) string {
	if m.Family == model.FamilyTrees {
		return "gradient-boosted trees"
	}
	return "logistic regression"
}
