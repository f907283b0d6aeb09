package boost

// packed holds the training rows' codes of some inputs, eight inputs to a
// word: a histogram of eight inputs takes one read a row, and each of a word's
// eight counters of 256 words is in the innermost cache.
type packed struct {
	inputs []int      // of the matrix, ascending
	words  [][]uint64 // ceil(len(inputs)/8) columns of n words
	room   [][]uint64 // words, and those that fewer inputs leave unused
}

const perWord = 8

func newPacked(rows, inputs int) *packed {
	p := &packed{room: make([][]uint64, words(inputs))}
	for g := range p.room {
		p.room[g] = make([]uint64, rows)
	}
	return p
}

func words(inputs int) int { return (inputs + perWord - 1) / perWord }

// fill packs the inputs of a matrix's rows.
func (p *packed) fill(m Matrix, inputs []int, rows []int32, t team) {
	p.inputs, p.words = inputs, p.room[:words(len(inputs))]
	const step = 16384
	steps := (len(rows) + step - 1) / step
	t.each(steps*len(p.words), func(_, task int) {
		g, lo := task/steps, task%steps*step
		hi := min(lo+step, len(rows))
		p.fillPart(p.words[g][lo:hi], m, inputs[g*perWord:min((g+1)*perWord, len(inputs))], rows[lo:hi])
	})
}

func (p *packed) fillPart(words []uint64, m Matrix, inputs []int, rows []int32) {
	clear(words)
	for k, input := range inputs {
		codes, shift := m.Codes[input], 8*k
		for i, r := range rows {
			words[i] |= uint64(codes[r]) << shift
		}
	}
}

// column gives the words that hold the k-th input, and by how many bits.
func (p *packed) column(k int) (words []uint64, shift int) {
	return p.words[k/perWord], k % perWord * 8
}
