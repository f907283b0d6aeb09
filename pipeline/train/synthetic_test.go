package train

import "livelab/pipeline/detmath"

// syntheticMatrix makes correlated columns and outcomes that depend on them,
// about one in five positive. testdata/synthetic.py makes the same.
func syntheticMatrix(rows, cols int) (x [][]float64, y []bool) {
	g := splitmix(1)
	x = make([][]float64, cols)
	for j := range x {
		x[j] = make([]float64, rows)
	}
	y = make([]bool, rows)
	for i := range rows {
		common := g.centred()
		z := -2.0
		for j := range cols {
			x[j][i] = float64(0.8*g.centred()) + float64(0.6*common)
			z += float64(x[j][i] * (float64((j+1)*(1-2*(j%2))) / float64(cols)))
		}
		y[i] = g.unit() < detmath.Sigmoid(z)
	}
	return x, y
}

// splitmix is Steele, Lea and Flood's generator (2014): exact and easy to
// write down in another language.
type splitmix uint64

// unit is uniform in [0, 1), a multiple of 2^-53.
func (g *splitmix) unit() float64 {
	*g += 0x9E3779B97F4A7C15
	z := uint64(*g)
	z = (z ^ z>>30) * 0xBF58476D1CE4E5B9
	z = (z ^ z>>27) * 0x94D049BB133111EB
	z ^= z >> 31
	return float64(float64(z>>11) / (1 << 53))
}

// centred is uniform with mean 0 and variance 1.
func (g *splitmix) centred() float64 { return float64((g.unit() - 0.5) * 3.4641016151377544) }
