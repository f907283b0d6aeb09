package boost

import (
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"livelab/pipeline/detmath"
	"livelab/pipeline/model"
	"livelab/pipeline/train/traintest"
)

// oracle fits trees the slow way: it tries each split by looking at the values
// of all rows of a node, without histograms, codes or subtraction.
type oracle struct {
	x     [][]float64 // of the training rows
	edges [][]float64
	y     []bool
	opts  Options

	z        []float64
	gradient []int64 // in units of 2^-30
}

type oracleLeaf struct {
	node int
	rows []int
	oracleSplit
}

type oracleSplit struct {
	gain        float64
	input, edge int
	missingLeft bool
}

func (o *oracle) fit(columns func(round int) []int) *model.Trees {
	positives := 0
	for _, y := range o.y {
		if y {
			positives++
		}
	}
	o.z = make([]float64, len(o.y))
	o.gradient = make([]int64, len(o.y))
	for i := range o.z {
		o.z[i] = detmath.Log(float64(positives) / float64(len(o.y)-positives))
	}
	trees := &model.Trees{Edges: o.edges}
	for round := range o.opts.Trees {
		for i, z := range o.z {
			if o.y[i] {
				o.gradient[i] = -int64(float64(oracleProbability(-z)*(1<<30)) + 0.5)
			} else {
				o.gradient[i] = int64(float64(oracleProbability(z)*(1<<30)) + 0.5)
			}
		}
		if tree := o.tree(columns(round)); len(tree.Input) > 1 {
			trees.Trees = append(trees.Trees, *tree)
		}
	}
	return trees
}

func oracleProbability(z float64) float64 {
	if z >= 0 {
		return 1 / (1 + detmath.Exp(-z))
	}
	e := detmath.Exp(z)
	return float64(e * (1 / (1 + e)))
}

func (o *oracle) tree(columns []int) *model.Tree {
	t := &model.Tree{}
	leaves := []oracleLeaf{o.leaf(t, seq(len(o.y)), columns)}
	for len(leaves) < o.opts.Leaves {
		best := 0
		for i, l := range leaves {
			if l.gain > leaves[best].gain {
				best = i
			}
		}
		l := leaves[best]
		if l.gain == 0 {
			break
		}
		left, right := o.part(l.rows, l.oracleSplit)
		t.Input[l.node], t.Edge[l.node] = l.input, l.edge
		if l.missingLeft {
			t.MissingLeft[l.node] = 1
		}
		leaves[best] = o.leaf(t, left, columns)
		leaves = append(leaves, o.leaf(t, right, columns))
		t.Left[l.node], t.Right[l.node] = leaves[best].node, leaves[len(leaves)-1].node
	}
	for _, l := range leaves {
		if len(leaves) == 1 {
			break
		}
		var g, h int64
		for _, r := range l.rows {
			g += o.gradient[r]
			h += oracleHessian(o.gradient[r])
		}
		v := -float64(o.opts.LearningRate*float64(g)) / (float64(h) + float64(o.opts.L2*(1<<30)))
		t.Value[l.node] = v
		for _, r := range l.rows {
			o.z[r] += v
		}
	}
	return t
}

func oracleHessian(g int64) int64 {
	a := max(g, -g)
	return (a*(1<<30-a) + 1<<29) / (1 << 30)
}

func (o *oracle) leaf(t *model.Tree, rows []int, columns []int) oracleLeaf {
	l := oracleLeaf{node: addNode(t, len(rows)), rows: rows}
	whole := o.score(rows)
	for _, input := range columns {
		for edge := range o.edges[input] {
			for _, missingLeft := range []bool{false, true} {
				s := oracleSplit{input: input, edge: edge, missingLeft: missingLeft}
				left, right := o.part(rows, s)
				if !o.allow(left) || !o.allow(right) {
					continue
				}
				// 2^16 units of the score are one of the loss.
				if s.gain = o.score(left) + o.score(right) - whole; s.gain > max(l.gain, 1e-6*65536) {
					l.oracleSplit = s
				}
			}
		}
	}
	if l.gain > 0 && !slices.ContainsFunc(rows, func(r int) bool { return math.IsNaN(o.x[l.input][r]) }) {
		left, right := o.part(rows, l.oracleSplit)
		l.missingLeft = len(left) >= len(right)
	}
	return l
}

