package model

import (
	"math"
	"slices"

	"livelab/pipeline/features"
)

// Contribution is what one input adds to the log odds.
type Contribution struct {
	Input   string
	Value   float64 // as used: where nothing else stood in, the mean, and NaN for trees, which know missing values
	Imputed bool    // whether a part of Value was missing
	LogOdds float64
}

// Explain splits the log odds: the base and the contributions, in the order of
// the inputs, sum to LogOdds(x) but for rounding, of 1e-9 of the largest at
// most. The base is what the model answers where all inputs are at their means,
// the intercept; of trees it is the mean of the log odds over the rows of the
// training, and the contributions are the inputs' Shapley values. x is what
// Vector made of values. An input is imputed exactly where Imputed names
// something for it.
func (p *Predictor) Explain(x, values []float64) (base float64, cs []Contribution) {
	adds := make([]float64, len(x))
	base = p.Model.Contributions(adds, x)
	cs = make([]Contribution, len(x))
	for i := range p.Model.Inputs {
		in := &p.Model.Inputs[i]
		cs[i] = Contribution{Input: in.Name, Value: x[i], Imputed: p.stoodIn(i, x, values), LogOdds: adds[i]}
		if math.IsNaN(x[i]) && p.Model.Family == FamilyLogistic {
			cs[i].Value = in.Mean
		}
	}
	return base, cs
}

// Contributions fills in what each input adds to the log odds of x, and gives
// the base that they are added to; see Predictor.Explain.
func (m *Model) Contributions(adds, x []float64) (base float64) {
	if m.Family == FamilyTrees {
		clear(adds)
		f := m.Trees.forest()
		f.explain(adds, x)
		return f.expected(m.Intercept)
	}
	for i := range m.Inputs {
		adds[i] = m.Inputs[i].contribution(x[i])
	}
	return m.Intercept
}

// Imputed names the missing columns that something else stood in for, or that a
// tree took as missing, each once, in the order of the inputs that read them: a row that gives them has
// nothing imputed. Of a derived input they are the column that it is derived
// from and the threshold. Only an output of a transform that is NaN goes by its
// own name, as the model cannot tell which column it is for. x is what Vector
// made of values. It is never nil, and does not allocate where nothing is
// missing.
func (p *Predictor) Imputed(x, values []float64) []string {
	return p.AppendImputed([]string{}, x, values)
}

// AppendImputed appends what Imputed gives to names, which must be empty.
func (p *Predictor) AppendImputed(names []string, x, values []float64) []string {
	for i, v := range x {
		if math.IsNaN(v) && p.inputs[i].computed >= 0 {
			names = append(names, p.Model.Inputs[i].Name)
		}
		for _, c := range p.replaced[i] {
			if math.IsNaN(values[c]) && !slices.Contains(names, p.columns[c]) {
				names = append(names, p.columns[c])
			}
		}
	}
	return names
}

// stoodIn reports whether something was missing in an input.
func (p *Predictor) stoodIn(input int, x, values []float64) bool {
	return math.IsNaN(x[input]) || slices.ContainsFunc(p.replaced[input], func(c int) bool { return math.IsNaN(values[c]) })
}

// setReplaced finds the columns of which each input takes something else where
// a row does not give them.
func (p *Predictor) setReplaced() {
	var outputs [][]int // of each output of the transforms
	for i, reads := range p.reads {
		var cs []int
		for _, o := range reads {
			if o.computed >= 0 && o.computed < len(outputs) {
				cs = append(cs, outputs[o.computed]...)
			}
			cs = append(cs, p.replacedFor(o)...)
		}
		for range p.Model.Transforms[i].Outputs {
			outputs = append(outputs, cs)
		}
	}
	for _, o := range p.inputs {
		switch {
		case o.computed >= 0:
			p.replaced = append(p.replaced, outputs[o.computed])
		case o.derived != "" && p.threshold >= 0:
			p.replaced = append(p.replaced, []int{o.column, p.threshold})
		default:
			p.replaced = append(p.replaced, []int{o.column})
		}
	}
}

// replacedFor are the columns that something else stands in for before a
// transform reads from o; the transform sees any other that is missing as NaN.
func (p *Predictor) replacedFor(o origin) (columns []int) {
	if o.otherwise >= 0 {
		columns = append(columns, o.column)
	}
	if _, ok := p.Model.Defaults[features.Threshold]; ok && o.derived != "" && p.threshold >= 0 {
		columns = append(columns, p.threshold)
	}
	return columns
}
