// Package predlog logs every prediction that the server answers, so that it
// can be explained later and compared with what came to be.
package predlog

import (
	"context"
	"time"
)

// Prediction is one answered prediction: a row of the table prediction_log.
type Prediction struct {
	ID           string // UUID, unique; writing it twice stores it once
	At           time.Time
	RequestID    string
	Model        string
	Version      string
	Digest       string
	Network      string             // empty when the client gave the features
	AsOf         time.Time          // time of the data used; zero when the client gave the features
	Features     map[string]float64 // as used; what was imputed is absent
	Probability  float64
	Positive     bool
	Threshold    float64
	Latency      time.Duration
	HorizonHours float64
}

// Store keeps predictions.
type Store interface {
	// AddPredictions stores all or none. A prediction whose ID is stored
	// already is left as it is.
	AddPredictions(ctx context.Context, ps []Prediction) error

	// RecentPredictions gives the newest ones, newest first.
	RecentPredictions(ctx context.Context, limit int) ([]Prediction, error)
}
