// Package traintest makes matrices for the tests and the benchmarks of
// training, the same as pipeline/train/testdata/synthetic.py.
package traintest

import (
	"math"

	"livelab/pipeline/detmath"
)

// Rows makes rows one after the other.
type Rows struct {
	random Random
	cols   int
	curved bool
}

// Straight makes rows of correlated columns whose log odds are a sum over the
// columns. About one in five is positive.
func Straight(cols int) *Rows { return &Rows{random: 1, cols: cols} }

// Curved makes rows of at least six columns whose log odds bend and depend on
// pairs of columns. Of each three columns the second has few values, and the
// third is missing where it is high.
func Curved(cols int) *Rows { return &Rows{random: 1, cols: cols, curved: true} }

// Next fills x with a row of as many columns and gives its outcome.
func (r *Rows) Next(x []float64) bool {
	common := r.random.Centred()
	z := -2.0
	for j := range x {
		x[j] = float64(0.8*r.random.Centred()) + float64(0.6*common)
		z += float64(x[j] * (float64((j+1)*(1-2*(j%2))) / float64(r.cols)))
	}
	if r.curved {
		z = bend(x)
	}
	return r.random.Unit() < detmath.Sigmoid(z)
}

// bend gives a curved row's log odds, then coarsens its columns.
func bend(x []float64) float64 {
	z := -2.0 + float64(float64(1.5*x[0])*x[1]) + math.Abs(x[2]) + float64(0.5*x[5])
	if x[3] > 0.5 {
		z += float64(2 * x[4])
	}
	for j := range x {
		switch {
		case j%3 == 1:
			x[j] = math.Floor(float64(4*x[j])) / 4
		case j%3 == 2 && x[j] > 1.2:
			x[j] = math.NaN()
		}
	}
	return z
}

// Matrix gives the first rows as columns, with their outcomes.
func (r *Rows) Matrix(rows int) (x [][]float64, y []bool) {
	x = make([][]float64, r.cols)
	for j := range x {
		x[j] = make([]float64, rows)
	}
	y = make([]bool, rows)
	row := make([]float64, r.cols)
	for i := range rows {
		y[i] = r.Next(row)
		for j, v := range row {
			x[j][i] = v
		}
	}
	return x, y
}

// Random is Steele, Lea and Flood's generator (2014): exact and easy to
// write down in another language.
type Random uint64

// Unit is uniform in [0, 1), a multiple of 2^-53.
func (g *Random) Unit() float64 {
	*g += 0x9E3779B97F4A7C15
	z := uint64(*g)
	z = (z ^ z>>30) * 0xBF58476D1CE4E5B9
	z = (z ^ z>>27) * 0x94D049BB133111EB
	z ^= z >> 31
	return float64(float64(z>>11) / (1 << 53))
}

// Centred is uniform with mean 0 and variance 1.
func (g *Random) Centred() float64 { return float64((g.Unit() - 0.5) * 3.4641016151377544) }
