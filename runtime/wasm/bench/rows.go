package bench

import (
	"math"
	"math/rand/v2"

	"livelab/pipeline/features"
)

// inputs makes rows that can be true: each column between its bounds, counts
// of bikes and docks small, times in steps of ten minutes. None is missing, as
// the time that a missing value takes may be another one.
func inputs(names []string, rows int) [][]float64 {
	r := rand.New(rand.NewPCG(1, 2)) // the same rows in every run
	in := columns(len(names), rows)
	for c, name := range names {
		least, greatest := features.Bounds(name)
		for i := range rows {
			switch x := r.Float64(); {
			case name == "unix_time" || name == "unix_time_ahead":
				in[c][i] = newYear + 600*float64(i)
			case math.IsInf(greatest, 1): // derived ones, and outputs of other transforms
				in[c][i] = 2*x - 1
			case greatest >= countless:
				in[c][i] = 1 + math.Floor(1000*x)
			default:
				in[c][i] = least + x*(greatest-least)
			}
		}
	}
	return in
}

const (
	newYear   = 1_767_225_600 // 2026-01-01T00:00:00Z
	countless = 1e9           // the bound of counts
)

func columns(n, rows int) [][]float64 {
	flat := make([]float64, n*rows)
	cs := make([][]float64, n)
	for i := range cs {
		cs[i] = flat[i*rows : (i+1)*rows : (i+1)*rows]
	}
	return cs
}

// column takes the first row of columns.
func column(cs [][]float64) []float64 {
	row := make([]float64, len(cs))
	for i := range cs {
		row[i] = cs[i][0]
	}
	return row
}

// native is the loop in Go.
type native struct {
	free, empty, share, imbalance []float64
}

func newNative(rows int) *native {
	in, out := inputs([]string{"free_bikes", "empty_slots"}, rows), columns(2, rows)
	return &native{in[0], in[1], out[0], out[1]}
}

func (n *native) call() error {
	free := n.free
	empty, share, imbalance := n.empty[:len(free)], n.share[:len(free)], n.imbalance[:len(free)]
	for i, f := range free {
		s := f / (f + empty[i])
		share[i] = s
		imbalance[i] = math.Abs(float64(2*s) - 1)
	}
	return nil
}
