package train

import "sort"

// sampledRows are at most kept to say where the edges of the bins lie.
const sampledRows = 1 << 17

// sampler keeps some of the rows that it is shown, spread evenly over them:
// those whose number has a hash that ends in enough zeros. Which they are
// depends on the numbers alone, not on how the rows came in blocks.
type sampler struct {
	most   int
	zeros  uint // that a hash ends in at least
	seen   int
	rows   []int       // ascending
	values [][]float64 // of each column
}

func newSampler(columns, most int) *sampler {
	return &sampler{most: most, values: make([][]float64, columns)}
}

func (s *sampler) add(columns [][]float64, rows []int) {
	for _, row := range rows {
		if s.keeps(s.seen) {
			s.rows = append(s.rows, s.seen)
			for j, c := range columns {
				s.values[j] = append(s.values[j], c[row])
			}
			for len(s.rows) > s.most {
				s.thin()
			}
		}
		s.seen++
	}
}

func (s *sampler) keeps(row int) bool { return hash(uint64(row))&(1<<s.zeros-1) == 0 }

// thin keeps about half of the rows.
func (s *sampler) thin() {
	s.zeros++
	n := 0
	for i, row := range s.rows {
		if !s.keeps(row) {
			continue
		}
		s.rows[n] = row
		for j := range s.values {
			s.values[j][n] = s.values[j][i]
		}
		n++
	}
	s.rows = s.rows[:n]
	for j := range s.values {
		s.values[j] = s.values[j][:n]
	}
}

// before are a column's values in the kept rows before one.
func (s *sampler) before(row, column int) []float64 {
	return s.values[column][:sort.SearchInts(s.rows, row)]
}

// hash mixes a number's bits, as splitmix64 does (Steele, Lea and Flood, 2014).
func hash(x uint64) uint64 {
	x += 0x9E3779B97F4A7C15
	x = (x ^ x>>30) * 0xBF58476D1CE4E5B9
	x = (x ^ x>>27) * 0x94D049BB133111EB
	return x ^ x>>31
}
