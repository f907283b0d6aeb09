package model

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
)

// treesModel has two trees of three inputs:
//
//	free_ratio <= 0.25, missing left    temp_2m <= 5, missing right
//	├ temp_2m <= 5, missing right       ├ 0.25 (60 rows)
//	│ ├ 2 (10 rows)                     └ -0.5 (40 rows)
//	│ └ 1 (30 rows)
//	└ -1 (60 rows)
//
// and nothing looks at climatology.
func treesModel() *Model {
	m := testModel()
	m.Family = FamilyTrees
	m.Transforms = nil
	m.Inputs = []Input{
		{Name: "free_ratio", Mean: 0.4, Scale: 0.1},
		{Name: "temp_2m", Mean: 10, Scale: 5},
		{Name: "climatology", Mean: 0.2, Scale: 0.1, Optional: true},
	}
	m.Trees = &Trees{
		Edges: [][]float64{{0.125, 0.25}, {5}, {}},
		Trees: []Tree{
			{
				Input: []int{0, 1, -1, -1, -1}, Edge: []int{1, 0, 0, 0, 0}, MissingLeft: []int{1, 0, 0, 0, 0},
				Left: []int{1, 3, 0, 0, 0}, Right: []int{2, 4, 0, 0, 0},
				Value: []float64{0, 0, -1, 2, 1}, Rows: []int{100, 40, 60, 10, 30},
			},
			{
				Input: []int{1, -1, -1}, Edge: []int{0, 0, 0}, MissingLeft: []int{0, 0, 0},
				Left: []int{1, 0, 0}, Right: []int{2, 0, 0},
				Value: []float64{0, 0.25, -0.5}, Rows: []int{100, 60, 40},
			},
		},
	}
	return m
}

// randomTrees are of so many inputs, a third of whose edges nothing looks at.
func randomTrees(r *rand.Rand, inputs, trees, leaves int) *Trees {
	t := &Trees{Edges: make([][]float64, inputs)}
	for i := range t.Edges {
		for e := range 1 + r.IntN(30) {
			t.Edges[i] = append(t.Edges[i], float64(e)+r.Float64()/2-15)
		}
	}
	for range trees {
		t.Trees = append(t.Trees, randomTree(r, t.Edges, leaves))
	}
	return t
}

// randomTree splits leaves at random until there are enough.
func randomTree(r *rand.Rand, edges [][]float64, leaves int) Tree {
	var t Tree
	leaf := func(rows int) int {
		t.Input, t.Edge, t.MissingLeft = append(t.Input, Leaf), append(t.Edge, 0), append(t.MissingLeft, 0)
		t.Left, t.Right = append(t.Left, 0), append(t.Right, 0)
		t.Value, t.Rows = append(t.Value, r.NormFloat64()), append(t.Rows, rows)
		return len(t.Input) - 1
	}
	leaf(100 + r.IntN(100_000))
	for range leaves - 1 {
		n := r.IntN(len(t.Input))
		for t.Input[n] != Leaf || t.Rows[n] < 2 {
			n = r.IntN(len(t.Input))
		}
		in := r.IntN(len(edges))
		t.Input[n], t.Edge[n], t.MissingLeft[n], t.Value[n] = in, r.IntN(len(edges[in])), r.IntN(2), 0
		rows := 1 + r.IntN(t.Rows[n]-1)
		t.Left[n] = leaf(rows)
		t.Right[n] = leaf(t.Rows[n] - rows)
	}
	return t
}

// randomModel is a model of random trees.
func randomModel(r *rand.Rand, inputs, trees, leaves int) *Model {
	m := treesModel()
	m.Inputs, m.Defaults = nil, nil
	for i := range inputs {
		m.Inputs = append(m.Inputs, Input{Name: fmt.Sprintf("input_%d", i), Scale: 1, Optional: true})
	}
	m.Trees = randomTrees(r, inputs, trees, leaves)
	return m
}

