package model

import (
	"fmt"
	"math"
	"runtime"
	"sync"
	"sync/atomic"
)

// importanceChunk is how many rows are summed up at a time. That the chunks
// are the same on any machine makes the sums the same, too.
const importanceChunk = 64

// Importance gives, of each input, the mean of what it adds to the log odds of
// rows, without the signs: in units of log odds, and comparable between the
// families. columns has one for each input, in order, with a value for each of
// the rows; some hundred rows say enough, and with trees a thousand take a
// second of one core. No rows give 0. It panics on wrong lengths.
func (m *Model) Importance(columns [][]float64) []float64 {
	if len(columns) != len(m.Inputs) {
		panic(fmt.Sprintf("model: %d columns for %d inputs", len(columns), len(m.Inputs)))
	}
	rows := len(columns[0])
	sums := make([][]float64, (rows+importanceChunk-1)/importanceChunk)
	var next atomic.Int64
	var workers sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), len(sums)) {
		workers.Go(func() {
			for c := int(next.Add(1)) - 1; c < len(sums); c = int(next.Add(1)) - 1 {
				sums[c] = m.sizes(columns, c*importanceChunk, min((c+1)*importanceChunk, rows))
			}
		})
	}
	workers.Wait()
	importance := make([]float64, len(columns))
	for _, sum := range sums {
		for i, s := range sum {
			importance[i] += s / float64(rows)
		}
	}
	return importance
}

// sizes sums up the contributions to some rows, without their signs.
func (m *Model) sizes(columns [][]float64, from, to int) []float64 {
	sums, x, adds := make([]float64, len(columns)), make([]float64, len(columns)), make([]float64, len(columns))
	for r := from; r < to; r++ {
		for i, column := range columns {
			x[i] = column[r]
		}
		m.Contributions(adds, x)
		for i, a := range adds {
			sums[i] += math.Abs(a)
		}
	}
	return sums
}
