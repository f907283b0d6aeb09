package wasm

import (
	"errors"
	"fmt"
	"math"

	"livelab/pipeline/features"
	"livelab/plugins/abi"
)

// A judge knows what a call may spend and which values may come out of it.
type judge struct {
	description abi.Description
	lows, highs []float64 // of outputs, infinite for no bound
	budget      features.Budget
}

func newJudge(d abi.Description, budget features.Budget) *judge {
	j := &judge{description: d, budget: budget}
	for _, o := range d.Outputs {
		low, high := math.Inf(-1), math.Inf(1)
		if o.Min != nil {
			low = *o.Min
		}
		if o.Max != nil {
			high = *o.Max
		}
		j.lows, j.highs = append(j.lows, low), append(j.highs, high)
	}
	return j
}

// alone is what a call of a single row may spend.
func (j *judge) alone() int64 { return j.budget.Call + j.budget.Row }

// fitting is how many rows, at most some, that each take some fuel fit into a
// call which is not judged again in halves, with room for dearer ones.
func (j *judge) fitting(most int, each int64) int {
	if each <= 0 {
		return most
	}
	return int(max(1, min(int64(most), j.alone()*3/4/each)))
}

// An outcome is how a call went.
type outcome struct {
	failed  bool
	trapped bool // the instance must be discarded
	cause   Cause
	reason  string
	spent   int64
	misfit  bool // of a batch: some value is infinite or out of its range
}

// callRow computes a single row. It allocates nothing where that goes well.
func (j *judge) callRow(g *instance, in, out []float64) outcome {
	src, dst, ok := g.view(g.row, 1)
	if !ok {
		return outcome{failed: true, trapped: true, cause: Trapped, reason: "its buffers left its memory"}
	}
	for c, v := range in {
		put(src[8*c:], v)
	}
	blank(dst)
	o := j.finish(g, g.row, 1)
	if o.failed {
		return o
	}
	if _, dst, ok = g.view(g.row, 1); !ok {
		return outcome{failed: true, trapped: true, cause: Trapped, reason: "its buffers left its memory"}
	}
	for c := range out {
		out[c] = get(dst[8*c:])
	}
	return o
}

// callBatch computes the rows from lo to hi of some columns in one call.
func (j *judge) callBatch(g *instance, in, out [][]float64, lo, hi int) outcome {
	n := hi - lo
	b := g.batch
	if n == 1 {
		b = g.row
	}
	src, dst, ok := g.view(b, n)
	if !ok {
		return outcome{failed: true, trapped: true, cause: Trapped, reason: "its buffers left its memory"}
	}
	for c, column := range in {
		putColumn(src[8*c*n:], column[lo:hi])
	}
	blank(dst)
	o := j.finish(g, b, n)
	if o.failed {
		return o
	}
	if _, dst, ok = g.view(b, n); !ok {
		return outcome{failed: true, trapped: true, cause: Trapped, reason: "its buffers left its memory"}
	}
	for c, column := range out {
		if !getColumn(column[lo:hi], dst[8*c*n:], j.least(c), j.most(c)) {
			o.misfit = true
		}
	}
	return o
}

// allowance is what a call of n rows may spend. A batch that spends more than
// a row alone may is judged again, so that fuel beyond that is lost; a little of
// it saves the instance where a batch is somewhat too dear.
func (j *judge) allowance(n int) int64 {
	return min(j.budget.Call+int64(n)*j.budget.Row, j.alone()+j.alone()/4)
}

// finish calls the transform on buffers that are filled.
func (j *judge) finish(g *instance, b buffers, n int) outcome {
	spent, err := g.transformRows(b, n, j.allowance(n))
	if err != nil {
		o := outcome{failed: true, trapped: true, cause: Trapped, reason: err.Error(), spent: spent}
		if t := (*trap)(nil); errors.As(err, &t) {
			o.cause = t.cause
		}
		return o
	}
	status := uint32(g.args[0])
	if status == 0 {
		return outcome{spent: spent}
	}
	o := outcome{failed: true, cause: Returned, spent: spent}
	if n > 1 { // judged again in halves, and nobody reads why
		return o
	}
	var asking int64
	o.reason, asking, err = g.message(status, j.allowance(n)-spent)
	o.spent += asking
	o.trapped = err != nil
	return o
}

// wrong says which value of an output may not be.
func (j *judge) wrong(c int, v float64) outcome {
	out := j.description.Outputs[c]
	if math.IsInf(v, 0) {
		return outcome{failed: true, cause: Infinite, reason: fmt.Sprintf("output %s is %v: give NaN for what is not known", out.Name, v)}
	}
	bound := fmt.Sprintf("above its max of %v", j.highs[c])
	if v < j.lows[c] {
		bound = fmt.Sprintf("below its min of %v", j.lows[c])
	}
	return outcome{failed: true, cause: OutOfRange, reason: fmt.Sprintf("output %s is %v, %s in the description", out.Name, v, bound)}
}

// fits reports whether an output may have a value. NaN is missing, and may be.
func (j *judge) fits(c int, v float64) bool { return !(v < j.least(c) || v > j.most(c)) }

// least and most value that an output may have, both finite.
func (j *judge) least(c int) float64 { return max(j.lows[c], -math.MaxFloat64) }
func (j *judge) most(c int) float64  { return min(j.highs[c], math.MaxFloat64) }

// transformRows calls the transform without allocating.
func (g *instance) transformRows(b buffers, n int, budget int64) (spent int64, err error) {
	g.args = [3]uint64{uint64(b.in), uint64(b.out), uint64(n)}
	return g.run(g.transform, budget)
}

// room is how many rows a call of more than one can have, for which buffers
// are made where it is the first. It is 1 where there is no memory for more.
func (g *instance) room() (rows int, err error) {
	if g.batch.rows > 0 {
		return g.batch.rows, nil
	}
	for rows = batchRows(g.inputs + g.outputs); rows > 1; rows /= 2 {
		b, err := g.reserve(rows)
		if err == nil {
			g.batch = b
			return b.rows, nil
		}
		if none := (*noRoom)(nil); !errors.As(err, &none) {
			return 0, err
		}
	}
	g.batch = g.row
	return 1, nil
}

// view is where the columns of n rows lie. Views end with the next call, which
// may grow memory.
func (g *instance) view(b buffers, n int) (in, out []byte, ok bool) {
	in, ok1 := g.memory.Read(b.in, uint32(8*n*g.inputs))
	out, ok2 := g.memory.Read(b.out, uint32(8*n*g.outputs))
	return in, out, ok1 && ok2
}
