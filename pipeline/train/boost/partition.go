package boost

// partRows is what a worker partitions at a time: within it the rows move in
// the innermost cache.
const partRows = 8192

// side tells codes that go left from those that go right without a jump: left
// is where uint8(code - shift) <= bound. Missing values have the code 0, which
// is the lowest; shifted by one it is the highest.
type side struct {
	shift, bound uint8
}

func (s split) side() side { return newSide(s.edge, s.missingLeft) }

func newSide(edge int, missingLeft bool) side {
	if missingLeft {
		return side{0, uint8(edge + 1)}
	}
	return side{1, uint8(edge)}
}

// right is 1 where a code goes there, else 0.
func (s side) right(code uint8) int {
	return int((uint32(s.bound) - uint32(code-s.shift)) >> 31)
}

// partition moves a leaf's rows to its spare ones, first those that go left,
// in the same order otherwise.
func (g *grower) partition(l *leaf) {
	words, shift := g.packed.column(l.split.k)
	side := l.split.side()
	n := (len(l.rows) + partRows - 1) / partRows
	for len(g.parts) < n {
		g.parts = append(g.parts, part{})
	}
	g.team.eachRange(len(l.rows), partRows, func(_, lo, hi int) {
		g.parts[lo/partRows].left = partitionPart(l.rows[lo:hi], words, shift, side)
	})
	left, right := 0, l.split.left
	starts := g.parts[:n]
	for i := range starts {
		size := min(partRows, len(l.rows)-i*partRows)
		count := starts[i].left
		starts[i] = part{left, right}
		left += count
		right += size - count
	}
	if left != l.split.left {
		panic("boost: a split's rows are not those that were counted")
	}
	g.team.eachRange(len(l.rows), partRows, func(_, lo, hi int) {
		i := lo / partRows
		end := l.split.left
		if i+1 < n {
			end = starts[i+1].left
		}
		count := end - starts[i].left
		copy(l.spare[starts[i].left:], l.rows[lo:lo+count])
		copy(l.spare[starts[i].right:], l.rows[lo+count:hi])
	})
}

// partitionPart moves rows, at most partRows, that go left to the front and
// gives their number.
func partitionPart(rows []int32, words []uint64, shift int, s side) int {
	var right [partRows]int32
	lefts, rights := 0, 0
	for _, r := range rows {
		toRight := s.right(uint8(words[r] >> (shift & 63)))
		rows[lefts] = r
		right[rights&(partRows-1)] = r
		rights += toRight
		lefts += 1 - toRight
	}
	copy(rows[lefts:], right[:rights])
	return lefts
}
