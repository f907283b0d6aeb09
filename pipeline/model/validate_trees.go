package model

import (
	"errors"
	"fmt"
	"math"
)

// What a model of trees may hold. They bound the time and the memory that a
// file can ask for, and are far from what a training makes.
const (
	// MostDepth is how many nodes may be above a leaf.
	MostDepth = 64

	// MostInputs, MostTrees and MostNodes are of the whole model.
	MostInputs = math.MaxInt16
	MostTrees  = 10_000
	MostNodes  = 1 << 20

	// MostEdges are of one input.
	MostEdges = math.MaxUint16

	// mostValue bounds what a leaf adds, so that no sum overflows.
	mostValue = 1e9

	// mostRows is what an int of any machine holds.
	mostRows = math.MaxInt32

	// mostWork bounds the steps of an explanation: leaves times the square of
	// their depth, summed.
	mostWork = 1 << 26
)

// validateFamily checks what the families do not share.
func (m *Model) validateFamily() error {
	switch {
	case m.Family == FamilyLogistic && m.Trees == nil:
		return nil
	case m.Family == FamilyLogistic:
		return errors.New("it has trees, but is not of the family of trees")
	case m.Family != FamilyTrees:
		return fmt.Errorf("family is %q, must be trees or left out: use the program that trained it", m.Family)
	case m.Trees == nil:
		return errors.New("family is trees, but there are none")
	}
	for _, in := range m.Inputs {
		if in.Weight != 0 {
			return fmt.Errorf("input %s has weight %v, must be 0 for trees", in.Name, in.Weight)
		}
	}
	return m.Trees.validate(len(m.Inputs))
}

// validate checks trees of so many inputs.
func (t *Trees) validate(inputs int) error {
	if inputs > MostInputs || len(t.Trees) > MostTrees {
		return fmt.Errorf("%d inputs and %d trees, may be at most %d and %d", inputs, len(t.Trees), MostInputs, MostTrees)
	}
	if len(t.Edges) != inputs {
		return fmt.Errorf("edges of %d inputs, must be of %d", len(t.Edges), inputs)
	}
	for i, edges := range t.Edges {
		if err := ascending(edges); err != nil {
			return fmt.Errorf("edges of input %d: %w", i, err)
		}
	}
	left, work := MostNodes, mostWork
	for i := range t.Trees {
		tree := &t.Trees[i]
		if left -= len(tree.Input); left < 0 {
			return fmt.Errorf("the trees have more than %d nodes", MostNodes)
		}
		spent, err := tree.validate(t.Edges)
		if err != nil {
			return fmt.Errorf("tree %d: %w", i, err)
		}
		if work -= spent; work < 0 {
			return errors.New("the trees are too deep to be explained in time")
		}
	}
	return nil
}

func ascending(edges []float64) error {
	if len(edges) > MostEdges {
		return fmt.Errorf("%d, may be at most %d", len(edges), MostEdges)
	}
	for i, e := range edges {
		if !finite(e) || i > 0 && !(edges[i-1] < e) {
			return fmt.Errorf("edge %d is %v, must be finite and more than the one before", i, e)
		}
	}
	return nil
}

// validate checks one tree and gives the work of explaining by it.
func (t *Tree) validate(edges [][]float64) (work int, err error) {
	n := len(t.Input)
	if n == 0 {
		return 0, errors.New("it has no nodes")
	}
	for _, column := range [][]int{t.Edge, t.MissingLeft, t.Left, t.Right, t.Rows} {
		if len(column) != n {
			return 0, fmt.Errorf("a column has %d values for %d nodes", len(column), n)
		}
	}
	if len(t.Value) != n {
		return 0, fmt.Errorf("%d values for %d nodes", len(t.Value), n)
	}
	depth := make([]int, n) // of each node that a parent before it has named, the root's is 1
	depth[0] = 1
	for i := range n {
		if depth[i] == 0 {
			return 0, fmt.Errorf("node %d is no child of one before it", i)
		}
		if err := t.validateNode(i, depth, edges); err != nil {
			return 0, fmt.Errorf("node %d: %w", i, err)
		}
		if t.Input[i] == Leaf {
			work += depth[i] * depth[i]
		}
	}
	return work, nil
}

// validateNode checks a node and gives its children their depth.
func (t *Tree) validateNode(i int, depth []int, edges [][]float64) error {
	in, left, right := t.Input[i], t.Left[i], t.Right[i]
	switch {
	case t.Rows[i] < 1 || t.Rows[i] > mostRows:
		return fmt.Errorf("%d rows, must be from 1 to %d", t.Rows[i], mostRows)
	case in == Leaf:
		return t.validateLeaf(i)
	case in < 0 || in >= len(edges):
		return fmt.Errorf("input %d of %d", in, len(edges))
	case t.Edge[i] < 0 || t.Edge[i] >= len(edges[in]):
		return fmt.Errorf("edge %d of %d", t.Edge[i], len(edges[in]))
	case t.MissingLeft[i] != 0 && t.MissingLeft[i] != 1:
		return fmt.Errorf("missing_left is %d, must be 0 or 1", t.MissingLeft[i])
	case t.Value[i] != 0 || math.Signbit(t.Value[i]):
		return fmt.Errorf("value is %v, must be 0 where there are children", t.Value[i])
	case depth[i] > MostDepth:
		return fmt.Errorf("more than %d nodes are above its children", MostDepth)
	}
	for _, child := range []int{left, right} {
		if child <= i || child >= len(depth) {
			return fmt.Errorf("child %d, must be after it and before %d", child, len(depth))
		}
		if depth[child] != 0 {
			return fmt.Errorf("child %d has a parent already", child)
		}
		depth[child] = depth[i] + 1
	}
	if t.Rows[left] > mostRows || t.Rows[right] > mostRows || t.Rows[left]+t.Rows[right] != t.Rows[i] {
		return fmt.Errorf("%d rows, its children have %d and %d", t.Rows[i], t.Rows[left], t.Rows[right])
	}
	return nil
}

func (t *Tree) validateLeaf(i int) error {
	if t.Edge[i] != 0 || t.MissingLeft[i] != 0 || t.Left[i] != 0 || t.Right[i] != 0 {
		return errors.New("edge, missing_left, left and right must be 0 for a leaf")
	}
	if !(math.Abs(t.Value[i]) <= mostValue) {
		return fmt.Errorf("value is %v, must be finite and at most %v either way", t.Value[i], mostValue)
	}
	return nil
}
