package model

import (
	"math"
	"math/bits"
)

// slice holds up to 64 rows bit by bit: bit r of each word is of row r. A node
// then sends all of them on their ways by a handful of operations on words,
// where one row after the other would cost a jump each that no processor can
// foresee.
type slice struct {
	inputs []sliced
	masks  []uint64 // of each node of a tree, the rows that come by
}

// sliced is an input of the rows.
type sliced struct {
	edges   []float64
	bits    []uint64 // of the code, the number of edges that are less than the value; the lowest first
	missing uint64
}

func (f *forest) newSlice() *slice {
	s := &slice{inputs: make([]sliced, len(f.edges)), masks: make([]uint64, f.most)}
	for i, edges := range f.edges {
		s.inputs[i] = sliced{edges: edges, bits: make([]uint64, bits.Len(uint(len(edges))))}
	}
	return s
}

// sums does for rows what sum does for one. columns has one for each input, z a
// value for each row.
func (f *forest) sums(z []float64, columns [][]float64) {
	s := f.newSlice()
	for from := 0; from < len(z); from += 64 {
		to := min(from+64, len(z))
		for i := range s.inputs {
			s.inputs[i].set(columns[i][from:to])
		}
		for i, root := range f.roots {
			s.masks[0] = math.MaxUint64 >> (64 - (to - from))
			end := len(f.nodes)
			if i+1 < len(f.roots) {
				end = int(f.roots[i+1])
			}
			s.through(z[from:to], f.nodes[root:end], f.cuts[root:end], root)
		}
	}
}

// set codes values, at most 64.
func (s *sliced) set(values []float64) {
	clear(s.bits)
	s.missing = 0
	for r, v := range values {
		code := below(s.edges, v)
		for b := range s.bits {
			s.bits[b] |= uint64(code>>b&1) << r
		}
		if math.IsNaN(v) {
			s.missing |= 1 << r
		}
	}
}

// below counts the edges that are less than x, without a branch that depends on
// it; 0 for NaN.
func below(edges []float64, x float64) int {
	at := 0
	for n := len(edges); n > 0; {
		half := (n + 1) / 2
		next := at + half
		if !(edges[next-1] < x) {
			next = at
		}
		at = next
		n -= half
	}
	return at
}

// right gives the rows that go right at a cut.
func (s *sliced) right(cut uint16, missingLeft bool) uint64 {
	var more uint64 // of the bits so far, the rows whose code is more than the cut
	for b, bit := range s.bits {
		zero := uint64(cut>>b&1) - 1 // all ones where the cut has a 0
		more = more&bit | (more|bit)&zero
	}
	if !missingLeft {
		more |= s.missing
	}
	return more
}

// through adds what a tree says of the rows. The nodes begin at root.
func (s *slice) through(z []float64, nodes []node, cuts []uint16, root int32) {
	for i := range nodes {
		n := &nodes[i]
		rows := s.masks[i]
		if n.input != Leaf {
			right := s.inputs[n.input].right(cuts[i], n.missingLeft)
			s.masks[i+1] = rows &^ right
			s.masks[n.right-root] = rows & right
			continue
		}
		for ; rows != 0; rows &= rows - 1 {
			z[bits.TrailingZeros64(rows)] += n.value
		}
	}
}
