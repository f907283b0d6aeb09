package loader

import (
	"math/rand/v2"
	"runtime"
	"testing"

	"livelab/pipeline/model"
)

// treesModel has so many trees of 31 leaves of two inputs, each of which halves
// its rows until there are too few.
func treesModel(trees int) *model.Model {
	r := rand.New(rand.NewPCG(1, 2))
	m := testModel(-1)
	m.Family = model.FamilyTrees
	m.Inputs = []model.Input{{Name: "free_ratio", Mean: 0.4, Scale: 0.1}, {Name: "climatology", Mean: 0.2, Scale: 0.1, Optional: true}}
	m.Trees = &model.Trees{Edges: make([][]float64, 2)}
	for in := range m.Trees.Edges {
		for e := range 200 {
			m.Trees.Edges[in] = append(m.Trees.Edges[in], (float64(e)+r.Float64()/2)/200)
		}
	}
	for range trees {
		m.Trees.Trees = append(m.Trees.Trees, halving(r, 1<<16, 31))
	}
	return m
}

// halving splits the oldest leaf until there are enough.
func halving(r *rand.Rand, rows, leaves int) model.Tree {
	nodes := 2*leaves - 1
	t := model.Tree{
		Input: make([]int, nodes), Edge: make([]int, nodes), MissingLeft: make([]int, nodes), Left: make([]int, nodes), Right: make([]int, nodes),
		Value: make([]float64, nodes), Rows: make([]int, nodes),
	}
	t.Rows[0] = rows
	for n := range nodes {
		if n >= leaves-1 {
			t.Input[n], t.Value[n] = model.Leaf, r.NormFloat64()/10
			continue
		}
		t.Input[n], t.Edge[n], t.MissingLeft[n] = r.IntN(2), r.IntN(200), r.IntN(2)
		t.Left[n], t.Right[n] = 2*n+1, 2*n+2
		t.Rows[2*n+1] = t.Rows[n] / 2
		t.Rows[2*n+2] = t.Rows[n] - t.Rows[n]/2
	}
	return t
}

// TestReloadOfTrees goes from a logistic model to trees and back.
func TestReloadOfTrees(t *testing.T) {
	t.Parallel()
	r := newRegistry(t)
	l := setup(t, r)
	trees, logistic := treesModel(20), testModel(-1)
	for _, m := range []*model.Model{logistic, trees, logistic} {
		m.Threshold += 0.01 // a version of its own
		r.promote(t, r.add(t, m))
		now, changed, err := l.Reload(t.Context())
		if err != nil || !changed {
			t.Fatalf("changed %v, error %v", changed, err)
		}
		x := []float64{0.31, 0.07}[:len(m.Inputs)]
		if got, want := now.Model.Probability(x), m.Probability(x); got != want || now.Model.Family != m.Family {
			t.Errorf("family %s answers %v, want %v of family %s", now.Model.Family, got, want, m.Family)
		}
	}
}

// TestTreesInMemory bounds what a model of 400 trees takes while it serves.
func TestTreesInMemory(t *testing.T) {
	r := newRegistry(t)
	r.promote(t, r.add(t, treesModel(400)))
	l := setup(t, r)
	before := heap()
	if _, _, err := l.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	took := int64(heap()) - int64(before)
	t.Logf("%d KiB", took>>10)
	if took > 8<<20 {
		t.Errorf("the model takes %d KiB", took>>10)
	}
	runtime.KeepAlive(l)
}

func heap() uint64 {
	runtime.GC()
	runtime.GC()
	var s runtime.MemStats
	runtime.ReadMemStats(&s)
	return s.HeapAlloc
}
