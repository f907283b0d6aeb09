// Package metrics says how good probability forecasts of a yes-or-no event
// were. Training, the gate and the live monitor all measure with it, so that
// their numbers mean the same.
package metrics

import (
	"encoding/json"
	"fmt"
	"math"
	"time"
)

// Sample is a set of forecasts with their outcomes. All columns have Len()
// values, in ascending order of time.
type Sample struct {
	At       []int64 // Unix seconds
	Outcome  []bool  // whether the event came to be
	ShortNow []bool  // whether it held at the time of the forecast: what persistence says

	Model       []float64 // the model's probability
	Climatology []float64 // the probability by hour of the week alone

	// Entity is the station of each row, as an index; nil where rows are of
	// a network.
	Entity []int32
}

// Len is the number of rows.
func (s Sample) Len() int { return len(s.At) }

// Score is a number that may be undefined, such as the F1 of a sample without
// positives. Undefined is NaN in Go and null in JSON.
type Score float64

// MarshalJSON writes the shortest decimal that reads back as the same bits.
func (s Score) MarshalJSON() ([]byte, error) {
	if math.IsNaN(float64(s)) || math.IsInf(float64(s), 0) {
		return []byte("null"), nil
	}
	return json.Marshal(float64(s))
}

// UnmarshalJSON reads null as NaN.
func (s *Score) UnmarshalJSON(b []byte) error {
	if string(b) == "null" {
		*s = Score(math.NaN())
		return nil
	}
	return json.Unmarshal(b, (*float64)(s))
}

// Scores sums up one forecaster on one sample.
type Scores struct {
	Samples   int   `json:"n_samples"`
	Positives int   `json:"positives"`
	Threshold Score `json:"threshold"`
	F1        Score `json:"f1"`
	Precision Score `json:"precision"`
	Recall    Score `json:"recall"`
	PRAUC     Score `json:"pr_auc"`
	ROCAUC    Score `json:"roc_auc"`
	Brier     Score `json:"brier"`
	LogLoss   Score `json:"log_loss"`
	ECE       Score `json:"ece"`
}

// Forecasters holds the scores of the model's rivals on the same rows.
type Forecasters struct {
	AlwaysShort Scores `json:"always_short"`
	Persistence Scores `json:"persistence"`
	Climatology Scores `json:"climatology"`
}

// Report is metrics.json: the test part's scores and where they come from.
type Report struct {
	Scores
	Baselines Forecasters `json:"baselines"`

	// Onset holds the rows that are not short at the time of the forecast,
	// where persistence knows nothing.
	Onset          Scores      `json:"onset"`
	OnsetBaselines Forecasters `json:"onset_baselines"`

	// Intervals over resampled days go with the scores above; nil in the
	// reports of versions that were trained before there were any.
	Intervals      *BoardIntervals `json:"intervals,omitempty"`
	OnsetIntervals *BoardIntervals `json:"onset_intervals,omitempty"`

	// Importance of the inputs, the largest first, and what the model scores
	// above one that was trained without a transform. Nil in the reports of
	// versions that were trained before they were measured.
	Importance []Importance `json:"importance,omitempty"`
	Ablations  []Ablation   `json:"ablations,omitempty"`

	// Classic holds the test rows as a client sees them that sends the eight
	// classic inputs and nothing else.
	Classic Scores `json:"classic_inputs_only"`

	Train      Part   `json:"train"`
	Validation Part   `json:"validation"`
	Test       Part   `json:"test"`
	Folds      []Fold `json:"folds"`
}

// Importance says how far an input moves forecasts: the mean of its absolute
// contribution to the log odds, over rows of the test part.
type Importance struct {
	Input   string  `json:"input"`
	LogOdds float64 `json:"log_odds"`
}

// Ablation is a training without one transform, all else equal.
type Ablation struct {
	Transform string    `json:"transform"`
	Scores    Scores    `json:"scores"` // of the test part, without it
	Over      Intervals `json:"over"`   // the model's scores less these, paired
}

// Part is one split of the rows.
type Part struct {
	From      string `json:"from"` // RFC 3339, the first row
	To        string `json:"to"`   // the last row
	Samples   int    `json:"n_samples"`
	Positives int    `json:"positives"`
}

// Window gives the times of the first and the last row.
func (p Part) Window() (from, to time.Time, err error) {
	if from, err = time.Parse(time.RFC3339, p.From); err == nil {
		to, err = time.Parse(time.RFC3339, p.To)
	}
	if err != nil {
		return from, to, fmt.Errorf("read the window of a part: %w", err)
	}
	return from, to, nil
}

// Fold is one step of the rolling-origin backtest.
type Fold struct {
	Part
	TrainSamples int    `json:"train_samples"`
	Skipped      string `json:"skipped,omitempty"` // why there are no scores
	Scores       Scores `json:"scores"`
	Persistence  Scores `json:"persistence"`
	Climatology  Scores `json:"climatology"`

	// Intervals over resampled days; nil where the fold was skipped, and in
	// the reports of versions that were trained before there were any.
	Intervals *BoardIntervals `json:"intervals,omitempty"`
}
