package model

import "math"

// forest holds all nodes of the trees one after the other, each before its left
// child and that before the right one, so that a walk stays within a few lines
// of the cache.
type forest struct {
	nodes []node
	rows  []int32  // of each node
	cuts  []uint16 // of each node, the number of its edge
	most  int      // nodes of one tree
	edges [][]float64

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
	f := &forest{edges: t.Edges, roots: make([]int32, len(t.Trees)), points: make([]uint8, len(t.Trees))}
	nodes := 0
	for _, tree := range t.Trees {
		nodes += len(tree.Input)
		f.most = max(f.most, len(tree.Input))
	}
	f.nodes, f.rows, f.cuts = make([]node, 0, nodes), make([]int32, 0, nodes), make([]uint16, 0, nodes)
	b := builder{forest: f, above: make([]int, len(t.Edges))}
	for i := range t.Trees {
		f.roots[i] = int32(len(f.nodes))
		b.tree, b.path = &t.Trees[i], 1
		b.add(0, 0)
		f.points[i] = uint8((b.path + 1) / 2)
	}
	return f
}

// builder adds one tree after the other.
type builder struct {
	*forest
	tree  *Tree
	above []int // of each input, how many nodes above look at it
	path  int   // most inputs on one
}

// add appends a node and all below it. On the path to it are so many inputs.
func (b *builder) add(n, inputs int) {
	at, in := len(b.nodes), b.tree.Input[n]
	b.rows, b.cuts = append(b.rows, int32(b.tree.Rows[n])), append(b.cuts, uint16(b.tree.Edge[n]))
	if in == Leaf {
		b.nodes = append(b.nodes, node{value: b.tree.Value[n], input: Leaf})
		b.path = max(b.path, inputs)
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
	for _, root := range f.roots {
		z += f.leaf(root, x)
	}
	return z
}

// leaf gives the value of the leaf that a row comes to. Which way a value goes
// is as good as random to the processor, so it is chosen without a branch.
func (f *forest) leaf(at int32, x []float64) float64 {
	n := &f.nodes[at]
	for n.input != Leaf {
		v := x[n.input]
		if math.IsNaN(v) {
			v = n.missing()
		}
		next := n.right
		at++
		if v <= n.value {
			next = at
		}
		at = next
		n = &f.nodes[at]
	}
	return n.value
}

// missing is a value that goes where a missing one does.
func (n *node) missing() float64 {
	if n.missingLeft {
		return math.Inf(-1)
	}
	return math.Inf(1)
}

// left tells where a value goes.
func (n *node) left(x float64) bool { return x <= n.value || n.missingLeft && math.IsNaN(x) }
