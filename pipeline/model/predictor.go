package model

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"sync"

	"livelab/pipeline/detmath"
	"livelab/pipeline/features"
)

// Predictor is a model with the transforms that it was trained with: what
// turns a row into a prediction. It is safe for concurrent use.
type Predictor struct {
	Model *Model

	columns  []string // that a row may give, sorted
	required []string // those of them that it must give
	inputs   []origin // of each input of the model
	learned  []bool   // of each input, whether it can change an answer

	transforms []features.Transform
	reads      [][]origin // of each transform, where its inputs come from
	scratches  sync.Pool  // of *scratch, for the transforms

	threshold int // the column of the threshold, or -1

	replaced [][]int // of each input, the columns that Imputed names for it
}

// origin is where a value comes from.
type origin struct {
	derived   string // name of the derived column, or empty
	column    int    // of the row, or -1
	otherwise int    // column that stands in where that is missing, or -1
	computed  int    // output of the transforms, counted through, or -1
}

// NewPredictor binds a model to its transforms, see Bind.
func NewPredictor(m *Model, offered []features.Transform) (*Predictor, error) {
	p := &Predictor{Model: m}
	var err error
	if p.transforms, err = Bind(m, offered); err != nil {
		return nil, err
	}
	computed := make(map[string]int)
	for _, spec := range m.Transforms {
		for _, out := range spec.Outputs {
			computed[spec.Name+"."+out] = len(computed)
		}
	}
	p.setColumns(computed)
	for _, in := range m.Inputs {
		p.inputs = append(p.inputs, p.origin(in.Name, computed))
	}
	for _, spec := range m.Transforms {
		var reads []origin
		for _, name := range spec.Inputs {
			reads = append(reads, p.origin(name, computed))
		}
		p.reads = append(p.reads, reads)
	}
	p.setReplaced()
	p.learned = m.learned()
	p.scratches.New = func() any { return p.newScratch() }
	return p, nil
}

// setColumns finds what a row may give: the classic eight, and what the inputs
// of the model and of its transforms are, or are derived from.
func (p *Predictor) setColumns(computed map[string]int) {
	var read []string
	for _, in := range p.Model.Inputs {
		read = append(read, in.Name)
	}
	for _, spec := range p.Model.Transforms {
		read = append(read, spec.Inputs...)
	}
	p.required = features.ClassicInputs()
	p.columns = features.ClassicInputs()
	for _, name := range read {
		if _, ok := computed[name]; ok {
			continue
		}
		if of, _ := p.Model.Task.DerivedFrom(name); of != "" {
			if p.columns = append(p.columns, of); p.Model.Task.Entity != features.EntityStation {
				p.columns = append(p.columns, features.Threshold) // a station's is part of the task
			}
			continue
		}
		p.columns = append(p.columns, name)
	}
	slices.Sort(p.columns)
	p.columns = slices.Compact(p.columns)
	p.threshold = slices.Index(p.columns, features.Threshold)
}

func (p *Predictor) origin(name string, computed map[string]int) origin {
	if i, ok := computed[name]; ok {
		return origin{column: -1, otherwise: -1, computed: i}
	}
	o := origin{otherwise: -1, computed: -1}
	column := name
	if of, otherwise := p.Model.Task.DerivedFrom(name); of != "" {
		o.derived, column = name, of
		o.otherwise = slices.Index(p.columns, otherwise)
	}
	o.column = slices.Index(p.columns, column)
	return o
}

// Columns lists what a row may give, sorted by name.
func (p *Predictor) Columns() []string { return p.columns }

// Required lists what a row must give: the classic eight, whether or not this
// model reads them all, so that a client need not change with the model.
func (p *Predictor) Required() []string { return p.required }

// Needs reports whether the model has learned from a column, so that its
// absence takes something away.
func (p *Predictor) Needs(column int) bool {
	for i, o := range p.inputs {
		if o.column == column && p.learned[i] {
			return true
		}
	}
	for _, reads := range p.reads {
		if slices.ContainsFunc(reads, func(o origin) bool { return o.column == column }) {
			return true
		}
	}
	return false
}

// Vector computes the model's inputs x from a row: values has one for each of
// Columns, in their order, NaN where missing. Derived inputs are derived; the
// present stands in for a lag that the row does not give, and the model's
// default for the threshold. What is missing even so is NaN in x. It does not
// allocate where it succeeds, and panics on wrong lengths. The error wraps a
// *features.RowError where a transform refuses the row.
func (p *Predictor) Vector(x, values []float64) error {
	if len(x) != len(p.inputs) || len(values) != len(p.columns) {
		panic(fmt.Sprintf("model: %d inputs and %d values for %d inputs and %d columns", len(x), len(values), len(p.inputs), len(p.columns)))
	}
	threshold := p.thresholdOf(values)
	var computed []float64
	if len(p.transforms) > 0 {
		s := p.scratches.Get().(*scratch)
		defer p.scratches.Put(s)
		computed = s.computed
		if err := p.transform(s, values, threshold); err != nil {
			return err
		}
	}
	for i, o := range p.inputs {
		x[i] = o.value(&p.Model.Task, values, computed, threshold)
	}
	return nil
}

func (o origin) value(task *features.Task, values, computed []float64, threshold float64) float64 {
	switch {
	case o.computed >= 0:
		return computed[o.computed]
	case o.derived != "":
		v := values[o.column]
		if math.IsNaN(v) && o.otherwise >= 0 {
			v = values[o.otherwise]
		}
		return task.Derive(o.derived, v, threshold)
	}
	return values[o.column]
}

// thresholdOf is the row's threshold, else the model's default, else NaN.
func (p *Predictor) thresholdOf(values []float64) float64 {
	if p.threshold >= 0 && !math.IsNaN(values[p.threshold]) {
		return values[p.threshold]
	}
	if v, ok := p.Model.Defaults[features.Threshold]; ok {
		return v
	}
	return math.NaN()
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

// SelfTest has the model answer for a row of which nothing is known. It
// catches a bundle that decodes but cannot answer. That a transform refuses
// such a row is an answer, too.
func (p *Predictor) SelfTest() error {
	values := make([]float64, len(p.columns))
	for i := range values {
		values[i] = math.NaN()
	}
	x := make([]float64, len(p.inputs))
	err := p.Vector(x, values)
	if refused := new(features.RowError); errors.As(err, &refused) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("self-test of %s: %w", p.Model.Name, err)
	}
	got := p.Model.Probability(x)
	if want := p.ofNothing(x); len(p.transforms) == 0 && got != want || !(got >= 0 && got <= 1) {
		return fmt.Errorf("self-test of %s: the answer for a row of which nothing is known is %v, want %v", p.Model.Name, got, want)
	}
	return nil
}

// ofNothing is the answer that a row of which nothing is known must get: of
// trees, by the walk that defines them.
func (p *Predictor) ofNothing(x []float64) float64 {
	if p.Model.Family == FamilyTrees {
		return detmath.Sigmoid(p.Model.Trees.sum(p.Model.Intercept, x))
	}
	return detmath.Sigmoid(p.Model.Intercept)
}
