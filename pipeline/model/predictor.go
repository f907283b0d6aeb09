package model

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"livelab/pipeline/features"
)

// Predictor is a model with the transforms that it was trained with: what
// turns named values into a prediction. It is safe for concurrent use.
type Predictor struct {
	Model *Model

	transforms []features.Transform
	base       []string // columns that a row may give, sorted
	required   []string // those of them that a row must give, in the model's order
	direct     []bool   // for each input, whether the row gives it
}

// NewPredictor binds a model to its transforms, found by digest among those
// offered.
func NewPredictor(m *Model, offered []features.Transform) (*Predictor, error) {
	p := &Predictor{Model: m}
	made := make(map[string]bool)
	for _, ref := range m.Transforms {
		i := slices.IndexFunc(offered, func(t features.Transform) bool { return t.Digest() == ref.Digest })
		if i < 0 {
			return nil, fmt.Errorf("model %s needs the transform %s with digest %s, which is not there", m.Name, ref.Name, ref.Digest)
		}
		p.transforms = append(p.transforms, offered[i])
		for _, in := range ref.Inputs {
			if !made[in] {
				p.base = append(p.base, in)
			}
		}
		for _, out := range ref.Outputs {
			made[ref.Name+"."+out] = true
		}
	}
	p.direct = make([]bool, len(m.Inputs))
	for i, in := range m.Inputs {
		if made[in.Name] {
			continue
		}
		p.direct[i] = true
		p.base = append(p.base, in.Name)
		if !in.Optional {
			p.required = append(p.required, in.Name)
		}
	}
	slices.Sort(p.base)
	p.base = slices.Compact(p.base)
	return p, nil
}

// Columns lists what a row may give, sorted by name.
func (p *Predictor) Columns() []string { return p.base }

// Required lists what a row must give.
func (p *Predictor) Required() []string { return p.required }

// Vector computes the model's inputs from a row's values by column name. A
// column that is absent is missing. The caller has checked the names.
func (p *Predictor) Vector(row map[string]float64) ([]float64, error) {
	made, err := p.transform(row)
	if err != nil {
		return nil, err
	}
	x := make([]float64, len(p.Model.Inputs))
	for i, in := range p.Model.Inputs {
		from := made
		if p.direct[i] {
			from = row
		}
		v, ok := from[in.Name]
		if !ok {
			v = math.NaN()
		}
		x[i] = v
	}
	return x, nil
}

func (p *Predictor) transform(row map[string]float64) (map[string]float64, error) {
	if len(p.transforms) == 0 {
		return nil, nil
	}
	made := make(map[string]float64)
	for i, t := range p.transforms {
		ref := p.Model.Transforms[i]
		in := singleRow(len(ref.Inputs))
		for j, name := range ref.Inputs {
			v, ok := made[name]
			if !ok {
				v, ok = row[name]
			}
			if !ok {
				v = math.NaN()
			}
			in[j][0] = v
		}
		out := singleRow(len(ref.Outputs))
		if err := t.Apply(in, out); err != nil {
			return nil, fmt.Errorf("transform %s: %w", ref.Name, err)
		}
		for j, name := range ref.Outputs {
			made[ref.Name+"."+name] = out[j][0]
		}
	}
	return made, nil
}

func singleRow(columns int) [][]float64 {
	cs := make([][]float64, columns)
	for i := range cs {
		cs[i] = make([]float64, 1)
	}
	return cs
}

// FrameVectors gives the model's inputs for every row of a frame that has the
// model's transforms applied: one column for each input.
func (m *Model) FrameVectors(f *features.Frame) ([][]float64, error) {
	cs := make([][]float64, len(m.Inputs))
	for i, in := range m.Inputs {
		if cs[i] = f.Column(in.Name); cs[i] == nil {
			return nil, fmt.Errorf("model %s reads %q, which the data does not have", m.Name, in.Name)
		}
	}
	return cs, nil
}

// Probabilities scores every row of a frame; see FrameVectors.
func (m *Model) Probabilities(f *features.Frame) ([]float64, error) {
	cs, err := m.FrameVectors(f)
	if err != nil {
		return nil, err
	}
	out := make([]float64, f.Rows())
	x := make([]float64, len(cs))
	for row := range out {
		for i, c := range cs {
			x[i] = c[row]
		}
		out[row] = m.Probability(x)
	}
	return out, nil
}

// SelfTest has the model answer for a row of means and one of nothing known:
// both must be its base rate. It catches a bundle that decodes but cannot
// answer.
func (p *Predictor) SelfTest() error {
	x, err := p.Vector(map[string]float64{})
	if err != nil {
		return fmt.Errorf("self-test of %s: %w", p.Model.Name, err)
	}
	if proba := p.Model.Probability(x); !finite(proba) || proba < 0 || proba > 1 {
		return errors.New("self-test of " + p.Model.Name + ": the answer is not a probability")
	}
	return nil
}
