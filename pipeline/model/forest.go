package model

import "math"

// forest holds all nodes of the trees one after the other, each before its left
// child and that before the right one, so that a walk stays within a few lines
// of the cache.
type forest struct {
	nodes []node
	rows  []int32 // of each node

	roots  []int32
	points []uint8 // of each tree, how many the rule has that explains by it
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
	f := &forest{roots: make([]int32, len(t.Trees)), points: make([]uint8, len(t.Trees))}
	nodes := 0
	for _, tree := range t.Trees {
		nodes += len(tree.Input)
	}
	f.nodes, f.rows = make([]node, 0, nodes), make([]int32, 0, nodes)
	b := builder{forest: f, edges: t.Edges, above: make([]int, len(t.Edges))}
	for i := range t.Trees {
		f.roots[i] = int32(len(f.nodes))
		b.tree, b.most = &t.Trees[i], 1
		b.add(0, 0)
		f.points[i] = uint8((b.most + 1) / 2)
	}
	return f
}

// builder adds one tree after the other.
type builder struct {
	*forest
	tree  *Tree
	edges [][]float64
	above []int // of each input, how many nodes above look at it
	most  int   // inputs on one path
}

// add appends a node and all below it. On the path to it are so many inputs.
func (b *builder) add(n, inputs int) {
	at, in := len(b.nodes), b.tree.Input[n]
	b.rows = append(b.rows, int32(b.tree.Rows[n]))
	if in == Leaf {
		b.nodes = append(b.nodes, node{value: b.tree.Value[n], input: Leaf})
		b.most = max(b.most, inputs)
		return
	}
	b.nodes = append(b.nodes, node{value: b.edges[in][b.tree.Edge[n]], input: int16(in), missingLeft: b.tree.MissingLeft[n] == 1})
	if b.above[in] == 0 {
		inputs++
	}
	b.above[in]++
	b.add(b.tree.Left[n], inputs)
	b.nodes[at].right = int32(len(b.nodes))
	b.add(b.tree.Right[n], inputs)
	b.above[in]--
}

// sum adds what the trees say of a row to z, in their order.
func (f *forest) sum(z float64, x []float64) float64 {
	for _, at := range f.roots {
		n := &f.nodes[at]
		for n.input != Leaf {
			if n.left(x[n.input]) {
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

// left tells where a value goes.
func (n *node) left(x float64) bool { return x <= n.value || n.missingLeft && math.IsNaN(x) }
