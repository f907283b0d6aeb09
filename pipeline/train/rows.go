package train

import (
	"context"
	"fmt"
	"math"
	"sort"
	"time"

	"livelab/pipeline/features"
)

// Rows are what a training learns from, walked block by block so that all of
// them need not lie in memory. features.Source makes them from a history.
// Walked again they are the same rows.
type Rows interface {
	// Task is the question that the rows are for.
	Task() features.Task

	// Entities are the IDs of the stations that Frame.Entity points to; nil
	// for a network.
	Entities() []string

	// Blocks calls yield with the rows from one time to another, both
	// included; a zero time leaves that side open. Rows ascend in time, and a
	// time is never cut in two. A frame may be overwritten once yield returns.
	// The error of yield ends the walk and comes back.
	Blocks(ctx context.Context, from, to time.Time, yield func(*features.Frame) error) error
}

var (
	_ Rows = (*features.Source)(nil)
	_ Rows = Whole{}
)

// Whole is rows that lie in memory.
type Whole struct {
	Frame    *features.Frame
	Stations []string // what Entities answers

	// BlockRows is the least number of rows of a block. 0 gives them all at
	// once.
	BlockRows int
}

// Task implements Rows.
func (w Whole) Task() features.Task { return w.Frame.Task }

// Entities implements Rows.
func (w Whole) Entities() []string { return w.Stations }

// Blocks implements Rows.
func (w Whole) Blocks(ctx context.Context, from, to time.Time, yield func(*features.Frame) error) error {
	at := w.Frame.At
	lo := sort.Search(len(at), func(i int) bool { return !at[i].Before(from) })
	end := len(at)
	if !to.IsZero() {
		end = sort.Search(len(at), func(i int) bool { return at[i].After(to) })
	}
	for lo < end {
		hi := end
		if w.BlockRows > 0 {
			hi = min(lo+w.BlockRows, end)
		}
		for hi < end && at[hi].Equal(at[hi-1]) {
			hi++
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := yield(cut(w.Frame, lo, hi)); err != nil {
			return err
		}
		lo = hi
	}
	return nil
}

// cut is a part of a frame, whose columns it shares.
func cut(f *features.Frame, lo, hi int) *features.Frame {
	columns := make([][]float64, len(f.Names()))
	for j, name := range f.Names() {
		columns[j] = f.Column(name)[lo:hi]
	}
	part := features.NewFrame(f.Task, f.At[lo:hi], f.Short[lo:hi], f.ShortNow[lo:hi], f.Names(), columns)
	if f.Entity != nil {
		part.Entity = f.Entity[lo:hi]
	}
	return part
}

// walk calls yield with each block and the labelled rows in it.
func walk(ctx context.Context, rows Rows, from, to time.Time, yield func(f *features.Frame, labelled []int) error) error {
	var labelled []int
	return rows.Blocks(ctx, from, to, func(f *features.Frame) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		labelled = labelled[:0]
		for i := range f.Rows() {
			if isLabelled(f, i) {
				labelled = append(labelled, i)
			}
		}
		return yield(f, labelled)
	})
}

// isLabelled reports whether a row can teach or measure: its label and its
// value now are known.
func isLabelled(f *features.Frame, row int) bool {
	return f.Short[row] != features.Unlabelled && f.ShortNow[row] != features.Unlabelled
}

// table is what every family keeps of the labelled rows: compact columns in
// the order of the rows, which ascend in time.
type table struct {
	task features.Task
	rows int // that were seen, labelled or not

	at              []int64 // Unix seconds
	entity          []int32 // nil for a network
	short, shortNow []bool
	climatology     []float64 // NaN where missing

	// threshold is q_t of each row where the task has one, and newest the last
	// one known in any row, labelled or not; NaN for none.
	threshold []float64
	newest    float64
}

func newTable(task features.Task) *table { return &table{task: task, newest: math.NaN()} }

func (t *table) len() int { return len(t.at) }

// add takes the labelled rows of a block.
func (t *table) add(f *features.Frame, labelled []int) {
	t.rows += f.Rows()
	for _, row := range labelled {
		t.at = append(t.at, f.At[row].Unix())
		t.short = append(t.short, f.Short[row] == features.Short)
		t.shortNow = append(t.shortNow, f.ShortNow[row] == features.Short)
		if f.Entity != nil {
			t.entity = append(t.entity, f.Entity[row])
		}
	}
	t.climatology = appendRows(t.climatology, f.Column(climatologyColumn), labelled)
	if t.task.Target.Kind != features.BelowQuantile {
		return
	}
	threshold := f.Column(features.Threshold)
	t.threshold = appendRows(t.threshold, threshold, labelled)
	for i := len(threshold) - 1; i >= 0; i-- {
		if !math.IsNaN(threshold[i]) {
			t.newest = threshold[i]
			break
		}
	}
}

// appendRows appends a column's values in some rows; NaN where there is no
// such column.
func appendRows(to, column []float64, rows []int) []float64 {
	for _, row := range rows {
		v := math.NaN()
		if column != nil {
			v = column[row]
		}
		to = append(to, v)
	}
	return to
}

// inputColumns are the columns of the names, which a frame must have.
func inputColumns(f *features.Frame, names []string) ([][]float64, error) {
	columns := make([][]float64, len(names))
	for j, name := range names {
		if columns[j] = f.Column(name); columns[j] == nil {
			return nil, fmt.Errorf("there is no column %q; the frame has %v", name, f.Names())
		}
	}
	return columns, nil
}
