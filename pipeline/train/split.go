package train

import (
	"sort"
	"time"

	"livelab/pipeline/features"
	"livelab/pipeline/metrics"
)

// Parts are rows of a frame, by index, ascending. Between the last row of a
// part and the first of the next lies at least the task's embargo.
type Parts struct {
	Train, Validation, Test []int
}

// Split divides a frame's labelled rows by time, in the shares that the
// configuration says. The embargo is taken from the end of the earlier part.
func Split(f *features.Frame, cfg Config) Parts {
	cfg = cfg.withDefaults()
	rows := labelled(f)
	past, test := cutAt(f, rows, share(len(rows), cfg.Train+cfg.Validation))
	train, validation := cutAt(f, past, share(len(rows), cfg.Train))
	return Parts{Train: train, Validation: validation, Test: test}
}

// share is s·n, rounded.
func share(n int, s float64) int { return int(float64(s*float64(n)) + 0.5) }

// labelled lists the rows that can teach or measure: the label and its value
// now are known.
func labelled(f *features.Frame) []int {
	var rows []int
	for i := range f.Rows() {
		if isLabelled(f, i) {
			rows = append(rows, i)
		}
	}
	return rows
}

func isLabelled(f *features.Frame, row int) bool {
	return f.Short[row] != features.Unlabelled && f.ShortNow[row] != features.Unlabelled
}

// cutAt divides rows before the i-th: after holds it and all later rows, and
// those of the same time; before what is at least the embargo older than it.
func cutAt(f *features.Frame, rows []int, i int) (before, after []int) {
	if i >= len(rows) {
		return rows, nil
	}
	start := f.At[rows[i]]
	first := sort.Search(i, func(k int) bool { return !f.At[rows[k]].Before(start) })
	end := sort.Search(first, func(k int) bool { return f.At[rows[k]].After(start.Add(-f.Task.Embargo())) })
	return rows[:end], rows[first:]
}

func (p Parts) check(f *features.Frame) error {
	for _, part := range []struct {
		name string
		rows []int
	}{{"train", p.Train}, {"validation", p.Validation}, {"test", p.Test}} {
		if n := positives(f, part.rows); n == 0 || n == len(part.rows) {
			return &OneClassError{Part: part.name, Rows: len(part.rows), Positives: n}
		}
	}
	return nil
}

func positives(f *features.Frame, rows []int) int {
	n := 0
	for _, row := range rows {
		if f.Short[row] == features.Short {
			n++
		}
	}
	return n
}

func outcomes(f *features.Frame, rows []int) []bool {
	ys := make([]bool, len(rows))
	for i, row := range rows {
		ys[i] = f.Short[row] == features.Short
	}
	return ys
}

// part describes rows for the report.
func part(f *features.Frame, rows []int) metrics.Part {
	p := metrics.Part{Samples: len(rows), Positives: positives(f, rows)}
	if len(rows) > 0 {
		p.From = f.At[rows[0]].UTC().Format(time.RFC3339)
		p.To = f.At[rows[len(rows)-1]].UTC().Format(time.RFC3339)
	}
	return p
}
