package server

import (
	"cmp"
	"math"
	"slices"
	"strconv"
)

// question is what a body of /predict or /explain asks for.
type question struct {
	// values holds the rows, one after another: of each a value for each of
	// the schema's columns, NaN where it is absent. A question about stored
	// data has one row, which is filled in later.
	values  []float64
	columns int
	rows    int

	given bool // whether the client gave the rows
	many  bool // whether it gave them as a list, and wants one as the answer

	list string // what errors call the list; empty for instances

	network, station string // empty where the client named none
	language         string

	of stationRow // where the row comes from; zero where it is none of a station's
}

// reset makes the question ready for a schema with one row of which nothing is
// known. It reuses its memory.
func (q *question) reset(columns int) {
	*q = question{values: q.values[:0], columns: columns}
	q.addRow()
}

// addRow appends a row of which nothing is known, for the caller to fill in
// before the next one.
func (q *question) addRow() []float64 {
	start := len(q.values)
	q.values = slices.Grow(q.values, q.columns)[:start+q.columns]
	row := q.values[start:]
	for i := range row {
		row[i] = math.NaN()
	}
	q.rows++
	return row
}

// dropRows makes room for the rows of a list.
func (q *question) dropRows() { q.values, q.rows = q.values[:0], 0 }

// row is the row i, from 0.
func (q *question) row(i int) []float64 {
	return q.values[i*q.columns : (i+1)*q.columns : (i+1)*q.columns]
}

// path says where in the body the row i is.
func (q *question) path(i int) string {
	if !q.many {
		return "features"
	}
	return q.listName() + "[" + strconv.Itoa(i) + "]"
}

func (q *question) listName() string { return cmp.Or(q.list, "instances") }

func instancePath(i int) string { return "instances[" + strconv.Itoa(i) + "]" }
