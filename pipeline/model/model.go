// Package model is the bundle that a training leaves behind: a logistic model
// or a sum of trees, with everything that serving needs to build its inputs and
// to answer as the training measured it. It predicts, explains, encodes and
// verifies, and uses the standard library alone.
package model

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"

	"livelab/pipeline/detmath"
	"livelab/pipeline/features"
)

// Format is the version of model.json that this program reads and writes.
const Format = 1

// Family says of what kind a model is.
type Family string

// The families. A model file leaves the logistic one out.
const (
	FamilyLogistic Family = ""
	FamilyTrees    Family = "trees"
)

// String names the family: logistic or trees.
func (f Family) String() string {
	if f == FamilyLogistic {
		return "logistic"
	}
	return string(f)
}

// Kind says in a few words what the model is.
func (m *Model) Kind() string {
	if m.Family != FamilyTrees {
		return fmt.Sprintf("logistic regression on %d inputs", len(m.Inputs))
	}
	leaves := 0
	for _, t := range m.Trees.Trees {
		leaves += (len(t.Input) + 1) / 2
	}
	return fmt.Sprintf("%d gradient-boosted trees with %d leaves on %d inputs", len(m.Trees.Trees), leaves, len(m.Inputs))
}

// Model is calibrated: a logistic regression on standardised inputs, for which
// the log odds of a shortage are
//
//	Intercept + Σ Weight_i · (x_i − Mean_i) / Scale_i
//
// or gradient-boosted trees, for which they are the intercept and one leaf of
// each tree, added in the trees' order.
//
// A Model does not change once made and is safe for concurrent use.
type Model struct {
	Format int           `json:"format"`
	Name   string        `json:"name"`
	Task   features.Task `json:"task"`

	// Inputs in the order of the vectors that Predict takes.
	Inputs    []Input `json:"inputs"`
	Intercept float64 `json:"intercept"`

	// Family is empty for a logistic regression.
	Family Family `json:"family,omitempty"`

	// Trees is there where Family is FamilyTrees. The weights are 0 then.
	Trees *Trees `json:"trees,omitempty"`

	// Threshold is the least probability that is called a shortage.
	Threshold float64 `json:"threshold"`

	// Defaults stand in for columns that a row does not give and that inputs
	// are derived from: the threshold, as it was last.
	Defaults map[string]float64 `json:"defaults,omitempty"`

	// Calibration is how the fitted log odds became the ones above. It is
	// already in the weights, or the leaves, and the intercept.
	Calibration Calibration `json:"calibration"`

	// Transforms compute inputs, in the order in which they are applied.
	Transforms []features.TransformSpec `json:"transforms,omitempty"`

	// Dataset is the digest of the data that the model was trained on, and
	// Training the configuration that it was trained with.
	Dataset  string          `json:"dataset"`
	Training json.RawMessage `json:"training"`
}

// Input is one column that the model reads.
type Input struct {
	Name string `json:"name"`

	// Mean replaces a value that is still missing once columns have stood in
	// for others, see Predictor.Vector; trees have a way of their own for it.
	// Scale, the standard deviation, is positive. Both are of the training
	// rows.
	Mean  float64 `json:"mean"`
	Scale float64 `json:"scale"`

	// Weight is the change of the log odds for one Scale; 0 in trees.
	Weight float64 `json:"weight"`

	// Optional inputs may be left out by a client.
	Optional bool `json:"optional,omitempty"`
}

// Calibration maps fitted log odds z to Slope·z + Offset (Platt, 1999).
type Calibration struct {
	Slope  float64 `json:"slope"`
	Offset float64 `json:"offset"`
}

// LogOdds of a shortage. x holds a value for each input, in order; NaN is
// missing. It does not allocate, and panics on a wrong length.
func (m *Model) LogOdds(x []float64) float64 {
	if len(x) != len(m.Inputs) {
		panic(fmt.Sprintf("model: %d values for %d inputs", len(x), len(m.Inputs)))
	}
	if m.Family == FamilyTrees {
		return m.Trees.forest().sum(m.Intercept, x)
	}
	z := m.Intercept
	for i := range m.Inputs {
		z += m.Inputs[i].contribution(x[i])
	}
	return z
}

// LogOddsOf does for rows what LogOdds does for one, to the same bits and faster
// than row by row: columns has one for each input, in order, and z is filled in
// with a value for each row. It panics on wrong lengths.
func (m *Model) LogOddsOf(z []float64, columns [][]float64) {
	if len(columns) != len(m.Inputs) {
		panic(fmt.Sprintf("model: %d columns for %d inputs", len(columns), len(m.Inputs)))
	}
	for r := range z {
		z[r] = m.Intercept
	}
	if m.Family == FamilyTrees {
		m.Trees.forest().sums(z, columns)
		return
	}
	for i := range m.Inputs {
		for r, x := range columns[i][:len(z)] {
			z[r] += m.Inputs[i].contribution(x)
		}
	}
}

// Probability of a shortage; see LogOdds for x.
func (m *Model) Probability(x []float64) float64 { return detmath.Sigmoid(m.LogOdds(x)) }

// Positive is the decision for a probability.
func (m *Model) Positive(probability float64) bool { return probability >= m.Threshold }

func (in *Input) contribution(x float64) float64 {
	if math.IsNaN(x) {
		return 0 // the mean contributes nothing
	}
	return float64(in.Weight * ((x - in.Mean) / in.Scale))
}

// learned tells of each input whether it can change an answer.
func (m *Model) learned() []bool {
	if m.Family == FamilyTrees {
		return m.Trees.reads(len(m.Inputs))
	}
	learned := make([]bool, len(m.Inputs))
	for i, in := range m.Inputs {
		learned[i] = in.Weight != 0
	}
	return learned
}

// Digest is the lower-case hex SHA-256 of model.json. The transforms' digests
// are in it, so it stands for everything that decides an answer.
func Digest(modelJSON []byte) string {
	sum := sha256.Sum256(modelJSON)
	return hex.EncodeToString(sum[:])
}
