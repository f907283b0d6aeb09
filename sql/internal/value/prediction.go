package value

import (
	"bytes"
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/google/uuid"

	"livelab/runtime/predlog"
)

// Prediction is a prediction that is fit to be stored. ID, At, Role and
// RequestID are to be taken from here, the rest from the prediction.
type Prediction struct {
	*predlog.Prediction
	ID        uuid.UUID
	At        int64 // microseconds of Unix time
	AsOf      int64 // as At; without meaning where HasAsOf is false
	HasAsOf   bool
	Role      predlog.Role
	RequestID string
}

// DataAge is how old the data used was, in seconds; without meaning where
// HasAsOf is false.
func (p *Prediction) DataAge() float64 { return float64(p.At-p.AsOf) / 1e6 }

// Predictions makes a batch fit to be stored, or says which of it cannot be
// and why, as a [predlog.ErrRefused]. It comes back by time and ID, each pair
// once: the first of a batch is kept. In that order an index grows at its end,
// and two batches that share predictions cannot wait for each other.
func Predictions(ps []predlog.Prediction) ([]Prediction, error) {
	rows := make([]Prediction, len(ps))
	for i := range ps {
		if err := rows[i].set(&ps[i]); err != nil {
			return nil, fmt.Errorf("%w %q: %w", predlog.ErrRefused, ps[i].ID, err)
		}
	}
	if !slices.IsSortedFunc(rows, comparePredictions) {
		slices.SortStableFunc(rows, comparePredictions)
	}
	return slices.CompactFunc(rows, func(a, b Prediction) bool { return comparePredictions(a, b) == 0 }), nil
}

func comparePredictions(a, b Prediction) int {
	return cmp.Or(cmp.Compare(a.At, b.At), bytes.Compare(a.ID[:], b.ID[:]))
}

func (r *Prediction) set(p *predlog.Prediction) error {
	id, err := uuid.Parse(p.ID)
	if err != nil {
		return fmt.Errorf("the ID is not a UUID: %w", err)
	}
	if err := checkPrediction(p); err != nil {
		return err
	}
	*r = Prediction{Prediction: p, ID: id, At: p.At.UnixMicro(), Role: cmp.Or(p.Role, predlog.Served)}
	// A request ID is chosen by the client, so what cannot be stored of it is
	// replaced and not refused.
	r.RequestID = repairText(p.RequestID)
	if r.HasAsOf = !p.AsOf.IsZero(); r.HasAsOf {
		r.AsOf = p.AsOf.UnixMicro()
	}
	return nil
}

func checkPrediction(p *predlog.Prediction) error {
	if err := CheckTime("it", p.At); err != nil {
		return err
	}
	if !p.AsOf.IsZero() {
		if err := CheckTime("its data", p.AsOf); err != nil {
			return err
		}
	}
	if p.Role != "" && p.Role != predlog.Served && p.Role != predlog.Shadow {
		return fmt.Errorf("the role is %q, want %q or %q", p.Role, predlog.Served, predlog.Shadow)
	}
	if err := cmp.Or(checkFinite("probability", p.Probability), checkFinite("threshold", p.Threshold),
		checkFinite("horizon", p.HorizonHours)); err != nil {
		return err
	}
	if err := checkFeatures(p.Features); err != nil {
		return err
	}
	return checkTexts(p.Model, p.Version, p.Digest, p.Network, p.Station)
}

func checkFinite(name string, v float64) error {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return fmt.Errorf("the %s is %v", name, v)
	}
	return nil
}

func checkFeatures(f predlog.Features) error {
	if len(f.Names) != len(f.Values) {
		return fmt.Errorf("it has %d names of features and %d values", len(f.Names), len(f.Values))
	}
	for _, name := range f.Names {
		if err := CheckText("feature", name); err != nil {
			return err
		}
	}
	return nil
}
