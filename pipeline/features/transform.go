package features

import "fmt"

// Transform computes named columns from named columns, row by row and purely:
// what it makes of a row does not depend on the rows beside it. runtime/wasm
// implements it. Implementations are safe for concurrent use.
type Transform interface {
	// Spec says what it is. The caller must not change its slices.
	Spec() TransformSpec

	// Code is the module that computes it, which a version carries. The caller
	// must not change it.
	Code() []byte

	// Apply fills out from in. in has one column for each input and out one
	// for each output, all of the same length; missing is NaN. The error is a
	// *RowError where a row is refused that may not be taken for missing.
	Apply(in, out [][]float64) error

	// ApplyRow does the same for a single row: in has a value for each input
	// and out for each output. It does not allocate where it succeeds.
	ApplyRow(in, out []float64) error
}

// TransformSpec is what a model pins of a transform: enough to tell whether
// another machine computes the very same.
type TransformSpec struct {
	Name    string   `json:"name"`
	Version string   `json:"version"` // the author's own, e.g. "1.0.0"
	Digest  string   `json:"digest"`  // lower-case hex SHA-256 of Code
	ABI     int      `json:"abi"`     // version of the contract
	Budget  Budget   `json:"budget"`
	Golden  string   `json:"golden"` // lower-case hex SHA-256 of its answers to the golden rows
	Inputs  []string `json:"inputs"`
	Outputs []string `json:"outputs"`
}

// Budget is what a transform may use. Another one would have rows fail that
// did not, so a model pins it.
type Budget struct {
	Call  int64  `json:"call"`  // fuel of a call, in the host's units
	Row   int64  `json:"row"`   // fuel on top for each row of a call
	Pages uint32 `json:"pages"` // of 64 KiB, to which memory may grow
}

// RowError says that a transform refused a row or failed on it: a matter of
// the row's values and not of the program.
type RowError struct {
	Transform string
	Row       int // of those that Apply was given, from 0
	Reason    string
}

func (e *RowError) Error() string {
	return fmt.Sprintf("row %d: %s", e.Row, e.Reason)
}

// ApplyTransforms appends to the frame a column `name.output` for each output
// of each transform. A transform reads columns of the catalogue and outputs of
// the transforms before it.
func ApplyTransforms(f *Frame, ts []Transform) error {
	for _, t := range ts {
		spec := t.Spec()
		in := make([][]float64, 0, len(spec.Inputs))
		for _, name := range spec.Inputs {
			c := f.Column(name)
			if c == nil {
				return fmt.Errorf("transform %s reads the column %q, which there is none of", spec.Name, name)
			}
			in = append(in, c)
		}
		out := make([][]float64, len(spec.Outputs))
		for i := range out {
			out[i] = make([]float64, f.Rows())
		}
		if err := t.Apply(in, out); err != nil {
			return fmt.Errorf("transform %s: %w", spec.Name, err)
		}
		for i, name := range spec.Outputs {
			f.add(spec.Name+"."+name, out[i])
		}
	}
	return nil
}
