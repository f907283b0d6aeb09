package features

import "fmt"

// Transform computes named columns from named columns, row by row and purely.
// runtime/wasm implements it. Implementations are safe for concurrent use.
type Transform interface {
	Name() string
	Digest() string // lower-case hex SHA-256 of Code
	Code() []byte   // the module that computes it, which a version carries
	Inputs() []string
	Outputs() []string

	// Apply fills out from in. in has one column for each input and out one
	// for each output, all of the same length; missing is NaN.
	Apply(in, out [][]float64) error
}

// ApplyTransforms appends to the frame a column `name.output` for each output
// of each transform. A transform reads columns of the catalogue and outputs of
// the transforms before it.
func ApplyTransforms(f *Frame, ts []Transform) error {
	for _, t := range ts {
		in := make([][]float64, 0, len(t.Inputs()))
		for _, name := range t.Inputs() {
			c := f.Column(name)
			if c == nil {
				return fmt.Errorf("transform %s reads the column %q, which there is none of", t.Name(), name)
			}
			in = append(in, c)
		}
		out := make([][]float64, len(t.Outputs()))
		for i := range out {
			out[i] = make([]float64, f.Rows())
		}
		if err := t.Apply(in, out); err != nil {
			return fmt.Errorf("transform %s: %w", t.Name(), err)
		}
		for i, name := range t.Outputs() {
			f.add(t.Name()+"."+name, out[i])
		}
	}
	return nil
}
