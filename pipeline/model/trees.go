package model

import (
	"math"
	"sync/atomic"
)

// Leaf is the input of a node that has no children.
const Leaf = -1

// Trees is a sum of decision trees: what the model adds to the intercept where
// its family is trees. Trees do not change once a model has answered by them;
// see Scaled for others.
type Trees struct {
	// Edges are the values that nodes compare with: of each input of the
	// model, ascending and finite.
	Edges [][]float64 `json:"edges"`
	Trees []Tree      `json:"trees"`

	made atomic.Pointer[forest] // see forest
}

// Tree has a value in each column for each of its nodes. Node 0 is the root,
// and children come after their parents. Edge, MissingLeft, Left and Right are
// 0 for a leaf.
type Tree struct {
	// Input that the node looks at, or Leaf. A value x of it goes left where
	// x <= Edges[Input][Edge], else right; a missing one goes left where
	// MissingLeft is 1.
	Input       []int `json:"input"`
	Edge        []int `json:"edge"`
	MissingLeft []int `json:"missing_left"`
	Left        []int `json:"left"`
	Right       []int `json:"right"`

	// Value is what a leaf adds to the log odds, 0 for the other nodes.
	Value []float64 `json:"value"`

	// Rows of the training that came by.
	Rows []int `json:"rows"`
}

// Scaled gives trees that add factor times as much to the log odds, as a
// calibration's slope asks for. It shares all but the values with t.
func (t *Trees) Scaled(factor float64) *Trees {
	scaled := &Trees{Edges: t.Edges, Trees: make([]Tree, len(t.Trees))}
	for i, tree := range t.Trees {
		values := make([]float64, len(tree.Value))
		for n, v := range tree.Value {
			values[n] = factor * v
		}
		tree.Value = values
		scaled.Trees[i] = tree
	}
	return scaled
}

// sum walks the trees as they are defined: what LogOdds is held against.
func (t *Trees) sum(z float64, x []float64) float64 {
	for i := range t.Trees {
		tree := &t.Trees[i]
		n := 0
		for tree.Input[n] != Leaf {
			n = tree.next(n, t.Edges, x[tree.Input[n]])
		}
		z += tree.Value[n]
	}
	return z
}

// next is the child of a node that a value goes to.
func (t *Tree) next(node int, edges [][]float64, x float64) int {
	left := x <= edges[t.Input[node]][t.Edge[node]]
	if math.IsNaN(x) {
		left = t.MissingLeft[node] == 1
	}
	if left {
		return t.Left[node]
	}
	return t.Right[node]
}

// reads marks the inputs that any node looks at.
func (t *Trees) reads(inputs int) []bool {
	read := make([]bool, inputs)
	for _, tree := range t.Trees {
		for _, in := range tree.Input {
			if in != Leaf {
				read[in] = true
			}
		}
	}
	return read
}
