// Package predlog logs every prediction that the server answers, so that it
// can be explained later and compared with what came to be.
package predlog

import (
	"context"
	"maps"
	"math"
	"slices"
	"time"
)

// Prediction is one prediction: a row of the table prediction_log.
type Prediction struct {
	ID           string // UUIDv7; writing it twice stores it once
	At           time.Time
	Role         Role
	RequestID    string
	Model        string
	Version      string
	Digest       string
	Network      string    // empty when the client gave the features
	Station      string    // empty unless it is about a station
	AsOf         time.Time // time of the data used; zero when the client gave the features
	Features     Features  // as used; what was imputed is absent
	Probability  float64
	Positive     bool
	Threshold    float64
	Latency      time.Duration
	HorizonHours float64
}

// Role is what a prediction was for.
type Role string

// The roles.
const (
	Served Role = "served" // a client was answered with it
	Shadow Role = "shadow" // a challenger said it beside, and no client saw it
)

// Features are inputs by name: Values has one for each of Names. NaN is
// absent.
type Features struct {
	Names  []string // sorted, each once
	Values []float64
}

// FeaturesOf sorts a map's entries.
func FeaturesOf(values map[string]float64) Features {
	f := Features{Names: slices.Sorted(maps.Keys(values))}
	for _, name := range f.Names {
		f.Values = append(f.Values, values[name])
	}
	return f
}

// Map gives the features that are there.
func (f Features) Map() map[string]float64 {
	m := make(map[string]float64, len(f.Names))
	for i, name := range f.Names {
		if !math.IsNaN(f.Values[i]) {
			m[name] = f.Values[i]
		}
	}
	return m
}

// Store keeps predictions.
type Store interface {
	// AddPredictions stores all or none. A prediction whose ID and time are
	// stored already is left as it is. Where one of them can never be stored
	// the error is [ErrRefused].
	AddPredictions(ctx context.Context, ps []Prediction) error

	// RecentPredictions gives the newest ones, newest first.
	RecentPredictions(ctx context.Context, limit int) ([]Prediction, error)

	// PrunePredictions removes those from before a time and says how many.
	PrunePredictions(ctx context.Context, before time.Time) (removed int64, err error)
}
