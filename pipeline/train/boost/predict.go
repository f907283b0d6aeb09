package boost

import (
	"math"
	"runtime"

	"livelab/pipeline/model"
)

// LogOdds stores the log odds of the matrix's rows in dst, which is as long.
// They are the same as those of the values that the codes stand for.
func (f *Fitted) LogOdds(dst []float64, m Matrix, rows []int32) {
	layout := newPlanes(m)
	walks, most := make([]walk, len(f.Trees.Trees)), 0
	for i := range walks {
		walks[i] = layout.walk(&f.Trees.Trees[i])
		most = max(most, len(walks[i]))
	}
	dst = dst[:len(rows)]
	team(runtime.GOMAXPROCS(0)).eachRange(len(rows), planeRows, func(_, lo, hi int) {
		planes, masks := make([]uint64, layout.words), make([]uint64, most)
		for ; lo < hi; lo += wide {
			to := min(lo+wide, hi)
			layout.set(planes, m, rows[lo:to])
			z := dst[lo:to]
			for i := range z {
				z[i] = f.Base
			}
			for _, w := range walks {
				w.add(z, planes, masks)
			}
		}
	})
}

// walk is a tree that looks at planes, children after their parents.
type walk []walkNode

type walkNode struct {
	value       float64 // what a leaf adds
	left, right int32   // children; 0 for a leaf
	input       int32   // where the planes of the input begin
	bits        uint8   // how many there are
	cut         uint8   // the highest code that goes left
	missingLeft bool
}

func (p *planes) walk(t *model.Tree) walk {
	w := make(walk, len(t.Input))
	for i, input := range t.Input {
		if input == model.Leaf {
			w[i].value = t.Value[i]
			continue
		}
		w[i] = walkNode{
			left: int32(t.Left[i]), right: int32(t.Right[i]),
			input: int32(p.at[input]), bits: uint8(p.at[input+1] - p.at[input] - 1),
			cut: uint8(t.Edge[i] + 1), missingLeft: t.MissingLeft[i] == 1,
		}
	}
	return w
}

// add adds the values of the leaves that the rows of the planes come to, at
// most 64, to z. masks is scratch, a word for each node: the rows that come by.
func (w walk) add(z []float64, planes, masks []uint64) {
	masks = masks[:len(w)]
	masks[0] = math.MaxUint64 >> (wide - len(z))
	for i := range w {
		n, rows := &w[i], masks[i]
		if n.left != 0 {
			right := n.goRight(planes)
			masks[n.left], masks[n.right] = rows&^right, rows&right
			continue
		}
		addTo(z, rows, n.value)
	}
}

// goRight gives the rows whose code is more than the cut.
func (n *walkNode) goRight(planes []uint64) uint64 {
	planes = planes[n.input:][:n.bits+1]
	var more uint64 // of the bits so far
	for b, bit := range planes[1:] {
		zero := uint64(n.cut>>b&1) - 1 // all ones where the cut has a 0
		more = more&bit | (more|bit)&zero
	}
	if !n.missingLeft {
		more |= planes[0]
	}
	return more
}
