package metrics

// certain is the threshold for forecasts that are 0 or 1.
const certain = 0.5

// Onset gives the rows that were not short at the time of the forecast: those
// where persistence knows nothing.
func (s Sample) Onset() Sample {
	var o Sample
	for i, now := range s.ShortNow {
		if now {
			continue
		}
		o.At = append(o.At, s.At[i])
		o.Outcome = append(o.Outcome, s.Outcome[i])
		o.ShortNow = append(o.ShortNow, false)
		o.Model = append(o.Model, s.Model[i])
		o.Climatology = append(o.Climatology, s.Climatology[i])
		if s.Entity != nil {
			o.Entity = append(o.Entity, s.Entity[i])
		}
	}
	return o
}

// Scores evaluates the model's forecasts.
func (s Sample) Scores(threshold float64) Scores {
	return Evaluate(s.Model, s.Outcome, threshold)
}

// Persistence is the forecast that nothing changes: 1 where it was short, else
// 0.
func (s Sample) Persistence() []float64 {
	ps := make([]float64, s.Len())
	for i, now := range s.ShortNow {
		ps[i] = indicator(now)
	}
	return ps
}

// Baselines evaluates the model's rivals on the same rows. Always-short
// forecasts with probability 1, so its Brier score is the share of rows that
// were not short.
func (s Sample) Baselines(climatologyThreshold float64) Forecasters {
	always := make([]float64, s.Len())
	for i := range always {
		always[i] = 1
	}
	return Forecasters{
		AlwaysShort: Evaluate(always, s.Outcome, certain),
		Persistence: Evaluate(s.Persistence(), s.Outcome, certain),
		Climatology: Evaluate(s.Climatology, s.Outcome, climatologyThreshold),
	}
}
