package features

import (
	"math"
	"time"
)

// Role is what a column is to the rows of an entity.
type Role int

// The roles.
const (
	Absent   Role = iota // these rows do not have it
	Readable             // for transforms, and for who names it as an input
	Input                // what a model reads unless it is told otherwise
)

// Feature is one column of the catalogue.
type Feature struct {
	Name string
	Unit string
	Doc  string

	// Classic features are the eight that every client sends. The others are
	// optional: what is missing is derived or imputed.
	Classic bool

	// Network and Station say what the column is to rows of each entity.
	Network, Station Role

	// Of names the column that this one is derived from, together with the
	// threshold, in rows of a network; see Task.Derive. Empty for what is not
	// derived.
	Of string

	// Else names the column that stands in for Of where that is missing: a lag
	// that nobody knows is taken to be as now. Empty for none.
	Else string

	// Min and Max bound what can be true, both included. Both zero bound
	// nothing.
	Min, Max float64
}

// Threshold is the column that holds q_t.
const Threshold = "shortage_threshold"

// lags are how far back the recent past is looked up.
var lags = []struct {
	name string
	ago  time.Duration
}{
	{"free_ratio_lag_30m", 30 * time.Minute},
	{"free_ratio_lag_60m", 60 * time.Minute},
	{"free_ratio_lag_120m", 120 * time.Minute},
	{"free_ratio_lag_180m", 180 * time.Minute},
}

const (
	day  = 24 * time.Hour
	week = 7 * day
)

const shortNow = "short_now"

// Catalogue lists every column of any entity, in the order that rows have them.
func Catalogue() []Feature { return append([]Feature(nil), catalogue...) }

// Role says what the column is to the rows of an entity.
func (f Feature) Role(e Entity) Role {
	if e == EntityStation {
		return f.Station
	}
	return f.Network
}

// Inputs lists what a model of an entity reads unless it is told otherwise.
func Inputs(e Entity) []string {
	return names(func(f Feature) bool { return f.Role(e) == Input })
}

// columnsOf lists the columns that rows of an entity have.
func columnsOf(e Entity) []string {
	return names(func(f Feature) bool { return f.Role(e) != Absent })
}

// ClassicInputs lists the eight classic inputs.
func ClassicInputs() []string { return names(func(f Feature) bool { return f.Classic }) }

// Classic reports whether name is one of the eight classic inputs.
func Classic(name string) bool {
	return lookup(name).Classic
}

// Bounds gives the least and the greatest value that a column can truly have,
// infinite where there is no bound.
func Bounds(name string) (least, greatest float64) {
	f := lookup(name)
	if f.Min == 0 && f.Max == 0 {
		return math.Inf(-1), math.Inf(1)
	}
	return f.Min, f.Max
}

func lookup(name string) Feature {
	for _, f := range catalogue {
		if f.Name == name {
			return f
		}
	}
	return Feature{}
}

func names(keep func(Feature) bool) []string {
	var ns []string
	for _, f := range catalogue {
		if keep(f) {
			ns = append(ns, f.Name)
		}
	}
	return ns
}
