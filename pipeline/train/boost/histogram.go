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
	counts [perWord]counts // zero between two uses

	sums histogram
	used bool // whether sums holds anything of this node
}

// counts are words for each code of an input. They are longer than there are
// codes, so that those of a code in several inputs do not lie 4 KiB apart:
// processors take such addresses for the same at first.
type counts [bins + 8]uint64

// count adds the rows, at most chunkRows, to the worker's sums.
func (c *counter) count(p *packed, codes []int, rows []int32, gradient []int32) {
	words := c.words[:len(rows)]
	for i, r := range rows {
		words[i] = word(gradient[r])
	}
	for g, packed := range p.words {
		if inputs := len(p.inputs) - g*perWord; inputs <= few {
			c.countFew(inputs, packed, rows, words)
		} else {
			c.countWord(packed, rows, words)
		}
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

// countWord adds each row's word to the counts of its eight codes, two rows at
// a time so that the next reads do not wait.
func (c *counter) countWord(packed []uint64, rows []int32, words []uint64) {
	n := &c.counts
	words = words[:len(rows)]
	for len(rows) >= 2 && len(words) >= 2 {
		x, v := packed[rows[0]], words[0]
		y, w := packed[rows[1]], words[1]
		n[0][uint8(x)] += v
		n[1][uint8(x>>8)] += v
		n[2][uint8(x>>16)] += v
		n[3][uint8(x>>24)] += v
		n[4][uint8(x>>32)] += v
		n[5][uint8(x>>40)] += v
		n[6][uint8(x>>48)] += v
		n[7][uint8(x>>56)] += v
		n[0][uint8(y)] += w
		n[1][uint8(y>>8)] += w
		n[2][uint8(y>>16)] += w
		n[3][uint8(y>>24)] += w
		n[4][uint8(y>>32)] += w
		n[5][uint8(y>>40)] += w
		n[6][uint8(y>>48)] += w
		n[7][uint8(y>>56)] += w
		rows, words = rows[2:], words[2:]
	}
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

// few codes of a word are counted one after the other, which then takes less
// than counting all eight.
const few = 2

func (c *counter) countFew(inputs int, packed []uint64, rows []int32, words []uint64) {
	words = words[:len(rows)]
	for k := range inputs {
		n, shift := &c.counts[k], k*8&63
		for i, r := range rows {
			n[uint8(packed[r]>>shift)] += words[i]
		}
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
