package model

import (
	"fmt"
	"slices"

	"livelab/pipeline/features"
)

// Bind finds a model's transforms among those offered, in the model's order: by
// the digest of their code, and such that they compute here what they computed
// where the model was trained.
func Bind(m *Model, offered []features.Transform) ([]features.Transform, error) {
	var bound []features.Transform
	for _, pinned := range m.Transforms {
		i := slices.IndexFunc(offered, func(t features.Transform) bool { return t.Spec().Digest == pinned.Digest })
		if i < 0 {
			return nil, fmt.Errorf("model %s needs the transform %s with digest %s, which is not there", m.Name, pinned.Name, pinned.Digest)
		}
		if err := same(pinned, offered[i].Spec()); err != nil {
			return nil, fmt.Errorf("model %s: the transform %s with digest %s %w; train again", m.Name, pinned.Name, pinned.Digest, err)
		}
		bound = append(bound, offered[i])
	}
	return bound, nil
}

// same says how an offered transform with the pinned digest differs, if at all.
func same(pinned, offered features.TransformSpec) error {
	switch {
	case offered.Golden != pinned.Golden:
		return fmt.Errorf("answers differently on this machine than where the model was trained (%s, not %s)", offered.Golden, pinned.Golden)
	case offered.Budget != pinned.Budget:
		return fmt.Errorf("has another budget, %+v, than the model was trained with, %+v", offered.Budget, pinned.Budget)
	case offered.Name != pinned.Name || offered.Version != pinned.Version || offered.ABI != pinned.ABI:
		return fmt.Errorf("is %s %s with ABI %d, not %s %s with ABI %d", offered.Name, offered.Version, offered.ABI, pinned.Name, pinned.Version, pinned.ABI)
	case !slices.Equal(offered.Inputs, pinned.Inputs) || !slices.Equal(offered.Outputs, pinned.Outputs):
		return fmt.Errorf("turns %q into %q, not %q into %q", offered.Inputs, offered.Outputs, pinned.Inputs, pinned.Outputs)
	}
	return nil
}

// scratch is memory that the transforms of one row use, and the next row uses
// again.
type scratch struct {
	in       []float64 // of one transform, the longest
	computed []float64 // by all of them
}

func (p *Predictor) newScratch() *scratch {
	var in, out int
	for _, spec := range p.Model.Transforms {
		in, out = max(in, len(spec.Inputs)), out+len(spec.Outputs)
	}
	flat := make([]float64, in+out)
	return &scratch{in: flat[:in:in], computed: flat[in:]}
}

// transform computes what the transforms make of a row, one after the other.
func (p *Predictor) transform(s *scratch, values []float64, threshold float64) error {
	out := s.computed
	for i, t := range p.transforms {
		in := s.in[:len(p.reads[i])]
		for j, o := range p.reads[i] {
			in[j] = o.value(&p.Model.Task, values, s.computed, threshold)
		}
		n := len(p.Model.Transforms[i].Outputs)
		if err := t.ApplyRow(in, out[:n:n]); err != nil {
			return fmt.Errorf("transform %s: %w", p.Model.Transforms[i].Name, err)
		}
		out = out[n:]
	}
	return nil
}
