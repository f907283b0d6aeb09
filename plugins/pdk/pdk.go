// Package pdk is the Go kit for authors of transforms: it carries the contract
// of package abi, so that a transform is a description and a function.
//
//	package main
//
//	import "livelab/plugins/pdk"
//
//	func init() {
//		pdk.Register(pdk.Transform{
//			Name:    "share",
//			Version: "1.0.0",
//			Inputs:  []string{"free_bikes", "empty_slots"},
//			Outputs: []pdk.Output{{Name: "share", Min: 0, Max: 1}},
//			Row: func(in, out []float64) error {
//				out[0] = in[0] / (in[0] + in[1])
//				return nil
//			},
//		})
//	}
//
//	func main() {}
//
// Built for GOOS=wasip1 GOARCH=wasm with -buildmode=c-shared it is a module
// that LiveLab takes. Elsewhere it compiles too, so that a test of the author
// can call Transform.Try. The package uses nothing that would make a module
// large or have it import more of WASI than the runtime does.
package pdk

import "math"

// Transform computes named columns from named columns, row by row. What a row
// gives must depend on that row's inputs alone: the host hands rows over in
// any number and order.
type Transform struct {
	Name    string   // a letter, then letters, digits, _ and -
	Version string   // the author's own, such as 1.0.0
	Doc     string   // one line
	Inputs  []string // columns of the host, or transform.output
	Outputs []Output

	// Row computes out, one value an output, from in, one value an input. A
	// missing value is NaN, and out is all NaN to begin with, so that returning
	// early leaves a row missing. Both slices are used again for the next row.
	// An error, or a panic, fails the row.
	Row func(in, out []float64) error

	// Columns may be set in place of Row, for a loop of the author's own: in
	// has a column for each input and out one for each output, all of the same
	// length. What out holds to begin with is undefined.
	Columns func(in, out [][]float64) error
}

// Output is a column that a transform gives.
type Output struct {
	Name string
	Doc  string // one line

	// Min and Max bound the values, both included; a value outside fails its
	// row. Both zero bound nothing, and an infinity leaves its side open.
	Min, Max float64
}

// registered is the module's transform.
var registered *Transform

// Register makes t the module's transform. It is called once, from an init
// function, and panics where t cannot be a transform.
func Register(t Transform) {
	switch {
	case registered != nil:
		panic("pdk: " + t.Name + " is registered after " + registered.Name + ": a module is one transform")
	case (t.Row == nil) == (t.Columns == nil):
		panic("pdk: " + t.Name + " sets both or neither of Row and Columns: set one")
	}
	registered = &t
}

// Missing reports whether x is a missing value.
func Missing(x float64) bool { return x != x }

// None is the missing value.
func None() float64 { return math.NaN() }
