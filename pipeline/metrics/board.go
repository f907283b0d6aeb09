package metrics

const (
	// DefaultResamples are enough for the third digit of an interval's ends.
	DefaultResamples = 500

	// DefaultSeed of the draws, the gate's.
	DefaultSeed = 1
)

// BoardIntervals are the intervals of the model and its rivals on the same
// rows, and of what the model scores above each of them: the differences are
// paired, so that they tell more than two intervals side by side.
type BoardIntervals struct {
	Model       Intervals `json:"model"`
	AlwaysShort Intervals `json:"always_short"`
	Persistence Intervals `json:"persistence"`
	Climatology Intervals `json:"climatology"`

	OverAlwaysShort Intervals `json:"over_always_short"` // the model's less always-short's
	OverPersistence Intervals `json:"over_persistence"`
	OverClimatology Intervals `json:"over_climatology"`
}

// Intervals go with Scores(threshold) and Baselines(climatologyThreshold), over
// n resamples of the days.
func (s Sample) Intervals(threshold, climatologyThreshold float64, n int, seed uint64) BoardIntervals {
	r := NewResampler(s.At, n, seed)
	always := make([]float64, s.Len())
	for i := range always {
		always[i] = 1
	}
	model := r.Scores(s.Model, s.Outcome, threshold)
	short := r.Scores(always, s.Outcome, certain)
	persistence := r.Scores(s.Persistence(), s.Outcome, certain)
	climatology := r.Scores(s.Climatology, s.Outcome, climatologyThreshold)
	return BoardIntervals{
		Model:           model.Intervals(),
		AlwaysShort:     short.Intervals(),
		Persistence:     persistence.Intervals(),
		Climatology:     climatology.Intervals(),
		OverAlwaysShort: model.Over(short),
		OverPersistence: model.Over(persistence),
		OverClimatology: model.Over(climatology),
	}
}
