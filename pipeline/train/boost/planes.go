package boost

import (
	"encoding/binary"
	"math/bits"
)

// wide is how many rows a word has a bit of, and planeRows what a worker takes
// at a time.
const (
	wide      = 64
	planeRows = 64 * wide
)

// planes lays codes out bit by bit: bit r of each word is of row r. A node of a
// tree then sends 64 rows on their ways by a few operations on words, where one
// row after the other would cost a jump each that no processor can foresee.
// model.Trees answers for many rows in the same way.
type planes struct {
	// at has, of each input, where its words begin: one that tells which rows
	// have no value, then the bits of the code, the lowest first. One more
	// place is the end of the last.
	at    []int
	words int // for 64 rows
}

func newPlanes(m Matrix) planes {
	p := planes{at: make([]int, 0, len(m.Codes)+1)}
	for _, edges := range m.Edges {
		p.at = append(p.at, p.words)
		if len(edges) > 0 { // else no node looks at it
			p.words += 1 + bits.Len(uint(len(edges)+1))
		}
	}
	p.at = append(p.at, p.words)
	return p
}

// set lays out the codes of rows, at most 64.
func (p *planes) set(words []uint64, m Matrix, rows []int32) {
	for j, codes := range m.Codes {
		if at, end := p.at[j], p.at[j+1]; at < end {
			setInput(words[at:end], codes, rows)
		}
	}
}

func setInput(words []uint64, codes []uint8, rows []int32) {
	var code [wide]uint8
	for i, r := range rows {
		code[i] = codes[r]
	}
	clear(words)
	known := uint64(0)
	for i := 0; i < wide; i += 8 {
		eight := binary.LittleEndian.Uint64(code[i:])
		for b := range words[1:] {
			// The product has the lowest bit of each byte in its highest byte.
			words[b+1] |= eight >> b & 0x0101010101010101 * 0x0102040810204080 >> 56 << i
		}
	}
	for _, w := range words[1:] {
		known |= w
	}
	words[0] = ^known
}

// addTo adds a value to the numbers whose bit is set.
func addTo(z []float64, rows uint64, value float64) {
	for ; rows != 0; rows &= rows - 1 {
		z[bits.TrailingZeros64(rows)] += value
	}
}
