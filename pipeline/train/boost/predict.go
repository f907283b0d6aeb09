package boost

import (
	"runtime"

	"livelab/pipeline/model"
)

// LogOdds stores the log odds of the matrix's rows in dst, which is as long.
// They are the same as those of the values that the codes stand for.
func (f *Fitted) LogOdds(dst []float64, m Matrix, rows []int32) {
	walks := make([]*walk, len(f.Trees.Trees))
	for i := range walks {
		walks[i] = newWalk(m, &f.Trees.Trees[i])
	}
	dst = dst[:len(rows)]
	team(runtime.GOMAXPROCS(0)).eachRange(len(rows), chunkRows, func(_, lo, hi int) {
		for i := lo; i < hi; i++ {
			dst[i] = f.Base
		}
		for _, w := range walks {
			w.add(dst[lo:hi], rows[lo:hi])
		}
	})
}

// walk is a tree that looks at codes.
type walk struct {
	nodes []walkNode
}

// walkNode is a node: where it is a leaf, next is its own place.
type walkNode struct {
	codes []uint8
	side  side
	next  [2]int32 // left and right
	value float64
	leaf  bool
}

func newWalk(m Matrix, t *model.Tree) *walk {
	w := &walk{nodes: make([]walkNode, len(t.Input))}
	for i, input := range t.Input {
		n := &w.nodes[i]
		if n.leaf = input == model.Leaf; n.leaf {
			n.value = t.Value[i]
			continue
		}
		n.codes = m.Codes[input]
		n.side = newSide(t.Edge[i], t.MissingLeft[i] == 1)
		n.next = [2]int32{int32(t.Left[i]), int32(t.Right[i])}
	}
	return w
}

// add adds the values of the rows' leaves to z.
func (w *walk) add(z []float64, rows []int32) {
	nodes := w.nodes
	for i, r := range rows {
		n := &nodes[0]
		for !n.leaf {
			n = &nodes[n.next[n.side.right(n.codes[r])]]
		}
		z[i] += n.value
	}
}