func (o *oracle) part(rows []int, s oracleSplit) (left, right []int) {
	for _, r := range rows {
		x := o.x[s.input][r]
		if x <= o.edges[s.input][s.edge] || math.IsNaN(x) && s.missingLeft {
			left = append(left, r)
		} else {
			right = append(right, r)
		}
	}
	return left, right
}

// sums are in units of 2^-15 and 2^-14.
func (o *oracle) sums(rows []int) (g, h float64) {
	for _, r := range rows {
		g += math.Floor(float64(o.gradient[r])/(1<<15) + 0.5)
		h += math.Floor(float64(oracleHessian(o.gradient[r]))/(1<<16) + 0.5)
	}
	return g, h
}

func (o *oracle) score(rows []int) float64 {
	g, h := o.sums(rows)
	return float64(g*g) / (h + float64(o.opts.L2*(1<<14)))
}

func (o *oracle) allow(rows []int) bool {
	_, h := o.sums(rows)
	return len(rows) >= o.opts.MinRows && h >= 16
}

func seq(n int) []int {
	s := make([]int, n)
	for i := range s {
		s[i] = i
	}
	return s
}

func rowsOf(lo, hi int) []int32 {
	rows := make([]int32, 0, hi-lo)
	for i := lo; i < hi; i++ {
		rows = append(rows, int32(i))
	}
	return rows
}

// coded gives the matrix of columns, with at most `most` edges.
func coded(x [][]float64, most int) Matrix {
	var m Matrix
	for _, values := range x {
		edges := NewEdges(values, most)
		codes := make([]uint8, len(values))
		for i, v := range values {
			codes[i] = Code(edges, v)
		}
		m.Codes, m.Edges = append(m.Codes, codes), append(m.Edges, edges)
	}
	return m
}

func TestFitIsAsTheSlowWay(t *testing.T) {
	t.Parallel()
	nan := math.NaN()
	for _, c := range []struct {
		name             string
		rows, cols, most int
		opts             Options
		change           func(x [][]float64, y []bool)
	}{
		{name: "plain", rows: 400, cols: 6, most: 20},
		{name: "more inputs than fit into two words", rows: 200, cols: 19, most: 8},
		{name: "one input more than fits into a word", rows: 200, cols: 9, most: 8},
		{name: "two inputs more than fit into a word", rows: 200, cols: 10, most: 8},
		{name: "some of the columns, some of which say nothing", rows: 300, cols: 10, most: 10, opts: Options{Columns: 0.2, Trees: 12}, change: func(x [][]float64, _ []bool) {
			for i := range x[0] {
				x[0][i], x[3][i], x[4][i], x[7][i] = 1, 2, 3, nan
			}
		}},
		{name: "no penalty, rows alone in leaves", rows: 150, cols: 6, most: 254, opts: Options{MinRows: 1, L2: 1e-9, Leaves: 40, Trees: 12}},
		{name: "more rows than are counted at a time", rows: 2*partRows + 500, cols: 6, most: 5, opts: Options{Leaves: 5, Trees: 3}},
		{name: "some of the columns", rows: 300, cols: 10, most: 10, opts: Options{Columns: 0.3, Seed: 7}},
		{name: "rows twice", rows: 300, cols: 6, most: 20, change: func(x [][]float64, y []bool) {
			for i := range y[:150] {
				y[150+i] = y[i]
				for j := range x {
					x[j][150+i] = x[j][i]
				}
			}
		}},
		{name: "columns twice", rows: 300, cols: 6, most: 20, change: func(x [][]float64, _ []bool) { copy(x[3], x[0]) }},
		{name: "columns that say nothing", rows: 300, cols: 7, most: 20, change: func(x [][]float64, _ []bool) {
			for i := range x[0] {
				x[0][i], x[6][i] = 3, nan
			}
		}},
		{name: "what is missing tells", rows: 300, cols: 6, most: 20, change: func(x [][]float64, y []bool) {
			for i := range y {
				x[1][i] = 5
				if y[i] != (i%9 == 0) {
					x[1][i] = nan
				}
			}
		}},
		{name: "infinite values", rows: 300, cols: 6, most: 20, change: func(x [][]float64, _ []bool) {
			for i := range x[2] {
				x[2][i] = []float64{math.Inf(-1), x[2][i], math.Inf(1)}[i%3]
			}
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			x, y := traintest.Curved(c.cols).Matrix(c.rows)
			if c.change != nil {
				c.change(x, y)
			}
			o := c.opts
			o.Trees, o.Leaves, o.MinRows = or(o.Trees, 5), or(o.Leaves, 8), or(o.MinRows, 5)
			o = o.WithDefaults()
			m := coded(x, c.most)
			got, err := Fit(t.Context(), m, y, rowsOf(0, c.rows), nil, o)
			if err != nil {
				t.Fatal(err)
			}
			slow := oracle{x: x, edges: m.Edges, y: y, opts: o}
			want := slow.fit(func(round int) []int { return (&fit{m: m, opts: o}).draw(round) })
			if len(want.Trees) == 0 {
				t.Fatal("the slow way found nothing to split")
			}
			compareTrees(t, got.Trees, want)
			// What codes and what values come to is the same, to the bit.
			z := make([]float64, c.rows)
			got.LogOdds(z, m, rowsOf(0, c.rows))
			if !slices.Equal(z, slow.z) {
				t.Error("log odds of codes differ from those of values")
			}
		})
	}
}

