package boost

import (
	"math"
	"sync/atomic"

	"livelab/pipeline/detmath"
	"livelab/pipeline/model"
)

// watch follows the log loss of the validation rows, tree by tree.
type watch struct {
	team   team
	y      []bool
	z      []float64
	layout planes
	planes []uint64 // of 64 rows after the other

	trees  int // so far
	best   int // the number of trees with the lowest loss
	losses []float64
}

func newWatch(m Matrix, y []bool, rows []int32, base float64, t team) *watch {
	w := &watch{team: t, y: make([]bool, len(rows)), z: make([]float64, len(rows)), layout: newPlanes(m)}
	for i, r := range rows {
		w.y[i] = y[r]
		w.z[i] = base
	}
	if len(rows) > 0 {
		w.losses = []float64{w.score(nil)}
	}
	w.planes = make([]uint64, (len(rows)+wide-1)/wide*w.layout.words)
	t.eachRange(len(rows), planeRows, func(_, lo, hi int) {
		for ; lo < hi; lo += wide {
			w.layout.set(w.of(lo), m, rows[lo:min(lo+wide, hi)])
		}
	})
	return w
}

// of gives the planes of the rows from one on, a multiple of 64.
func (w *watch) of(row int) []uint64 {
	n := w.layout.words
	return w.planes[row/wide*n:][:n]
}

// add has the rows go through one tree more.
func (w *watch) add(t *model.Tree) {
	w.trees++
	if len(w.z) == 0 {
		w.best = w.trees
		return
	}
	loss := w.score(w.layout.walk(t))
	w.losses = append(w.losses, loss)
	if loss < w.losses[w.best] {
		w.best = w.trees
	}
}

func (w *watch) progress(most int) Progress {
	p := Progress{Trees: w.trees, Most: most, Best: w.best, Loss: math.NaN()}
	if len(w.losses) > 0 {
		p.Loss = w.losses[len(w.losses)-1]
	}
	return p
}

// Losses are summed up as multiples of 2^-28, so that their order does not
// matter. That of a row is at most mostLoss, which none of a sane fit reaches.
const (
	lossOne  = 1 << 28
	mostLoss = 500
)

// score adds a tree to the log odds, where there is one, and gives the mean
// loss.
func (w *watch) score(t walk) float64 {
	var sum atomic.Int64
	w.team.eachRange(len(w.z), planeRows, func(_, lo, hi int) {
		if t != nil {
			masks := make([]uint64, len(t))
			for row := lo; row < hi; row += wide {
				t.add(w.z[row:min(row+wide, hi)], w.of(row), masks)
			}
		}
		z, y := w.z[lo:hi], w.y[lo:hi]
		var part int64
		for i, v := range z {
			if y[i] {
				v = -v
			}
			part += int64(float64(min(detmath.Softplus(v), mostLoss) * lossOne))
		}
		sum.Add(part)
	})
	return float64(sum.Load()) / lossOne / float64(len(w.z))
}
