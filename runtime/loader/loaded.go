// Package loader holds the model that is served. It fetches the version that
// an alias names, proves that it is whole and can answer, and only then puts
// it in the place of the one before, in one step.
package loader

import (
	"time"

	"livelab/pipeline/metrics"
	"livelab/pipeline/model"
)

// Loaded is a model in service with what is known about it. It does not change
// once made.
type Loaded struct {
	Version   string
	Digest    string // of model.json
	Model     *model.Model
	Predictor *model.Predictor
	Metadata  model.Metadata
	Report    metrics.Report
	Verdict   Verdict
	LoadedAt  time.Time // UTC
}

// Verdict is the part of gate.json that is shown beside a model. Both fields
// are empty where the version was published without a verdict on it.
type Verdict struct {
	Result     string `json:"result"`
	Conclusion string `json:"conclusion"`
}