// randomRow has values between the edges, on them and missing ones.
func randomRow(r *rand.Rand, t *Trees) []float64 {
	x := make([]float64, len(t.Edges))
	for i, edges := range t.Edges {
		switch r.IntN(4) {
		case 0:
			x[i] = nan
		case 1:
			x[i] = edges[r.IntN(len(edges))]
		default:
			x[i] = 32*r.Float64() - 16
		}
	}
	return x
}

func TestTreesLogOdds(t *testing.T) {
	t.Parallel()
	m := treesModel() // the intercept is -1
	for _, tt := range []struct {
		name string
		x    []float64
		want float64
	}{
		{"left, left", []float64{0.1, 0, 0.5}, -1 + 2 + 0.25},
		{"on the edge is left", []float64{0.25, 5, 0.5}, -1 + 2 + 0.25},
		{"right", []float64{0.26, 5.1, 0.5}, -1 - 1 - 0.5},
		{"missing goes where it went in training", []float64{nan, nan, nan}, -1 + 1 - 0.5},
		{"infinite", []float64{math.Inf(1), math.Inf(-1), 0}, -1 - 1 + 0.25},
	} {
		if got := m.LogOdds(tt.x); got != tt.want {
			t.Errorf("%s: log odds are %v, want %v", tt.name, got, tt.want)
		}
	}
}

func TestTreesLogOddsDoesNotAllocate(t *testing.T) {
	m, x := treesModel(), []float64{0.1, nan, 3}
	m.LogOdds(x)
	if n := testing.AllocsPerRun(100, func() { m.LogOdds(x) }); n != 0 {
		t.Errorf("a prediction allocates %v times", n)
	}
}

func TestTreesLogOddsAsDefined(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	for range 50 {
		m := randomModel(r, 1+r.IntN(12), 1+r.IntN(20), 1+r.IntN(40))
		if err := m.Validate(); err != nil {
			t.Fatal(err)
		}
		for range 50 {
			x := randomRow(r, m.Trees)
			if got, want := m.LogOdds(x), m.Trees.sum(m.Intercept, x); got != want {
				t.Fatalf("log odds of %v are %v, a walk gives %v", x, got, want)
			}
		}
	}
}

func TestLogOddsOfRows(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(11, 12))
	trees := randomModel(r, 7, 20, 31)
	logistic := testModel()
	for _, rows := range []int{0, 1, 63, 64, 65, 200} {
		for _, m := range []*Model{trees, logistic} {
			columns, x := make([][]float64, len(m.Inputs)), make([][]float64, rows)
			for i := range rows {
				x[i] = randomRow(r, trees.Trees)[:len(m.Inputs)]
				for c, v := range x[i] {
					columns[c] = append(columns[c], v)
				}
			}
			z := make([]float64, rows)
			m.LogOddsOf(z, columns)
			for i := range x {
				if want := m.LogOdds(x[i]); math.Float64bits(z[i]) != math.Float64bits(want) {
					t.Fatalf("row %d of %d: %v among others, %v alone", i, rows, z[i], want)
				}
			}
		}
	}
}

func TestTreesEncoding(t *testing.T) {
	t.Parallel()
	for _, m := range []*Model{treesModel(), randomModel(rand.New(rand.NewPCG(3, 4)), 9, 20, 31), treesModel().with(&Trees{Edges: make([][]float64, 3)})} {
		b, err := Encode(m)
		if err != nil {
			t.Fatal(err)
		}
		decoded, err := Decode(b)
		if err != nil {
			t.Fatal(err)
		}
		if again, err := Encode(decoded); err != nil || string(again) != string(b) {
			t.Errorf("a model does not survive its encoding: %v", err)
		}
	}
}

func (m *Model) with(trees *Trees) *Model {
	m.Trees = trees
	return m
}

