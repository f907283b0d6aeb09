package boost

import (
	"math"
	"slices"
)

// MostEdges that an input may have: with the missing values, a byte can tell
// one more than that many bins.
const MostEdges = 254

// NewEdges gives at most `most` edges between the values of a sample, which may
// hold NaN for what is missing. There is one in the middle of each two
// neighbours where the values are few; else about equally many values lie
// between two edges, and a value that is frequent has a bin of its own.
// Where values are missing a last edge lies over all values, so that a tree can
// tell what is missing from all that is not.
func NewEdges(sample []float64, most int) []float64 {
	values := make([]float64, 0, len(sample))
	for _, x := range sample {
		if !math.IsNaN(x) {
			values = append(values, x)
		}
	}
	missing := len(values) < len(sample)
	slices.Sort(values)
	if missing {
		most--
	}
	var edges []float64
	if most > 0 {
		edges = between(values, most)
	}
	if last := len(edges) - 1; missing && len(values) > 0 && (last < 0 || edges[last] < math.MaxFloat64) {
		edges = append(edges, math.MaxFloat64)
	}
	return edges
}

// between gives at most `most` edges between ascending values: it closes a bin
// where it holds its share of the rest, and before a value that holds as much
// alone.
func between(values []float64, most int) []float64 {
	distinct, counts := runs(values)
	var edges []float64
	rest, held := len(values), 0
	for i := 0; i+1 < len(distinct) && len(edges) < most; i++ {
		held += counts[i]
		few := len(distinct)-1-i <= most-len(edges)
		share := (rest + most - len(edges)) / (most - len(edges) + 1) // of each bin that may still come
		if few || held >= share || counts[i+1] >= share && 2*held >= share {
			edges = append(edges, middle(distinct[i], distinct[i+1]))
			rest -= held
			held = 0
		}
	}
	return edges
}

// runs gives the distinct ones of ascending values and how often each is there.
func runs(values []float64) (distinct []float64, counts []int) {
	for i, x := range values {
		if i == 0 || x != values[i-1] {
			distinct, counts = append(distinct, x), append(counts, 0)
		}
		counts[len(counts)-1]++
	}
	return distinct, counts
}

// middle of a < b: finite, at least a where that is finite, and under b.
func middle(a, b float64) float64 {
	m := float64(a/2) + float64(b/2)
	if !(m >= a && m < b) || math.IsInf(m, 0) {
		m = a
	}
	return max(-math.MaxFloat64, min(m, math.MaxFloat64))
}

// Code gives the byte for a value: 0 where it is NaN, else one more than the
// number of edges under it.
func Code(edges []float64, x float64) uint8 {
	if x != x {
		return 0
	}
	// The loop always takes as many steps, and none of them is a jump that has
	// to be guessed.
	under, n := 0, len(edges)
	for n > 1 {
		half := n >> 1
		next := under + half
		if edges[next-1] < x {
			under = next
		}
		n -= half
	}
	if n == 1 && edges[under] < x {
		under++
	}
	return uint8(under + 1)
}
