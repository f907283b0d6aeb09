package train

import (
	"context"
	"errors"
	"fmt"
	"math"

	"livelab/pipeline/metrics"
)

// Fold is a step of the backtest with its forecasts.
type Fold struct {
	metrics.Fold

	// Sample is the rows that were forecast, with no rows where the fold was
	// skipped. The thresholds are those chosen within the fold's past.
	Sample                          metrics.Sample
	Threshold, ClimatologyThreshold float64
}

// Backtest measures how trainings at earlier times would have done, with the
// rows and the configuration of a Run, and nothing else.
func Backtest(ctx context.Context, rows Rows, cfg Config) ([]Fold, error) {
	s, err := newSession(ctx, rows, cfg)
	if err != nil {
		return nil, err
	}
	return s.backtest(ctx)
}

// backtest cuts the rows into Folds+1 equal stretches; each but the first is
// forecast by a model that knows only what lies before it. Such a model is
// made as Run makes one: it fits, calibrates and chooses its thresholds within
// its past. Trees make it short: they learn from some of the times only and are
// not grown again on the validation rows, which flatters nobody. One thing is
// not the fold's own: where the edges of the bins lie, which are those of the
// whole training part. No outcome is in them.
func (s *session) backtest(ctx context.Context) ([]Fold, error) {
	t, n := s.table, s.cfg.Folds
	folds := make([]Fold, n)
	for k := range folds {
		s.cfg.progress("backtest", k, n)
		past, ahead := t.cut(span{0, t.len()}, t.len()*(k+1)/(n+1))
		if k+1 < n {
			_, later := t.cut(span{0, t.len()}, t.len()*(k+2)/(n+1))
			ahead.hi = later.lo
		}
		var err error
		if folds[k], err = s.fold(ctx, past, ahead); err != nil {
			return nil, fmt.Errorf("fold %d: %w", k+1, err)
		}
	}
	s.cfg.progress("backtest", n, n)
	return folds, nil
}

func (s *session) fold(ctx context.Context, past, ahead span) (Fold, error) {
	t := s.table
	inPast := s.cfg.Train / (s.cfg.Train + s.cfg.Validation)
	train, validation := t.cut(past, share(past.len(), inPast))
	fold := Fold{Fold: metrics.Fold{Part: t.part(ahead), TrainSamples: train.len()}}
	undefined := metrics.Evaluate(nil, nil, math.NaN())
	fold.Scores, fold.Persistence, fold.Climatology = undefined, undefined, undefined

	err := parts{train: train, validation: validation, test: ahead}.check(t)
	if oneClass := (*OneClassError)(nil); errors.As(err, &oneClass) {
		fold.Skipped = oneClass.reason()
		return fold, nil
	}
	l, err := learn(ctx, s.learner, t, train, validation, true)
	if err != nil {
		return fold, err
	}
	fold.Threshold, fold.ClimatologyThreshold = l.model.Threshold, l.climatologyThreshold
	fold.Sample = t.sample(ahead, s.learner.logOdds(l.model, ahead))
	baselines := fold.Sample.Baselines(fold.ClimatologyThreshold)
	fold.Scores = fold.Sample.Scores(fold.Threshold)
	fold.Persistence, fold.Climatology = baselines.Persistence, baselines.Climatology
	intervals := fold.Sample.Intervals(fold.Threshold, fold.ClimatologyThreshold, metrics.DefaultResamples, metrics.DefaultSeed)
	fold.Intervals = &intervals
	return fold, nil
}