func or(v, otherwise int) int {
	if v == 0 {
		return otherwise
	}
	return v
}

func compareTrees(t *testing.T, got, want *model.Trees) {
	t.Helper()
	if len(got.Trees) != len(want.Trees) {
		t.Fatalf("%d trees, want %d", len(got.Trees), len(want.Trees))
	}
	for i := range want.Trees {
		if !reflect.DeepEqual(got.Trees[i], want.Trees[i]) {
			t.Fatalf("tree %d is\n%+v, want\n%+v", i, got.Trees[i], want.Trees[i])
		}
	}
}

// TestWordsHoldAChunk sums up the rows with the highest and the lowest
// derivatives, as many as are counted at a time.
func TestWordsHoldAChunk(t *testing.T) {
	t.Parallel()
	for _, g := range []int32{gradientOne, -gradientOne, gradientOne / 2, -gradientOne / 2, 0, 1, -1} {
		var w uint64
		var want bin
		for range chunkRows {
			w += word(g)
			want = want.plus(binOf(word(g)))
		}
		if got := binOf(w); got != want || got.rows() != chunkRows {
			t.Errorf("%d rows of gradient %d come to %+v, want %+v", chunkRows, g, got, want)
		}
		one := binOf(word(g))
		if exact := float64(g) / gradientOne; math.Abs(float64(one.gradient)/(1<<coarseGradientBits)-exact) > 1.0/(1<<(coarseGradientBits+1)) {
			t.Errorf("gradient %v is kept as %d", exact, one.gradient)
		}
	}
	// A row's hessian is a quarter at most.
	const most = (mostRows - 1) << (coarseHessianBits - 2)
	if b := (bin{hessianRows: most<<rowBits | (mostRows - 1)}); b.hessian() != most || b.rows() != mostRows-1 {
		t.Errorf("a bin of the most rows has a hessian of %d and %d rows", b.hessian(), b.rows())
	}
}

func TestPartitionKeepsOrder(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	for _, missingLeft := range []bool{false, true} {
		for edge := range MostEdges {
			s := newSide(edge, missingLeft)
			for code := range bins {
				left := code != 0 && code <= edge+1 || code == 0 && missingLeft
				if (s.right(uint8(code)) == 0) != left {
					t.Fatalf("edge %d, missing left %v: code %d goes %d", edge, missingLeft, code, s.right(uint8(code)))
				}
			}
		}
	}
	words := make([]uint64, 3*partRows)
	for i := range words {
		words[i] = random.Uint64()
	}
	rows := rowsOf(100, 100+partRows)
	s := newSide(100, false)
	n := partitionPart(rows, words, 16, s)
	if !slices.IsSorted(rows[:n]) || !slices.IsSorted(rows[n:]) {
		t.Error("rows have lost their order")
	}
	for i, r := range rows {
		if right := s.right(uint8(words[r]>>16)) == 1; right != (i >= n) {
			t.Fatalf("row %d is at %d of %d that go left", r, i, n)
		}
	}
}
