package model

import "math"

// forest holds all nodes of the trees one after the other, each before its left
// child and that before the right one, so that a walk stays within a few lines
// of the cache.
type forest struct {
	nodes []node
	roots []int32
}

// node of a forest.
type node struct {
	value float64 // the edge, or what the leaf adds
	right int32   // the left child is the next node
	input int16   // or Leaf
	// missingLeft says where a missing value goes.
	missingLeft bool
}

// forest is made once, when the trees are first asked.
func (t *Trees) forest() *forest {
	if f := t.made.Load(); f != nil {
		return f
	}
	f := newForest(t)
	t.made.Store(f) // another one that was made meanwhile is the same
	return f
}

func newForest(t *Trees) *forest {
	f := &forest{roots: make([]int32, len(t.Trees))}
	nodes := 0
	for _, tree := range t.Trees {
		nodes += len(tree.Input)
	}
	f.nodes = make([]node, 0, nodes)
	for i := range t.Trees {
		f.roots[i] = int32(len(f.nodes))
		f.add(t, &t.Trees[i], 0)
	}
	return f
}

// add appends a node of a tree and all below it.
func (f *forest) add(t *Trees, tree *Tree, n int) {
	at, in := len(f.nodes), tree.Input[n]
	if in == Leaf {
		f.nodes = append(f.nodes, node{value: tree.Value[n], input: Leaf})
		return
	}
	f.nodes = append(f.nodes, node{value: t.Edges[in][tree.Edge[n]], input: int16(in), missingLeft: tree.MissingLeft[n] == 1})
	f.add(t, tree, tree.Left[n])
	f.nodes[at].right = int32(len(f.nodes))
	f.add(t, tree, tree.Right[n])
}

// sum adds what the trees say of a row to z, in their order.
func (f *forest) sum(z float64, x []float64) float64 {
	for _, at := range f.roots {
		n := &f.nodes[at]
		for n.input != Leaf {
			v := x[n.input]
			if v <= n.value || n.missingLeft && math.IsNaN(v) {
				at++
			} else {
				at = n.right
			}
			n = &f.nodes[at]
		}
		z += n.value
	}
	return z
}
