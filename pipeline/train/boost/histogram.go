package boost

const bins = 256

// histogram has the sums of a node's rows for each code of each input of a
// tree: bins of the first input, then of the second, and so on. Those of codes
// that an input does not have hold anything.
type histogram []bin

func (h histogram) of(k int) *[bins]bin { return (*[bins]bin)(h[k*bins:]) }

// counter is a worker's scratch to count a chunk of rows.
type counter struct {
	words  [chunkRows]uint64
	counts [perWord][bins]uint64 // zero between two uses

	sums histogram
	used bool // whether sums holds anything of this node
}

// count adds the rows, at most chunkRows, to the worker's sums.
func (c *counter) count(p *packed, codes []int, rows []int32, gradient []int32) {
	words := c.words[:len(rows)]
	for i, r := range rows {
		words[i] = word(gradient[r])
	}
	for g, packed := range p.words {
		c.countWord(packed, rows, words)
		for k := g * perWord; k < (g+1)*perWord; k++ {
			if k < len(p.inputs) {
				c.flush(k, codes[k])
			} else {
				c.counts[k%perWord][0] = 0 // of no input
			}
		}
	}
	c.used = true
}

// countWord adds each row's word to the counts of its eight codes.
func (c *counter) countWord(packed []uint64, rows []int32, words []uint64) {
	n := &c.counts
	words = words[:len(rows)]
	for i, r := range rows {
		x, w := packed[r], words[i]
		n[0][uint8(x)] += w
		n[1][uint8(x>>8)] += w
		n[2][uint8(x>>16)] += w
		n[3][uint8(x>>24)] += w
		n[4][uint8(x>>32)] += w
		n[5][uint8(x>>40)] += w
		n[6][uint8(x>>48)] += w
		n[7][uint8(x>>56)] += w
	}
}

// flush moves the counts of the k-th input, which has as many codes, to the
// sums.
func (c *counter) flush(k, codes int) {
	counts, sums := c.counts[k%perWord][:codes], c.sums.of(k)[:codes]
	if !c.used {
		for i, w := range counts {
			sums[i] = binOf(w)
		}
	} else {
		for i, w := range counts {
			sums[i] = sums[i].plus(binOf(w))
		}
	}
	clear(counts)
}
