package boost

import (
	"livelab/pipeline/model"
)

// leaf is a node that may still be split.
type leaf struct {
	node  int
	rows  []int32 // positions among the training rows, ascending
	spare []int32 // as long, to move the rows to
	sums  histogram
	all   bin
	split split
}

// grower grows one tree after the other on the same training rows.
type grower struct {
	team     team
	rules    rules
	leaves   int
	rate     float64
	l2       float64
	edges    [][]float64
	packed   *packed
	gradient []int32 // of each training row

	codes    []int // that each of the tree's inputs has, the missing one included
	rows     [2][]int32
	counters []*counter
	pool     []histogram // free ones
	tried    [2][]split  // of each input, for two leaves
	parts    []part
}

// part is a worker's piece of a partition.
type part struct {
	left, right int // rows of the piece that go there
}

func newGrower(m Matrix, rows, inputs int, o Options) *grower {
	g := &grower{
		team: team(o.Workers), leaves: o.Leaves, rate: o.LearningRate, l2: o.L2, edges: m.Edges,
		rules:    rules{o.MinRows, float64(o.L2 * (1 << coarseHessianBits))},
		packed:   newPacked(rows, inputs),
		gradient: make([]int32, rows),
	}
	for i := range g.rows {
		g.rows[i] = make([]int32, rows)
		g.tried[i] = make([]split, inputs)
	}
	for range o.Workers {
		g.counters = append(g.counters, &counter{sums: make(histogram, inputs*bins)})
	}
	return g
}

// look has the trees from here on look at these inputs of the matrix.
func (g *grower) look(m Matrix, inputs []int, rows []int32) {
	g.packed.fill(m, inputs, rows, g.team)
	g.codes = g.codes[:0]
	for _, input := range inputs {
		g.codes = append(g.codes, len(m.Edges[input])+2)
	}
}

// grow grows a tree, always at the leaf where a split saves most. It gives the
// leaves with their rows; a tree of one leaf has nothing to say.
func (g *grower) grow() (*model.Tree, []*leaf) {
	for i := range g.rows[0] {
		g.rows[0][i] = int32(i)
	}
	tree := &model.Tree{}
	root := &leaf{node: addNode(tree, len(g.gradient)), rows: g.rows[0], spare: g.rows[1], sums: g.take()}
	g.count(root.rows)
	g.finishRoot(root)
	leaves := []*leaf{root}
	for len(leaves) < g.leaves {
		best := 0
		for i, l := range leaves {
			if l.split.gain > leaves[best].split.gain {
				best = i
			}
		}
		parent := leaves[best]
		if parent.split.gain == 0 {
			break
		}
		left, right := g.split(tree, parent)
		leaves[best] = left
		leaves = append(leaves, right)
	}
	for _, l := range leaves {
		g.pool = append(g.pool, l.sums)
		l.sums = nil
	}
	return tree, leaves
}

func addNode(t *model.Tree, rows int) int {
	t.Input = append(t.Input, model.Leaf)
	t.Edge = append(t.Edge, 0)
	t.MissingLeft = append(t.MissingLeft, 0)
	t.Left = append(t.Left, 0)
	t.Right = append(t.Right, 0)
	t.Value = append(t.Value, 0)
	t.Rows = append(t.Rows, rows)
	return len(t.Input) - 1
}

// split splits a leaf in two and finds their best splits. It counts the rows
// of the smaller one; those of the other are what is left of the leaf's.
func (g *grower) split(t *model.Tree, l *leaf) (left, right *leaf) {
	s := l.split
	g.partition(l)
	node := l.node
	t.Input[node], t.Edge[node] = g.packed.inputs[s.k], s.edge
	if s.missingLeft {
		t.MissingLeft[node] = 1
	}
	// The children lie where the rows were moved to.
	left = &leaf{node: addNode(t, s.left), rows: l.spare[:s.left], spare: l.rows[:s.left]}
	right = &leaf{node: addNode(t, len(l.rows)-s.left), rows: l.spare[s.left:], spare: l.rows[s.left:]}
	t.Left[node], t.Right[node] = left.node, right.node
	small, large := left, right
	if len(small.rows) > len(large.rows) {
		small, large = large, small
	}
	small.sums, large.sums = g.take(), l.sums
	g.count(small.rows)
	g.finish(small, large, l.all)
	return left, right
}

// take gives a histogram that is free.
func (g *grower) take() histogram {
	if n := len(g.pool); n > 0 {
		h := g.pool[n-1]
		g.pool = g.pool[:n-1]
		return h
	}
	return make(histogram, len(g.packed.room)*perWord*bins)
}

// count has the workers count the rows, each into sums of its own.
func (g *grower) count(rows []int32) {
	for _, c := range g.counters {
		c.used = false
	}
	g.team.eachRange(len(rows), chunkRows, func(worker, lo, hi int) {
		g.counters[worker].count(g.packed, g.codes, rows[lo:hi], g.gradient)
	})
}

// gather adds what the workers counted of the k-th input.
func (g *grower) gather(k int, sums []bin) {
	first := true
	for _, c := range g.counters {
		if !c.used {
			continue
		}
		part := c.sums.of(k)[:len(sums)]
		if first {
			copy(sums, part)
			first = false
			continue
		}
		for i, b := range part {
			sums[i] = sums[i].plus(b)
		}
	}
}

func (g *grower) finishRoot(root *leaf) {
	g.gather(0, root.sums.of(0)[:g.codes[0]])
	for _, b := range root.sums.of(0)[:g.codes[0]] {
		root.all = root.all.plus(b)
	}
	g.team.each(len(g.codes), func(_, k int) {
		sums := root.sums.of(k)[:g.codes[k]]
		g.gather(k, sums)
		g.tried[0][k] = g.rules.best(k, sums, root.all)
	})
	root.split = highest(g.tried[0][:len(g.codes)])
}

// finish turns what was counted of the smaller leaf, and the histogram of both,
// which the larger one holds, into the histograms and the best splits of each.
func (g *grower) finish(small, large *leaf, both bin) {
	small.all = bin{}
	first := small.sums.of(0)[:g.codes[0]]
	g.gather(0, first)
	for _, b := range first {
		small.all = small.all.plus(b)
	}
	large.all = both.minus(small.all)
	g.team.each(len(g.codes), func(_, k int) {
		s, l := small.sums.of(k)[:g.codes[k]], large.sums.of(k)[:g.codes[k]]
		g.gather(k, s)
		for i, b := range s {
			l[i] = l[i].minus(b)
		}
		g.tried[0][k] = g.rules.best(k, s, small.all)
		g.tried[1][k] = g.rules.best(k, l, large.all)
	})
	small.split = highest(g.tried[0][:len(g.codes)])
	large.split = highest(g.tried[1][:len(g.codes)])
}

// highest gives the split with the highest gain, the first of several.
func highest(splits []split) split {
	best := splits[0]
	for _, s := range splits[1:] {
		if s.gain > best.gain {
			best = s
		}
	}
	return best
}
