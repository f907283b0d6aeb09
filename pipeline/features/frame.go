package features

import (
	"math"
	"time"

	"livelab/pipeline/observation"
)

// Series is one entity's past: its points and the weather at its place, both
// in strictly ascending order of time. A station is a network of one.
type Series struct {
	Points  []observation.Totals
	Weather []observation.Weather
}

// Place is where an entity is, in WGS 84 degrees, NaN where unknown.
type Place struct {
	Latitude, Longitude float64
}

// PlaceOf is where a network is.
func PlaceOf(n observation.Network) Place { return Place{n.Latitude, n.Longitude} }

// Label is what came to be at t+h.
type Label int8

// The labels.
const (
	Unlabelled Label = iota // no observation near enough to t+h, or no threshold yet
	NotShort
	Short
)

// Frame is a table of rows in ascending order of time. All columns have
// Rows() values; missing is NaN.
type Frame struct {
	Task Task
	At   []time.Time

	// Entity is the station of each row, by its index in Source.Entities. It
	// is nil for a network, which has one row a time.
	Entity []int32

	// Short is whether the entity is short at t+h, and ShortNow whether it is
	// at t: what persistence forecasts.
	Short, ShortNow []Label

	names   []string
	columns [][]float64
	index   map[string]int
}

// Rows is the number of rows.
func (f *Frame) Rows() int { return len(f.At) }

// Names lists the columns in their order.
func (f *Frame) Names() []string { return f.names }

// Column gives a column by its name, nil when there is none. The caller must
// not change it.
func (f *Frame) Column(name string) []float64 {
	if i, ok := f.index[name]; ok {
		return f.columns[i]
	}
	return nil
}

// Value is a column's value in a row, NaN when there is no such column.
func (f *Frame) Value(name string, row int) float64 {
	if c := f.Column(name); c != nil {
		return c[row]
	}
	return math.NaN()
}

func (f *Frame) add(name string, column []float64) {
	if f.index == nil {
		f.index = make(map[string]int)
	}
	f.index[name] = len(f.names)
	f.names = append(f.names, name)
	f.columns = append(f.columns, column)
}

// NewFrame makes a frame of the given columns, one for each name and all as
// long as at.
func NewFrame(task Task, at []time.Time, short, shortNow []Label, names []string, columns [][]float64) *Frame {
	f := &Frame{Task: task, At: at, Short: short, ShortNow: shortNow}
	for i, name := range names {
		f.add(name, columns[i])
	}
	return f
}
