package boost

import (
	"math/rand/v2"
	"testing"
)

// TestPlanes reads codes back from their bits: of inputs with each number of
// bits, and of rows in any order that fill a word or do not.
func TestPlanes(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	var m Matrix
	for _, edges := range []int{0, 1, 2, 3, 7, 49, 126, 127, MostEdges} {
		codes := make([]uint8, 500)
		for i := range codes {
			codes[i] = uint8(random.IntN(edges + 2))
		}
		codes[0], codes[1] = 0, uint8(edges+1)
		m.Codes, m.Edges = append(m.Codes, codes), append(m.Edges, make([]float64, edges))
	}
	layout := newPlanes(m)
	words := make([]uint64, layout.words)
	for _, n := range []int{wide, 1, 2, 63} { // what was there before must not show
		rows := append([]int32{0, 1}, make([]int32, wide)...)[:n]
		for i := 2; i < n; i++ {
			rows[i] = int32(random.IntN(500))
		}
		layout.set(words, m, rows)
		for j := range m.Codes {
			planes := words[layout.at[j]:layout.at[j+1]]
			if len(m.Edges[j]) == 0 {
				if len(planes) != 0 {
					t.Errorf("an input without edges has %d planes", len(planes))
				}
				continue
			}
			for i, r := range rows {
				code := uint8(0)
				for b, w := range planes[1:] {
					code |= uint8(w>>i&1) << b
				}
				if missing := planes[0]>>i&1 == 1; code != m.Codes[j][r] || missing != (code == 0) {
					t.Errorf("of %d edges, row %d of %d: the planes have code %d, missing %v; the code is %d", len(m.Edges[j]), i, n, code, missing, m.Codes[j][r])
				}
			}
		}
	}
}
