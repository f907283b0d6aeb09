// Package featurestest makes transforms for the tests of the rooms that use
// them: in plain Go, where no WebAssembly is needed, and one that is built.
package featurestest

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"

	"livelab/pipeline/features"
)

// Native is a transform whose Row is a Go function. It keeps no state.
type Native struct {
	Pin features.TransformSpec
	Row func(in, out []float64) error

	code string
}

var _ features.Transform = Native{}

// New makes a transform. All of its pin follows from its arguments.
func New(name string, inputs, outputs []string, row func(in, out []float64) error) Native {
	n := Native{Row: row, code: "code of " + name}
	n.Pin = features.TransformSpec{
		Name: name, Version: "1.0.0", Digest: Digest(n.code), ABI: 1,
		Budget: features.Budget{Call: 1000, Row: 10, Pages: 16}, Golden: Digest("answers of " + name),
		Inputs: inputs, Outputs: outputs,
	}
	return n
}

// As gives the same transform another name; its code stays.
func (n Native) As(name string) Native {
	n.Pin.Name = name
	return n
}

// Digest is the lower-case hex SHA-256 of a text.
func Digest(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// Spec gives the pin.
func (n Native) Spec() features.TransformSpec { return n.Pin }

// Code gives the text that the digest is of.
func (n Native) Code() []byte { return []byte(n.code) }

// Apply computes row by row.
func (n Native) Apply(in, out [][]float64) error {
	x, y := make([]float64, len(in)), make([]float64, len(out))
	for r := range out[0] {
		for i := range in {
			x[i] = in[i][r]
		}
		if err := n.ApplyRow(x, y); err != nil {
			if refused := new(features.RowError); errors.As(err, &refused) {
				refused.Row = r
			}
			return err
		}
		for i := range out {
			out[i][r] = y[i]
		}
	}
	return nil
}

// ApplyRow computes one row.
func (n Native) ApplyRow(in, out []float64) error { return n.Row(in, out) }

// Refuse is the error of a row that a transform may not take for missing.
func Refuse(transform, reason string) error {
	return &features.RowError{Transform: transform, Reason: reason}
}
