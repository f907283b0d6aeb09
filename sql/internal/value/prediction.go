package value

import (
	"encoding/json"
	"fmt"
	"math"

	"github.com/google/uuid"

	"livelab/runtime/predlog"
)

// Prediction makes a prediction fit to be stored, or says why it cannot be.
// The ID comes back in the canonical form of a UUID. A request ID is chosen by
// the client, so what cannot be stored of it is replaced and not refused.
func Prediction(p predlog.Prediction) (predlog.Prediction, error) {
	id, err := uuid.Parse(p.ID)
	if err != nil {
		return p, fmt.Errorf("prediction %q: the ID is not a UUID: %w", p.ID, err)
	}
	p.ID = id.String()
	p.RequestID = repairText(p.RequestID)
	if err := checkPrediction(p); err != nil {
		return p, fmt.Errorf("prediction %s: %w", p.ID, err)
	}
	return p, nil
}

func checkPrediction(p predlog.Prediction) error {
	if err := CheckTime("it", p.At); err != nil {
		return err
	}
	if !p.AsOf.IsZero() {
		if err := CheckTime("its data", p.AsOf); err != nil {
			return err
		}
	}
	for name := range p.Features {
		if err := CheckText("feature", name); err != nil {
			return err
		}
	}
	for _, f := range []struct {
		name  string
		value float64
	}{{"probability", p.Probability}, {"threshold", p.Threshold}, {"horizon", p.HorizonHours}} {
		if math.IsNaN(f.value) || math.IsInf(f.value, 0) {
			return fmt.Errorf("the %s is %v", f.name, f.value)
		}
	}
	return checkTexts(p.Model, p.Version, p.Digest, p.Network)
}

// EncodeFeatures writes features as JSON. JSON has no number for some floats:
// NaN becomes null, infinities the strings "Infinity" and "-Infinity", which
// PostgreSQL casts back to a float.
func EncodeFeatures(features map[string]float64) ([]byte, error) {
	values := make(map[string]any, len(features))
	for name, v := range features {
		switch {
		case math.IsNaN(v):
			values[name] = nil
		case math.IsInf(v, 1):
			values[name] = "Infinity"
		case math.IsInf(v, -1):
			values[name] = "-Infinity"
		default:
			values[name] = v
		}
	}
	return json.Marshal(values)
}

// DecodeFeatures reads what EncodeFeatures wrote. The map is never nil.
func DecodeFeatures(text []byte) (map[string]float64, error) {
	var values map[string]any
	if err := json.Unmarshal(text, &values); err != nil {
		return nil, fmt.Errorf("decode features: %w", err)
	}
	features := make(map[string]float64, len(values))
	for name, v := range values {
		switch v := v.(type) {
		case nil:
			features[name] = math.NaN()
		case float64:
			features[name] = v
		case string:
			switch v {
			case "Infinity":
				features[name] = math.Inf(1)
			case "-Infinity":
				features[name] = math.Inf(-1)
			default:
				return nil, fmt.Errorf("decode features: %q is %q, not a number", name, v)
			}
		default:
			return nil, fmt.Errorf("decode features: %q is %v, not a number", name, v)
		}
	}
	return features, nil
}
