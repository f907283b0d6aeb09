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
	for _, name := range p.Features.Names {
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

// EncodeFeatures writes features as a JSON object without those that are
// absent. JSON has no number for infinities, which become the strings "Infinity" and "-Infinity", which
// PostgreSQL casts back to a float.
func EncodeFeatures(features predlog.Features) ([]byte, error) {
	values := make(map[string]any, len(features.Names))
	for i, name := range features.Names {
		switch v := features.Values[i]; {
		case math.IsNaN(v):
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

// DecodeFeatures reads what EncodeFeatures wrote; null is absent.
func DecodeFeatures(text []byte) (predlog.Features, error) {
	var values map[string]any
	if err := json.Unmarshal(text, &values); err != nil {
		return predlog.Features{}, fmt.Errorf("decode features: %w", err)
	}
	features := make(map[string]float64, len(values))
	for name, v := range values {
		switch v := v.(type) {
		case nil:
		case float64:
			features[name] = v
		case string:
			switch v {
			case "Infinity":
				features[name] = math.Inf(1)
			case "-Infinity":
				features[name] = math.Inf(-1)
			default:
				return predlog.Features{}, fmt.Errorf("decode features: %q is %q, not a number", name, v)
			}
		default:
			return predlog.Features{}, fmt.Errorf("decode features: %q is %v, not a number", name, v)
		}
	}
	return predlog.FeaturesOf(features), nil
}