func TestTreesValidate(t *testing.T) {
	t.Parallel()
	first := func(change func(*Tree)) func(*Model) { return func(m *Model) { change(&m.Trees.Trees[0]) } }
	for _, tt := range []struct {
		name   string
		change func(*Model)
		want   string
	}{
		{"nothing wrong", func(*Model) {}, ""},
		{"an unknown family", func(m *Model) { m.Family = "forest" }, `family is "forest"`},
		{"no trees", func(m *Model) { m.Trees = nil }, "there are none"},
		{"trees of a logistic model", func(m *Model) { m.Family = FamilyLogistic }, "is not of the family"},
		{"a weight", func(m *Model) { m.Inputs[1].Weight = 1 }, "temp_2m has weight 1"},
		{"too few edges", func(m *Model) { m.Trees.Edges = m.Trees.Edges[:2] }, "edges of 2 inputs, must be of 3"},
		{"edges in disorder", func(m *Model) { m.Trees.Edges[0] = []float64{0.25, 0.125} }, "edges of input 0: edge 1"},
		{"an edge twice", func(m *Model) { m.Trees.Edges[0] = []float64{0.25, 0.25} }, "edges of input 0: edge 1"},
		{"an edge without end", func(m *Model) { m.Trees.Edges[1][0] = math.Inf(1) }, "edges of input 1: edge 0"},
		{"too many edges", func(m *Model) { m.Trees.Edges[2] = make([]float64, MostEdges+1) }, "edges of input 2: 65536, may be at most 65535"},
		{"no nodes", first(func(t *Tree) { *t = Tree{} }), "tree 0: it has no nodes"},
		{"a short column", first(func(t *Tree) { t.Right = t.Right[:4] }), "4 values for 5 nodes"},
		{"few values", first(func(t *Tree) { t.Value = t.Value[:4] }), "4 values for 5 nodes"},
		{"no rows", first(func(t *Tree) { t.Rows[3], t.Rows[4] = 0, 40 }), "node 3: 0 rows"},
		{"rows that do not add up", first(func(t *Tree) { t.Rows[3] = 11 }), "node 1: 40 rows, its children have 11 and 30"},
		{"more rows than may be", first(func(t *Tree) { *t = chain(0); t.Rows[0] = math.MaxInt32 + 1 }), "node 0: 2147483648 rows"},
		{"rows that overflow", first(func(t *Tree) { t.Rows[1], t.Rows[2] = math.MaxInt, math.MinInt+101 }), "node 0: 100 rows"},
		{"an input that is not there", first(func(t *Tree) { t.Input[1] = 3 }), "node 1: input 3 of 3"},
		{"an input below a leaf's", first(func(t *Tree) { t.Input[1] = -2 }), "node 1: input -2"},
		{"an edge that is not there", first(func(t *Tree) { t.Edge[1] = 1 }), "node 1: edge 1 of 1"},
		{"an edge below the first", first(func(t *Tree) { t.Edge[1] = -1 }), "node 1: edge -1"},
		{"missing goes nowhere", first(func(t *Tree) { t.MissingLeft[0] = 2 }), "missing_left is 2"},
		{"a value inside", first(func(t *Tree) { t.Value[1] = 1 }), "node 1: value is 1"},
		{"less than nothing inside", first(func(t *Tree) { t.Value[1] = math.Copysign(0, -1) }), "node 1: value is -0"},
		{"a leaf with a child", first(func(t *Tree) { t.Left[2] = 3 }), "node 2: edge, missing_left, left and right"},
		{"a leaf with an edge", first(func(t *Tree) { t.Edge[2] = 1 }), "node 2: edge, missing_left, left and right"},
		{"a leaf where missing goes left", first(func(t *Tree) { t.MissingLeft[2] = 1 }), "node 2: edge, missing_left, left and right"},
		{"a leaf without a number", first(func(t *Tree) { t.Value[2] = nan }), "node 2: value is NaN"},
		{"a leaf without bounds", first(func(t *Tree) { t.Value[2] = -1e10 }), "node 2: value is -1e+10"},
		{"a child before its parent", first(func(t *Tree) { t.Left[1] = 1 }), "node 1: child 1, must be after it"},
		{"a child that is not there", first(func(t *Tree) { t.Right[1] = 5 }), "node 1: child 5"},
		{"a child of two", first(func(t *Tree) { t.Left[1] = 2 }), "node 1: child 2 has a parent"},
		{"a child twice", first(func(t *Tree) { t.Left[0] = 2 }), "node 0: child 2 has a parent"},
		{"an orphan", first(func(t *Tree) { *t = orphaned() }), "node 1 is no child"},
		{"too many trees", func(m *Model) { m.Trees.Trees = make([]Tree, MostTrees+1) }, "10001 trees"},
		{"too many nodes", func(m *Model) { *m = *m.with(many(m.Trees.Edges, 1, MostNodes+1)) }, "more than 1048576 nodes"},
		{"as deep as may be", func(m *Model) { m.Trees.Trees[0] = chain(MostDepth) }, ""},
		{"too deep", func(m *Model) { m.Trees.Trees[0] = chain(MostDepth + 1) }, "more than 64 nodes are above"},
		{"too much work", func(m *Model) {
			for len(m.Trees.Trees) < 2000 {
				m.Trees.Trees = append(m.Trees.Trees, chain(MostDepth))
			}
		}, "too deep to be explained in time"},
	} {
		m := treesModel()
		tt.change(m)
		err := m.Validate()
		if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
			t.Errorf("%s: error is %v, want %q", tt.name, err, tt.want)
		}
	}
}

