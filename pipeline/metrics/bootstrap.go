package metrics

import (
	"math"
	"math/bits"
	"math/rand/v2"
	"slices"
)

const secondsPerDay = 24 * 60 * 60

// BootstrapDays is the 95 % percentile interval of the mean of perRow, such as
// the difference of two forecasters' squared errors. It draws whole UTC days
// with replacement, n times as many as there are days: rows of one day resemble
// each other, and drawn one by one they would make the interval too narrow.
//
// at holds the rows' Unix seconds, ascending. The answer depends on nothing but
// the arguments. It is NaN, NaN where the rows lie on fewer than two days or n
// is under 1: one day says nothing about another.
func BootstrapDays(at []int64, perRow []float64, n int, seed uint64) (lo, hi float64) {
	mustMatch(len(perRow), len(at))
	ds := sumDays(at, perRow)
	if len(ds) < 2 || n < 1 {
		return math.NaN(), math.NaN()
	}
	source := rand.NewPCG(seed, 0)
	means := make([]float64, n)
	for i := range means {
		var sum float64
		rows := 0
		for range ds {
			d := ds[below(source, len(ds))]
			sum += d.sum
			rows += d.rows
		}
		means[i] = sum / float64(rows)
	}
	slices.Sort(means)
	return quantile(means, 0.025), quantile(means, 0.975)
}

type daySum struct {
	sum  float64
	rows int
}

func sumDays(at []int64, perRow []float64) []daySum {
	var ds []daySum
	var last int64
	for i, t := range at {
		d := floorDiv(t, secondsPerDay)
		if len(ds) == 0 || d != last {
			ds = append(ds, daySum{})
			last = d
		}
		ds[len(ds)-1].sum += perRow[i]
		ds[len(ds)-1].rows++
	}
	return ds
}

// below draws a number in [0, n). Only the generator itself is fixed for all
// versions of Go, not what rand.Rand makes of it. The bias is under n/2^64.
func below(source *rand.PCG, n int) int {
	high, _ := bits.Mul64(source.Uint64(), uint64(n))
	return int(high)
}

// quantile interpolates linearly between the sorted xs.
func quantile(xs []float64, q float64) float64 {
	at := float64(q * float64(len(xs)-1))
	i := int(at)
	if i+1 >= len(xs) {
		return xs[len(xs)-1]
	}
	return xs[i] + float64((at-float64(i))*(xs[i+1]-xs[i]))
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}