// orphaned has a node that no other leads to.
func orphaned() Tree {
	t := treesModel().Trees.Trees[1]
	t.Input, t.Edge, t.MissingLeft = []int{1, -1, -1, -1}, make([]int, 4), make([]int, 4)
	t.Left, t.Right = []int{2, 0, 0, 0}, []int{3, 0, 0, 0}
	t.Value, t.Rows = make([]float64, 4), []int{100, 50, 60, 40}
	return t
}

// chain goes down so many nodes on one side.
func chain(depth int) Tree {
	var t Tree
	for i := range depth {
		t.Input, t.Left, t.Right = append(t.Input, 0, Leaf), append(t.Left, 2*i+1, 0), append(t.Right, 2*i+2, 0)
		t.Rows = append(t.Rows, depth-i+1, 1)
	}
	t.Input, t.Left, t.Right, t.Rows = append(t.Input, Leaf), append(t.Left, 0), append(t.Right, 0), append(t.Rows, 1)
	t.Edge, t.MissingLeft, t.Value = make([]int, len(t.Input)), make([]int, len(t.Input)), make([]float64, len(t.Input))
	return t
}

// many are trees of one column of so many nodes: wrong in more ways than one,
// but refused before anyone looks.
func many(edges [][]float64, trees, nodes int) *Trees {
	return &Trees{Edges: edges, Trees: append(make([]Tree, trees-1), Tree{Input: make([]int, nodes)})}
}

func TestTreesScaled(t *testing.T) {
	t.Parallel()
	m, x := treesModel(), []float64{0.1, 0, 0.5}
	before := m.LogOdds(x)
	scaled := *m
	scaled.Trees = m.Trees.Scaled(2)
	if got, want := scaled.LogOdds(x)-scaled.Intercept, 2*(before-m.Intercept); got != want {
		t.Errorf("twice the trees give %v, want %v", got, want)
	}
	if m.LogOdds(x) != before {
		t.Error("scaling changed the trees that were scaled")
	}
}

func TestTreesPredictor(t *testing.T) {
	t.Parallel()
	p, err := NewPredictor(treesModel(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.SelfTest(); err != nil {
		t.Error(err)
	}
	if got, want := p.Model.Kind(), "2 gradient-boosted trees with 5 leaves on 3 inputs"; got != want {
		t.Errorf("the model is %q, want %q", got, want)
	}
	if got, want := testModel().Kind(), "logistic regression on 6 inputs"; got != want {
		t.Errorf("the model is %q, want %q", got, want)
	}
	for i, name := range p.Columns() {
		if got, want := p.Needs(i), name == "free_ratio" || name == "temp_2m"; got != want {
			t.Errorf("needs %s: %v", name, got)
		}
	}
}
