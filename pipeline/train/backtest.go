package train

import (
	"context"
	"errors"
	"fmt"
	"math"

	"livelab/pipeline/metrics"
)

// backtest measures how trainings at earlier times would have done. The rows
// are cut into Folds+1 equal stretches; each but the first is forecast by a
// model that knows only what lies before it. Such a model is made as Run makes
// one: it fits, calibrates and chooses its thresholds within its past.
func backtest(ctx context.Context, l learner, t *table, cfg Config) ([]metrics.Fold, error) {
	folds := make([]metrics.Fold, cfg.Folds)
	for k := range folds {
		cfg.progress("backtest", k, cfg.Folds)
		past, ahead := t.cut(span{0, t.len()}, t.len()*(k+1)/(cfg.Folds+1))
		if k+1 < cfg.Folds {
			_, later := t.cut(span{0, t.len()}, t.len()*(k+2)/(cfg.Folds+1))
			ahead.hi = later.lo
		}
		var err error
		if folds[k], err = backtestFold(ctx, l, t, past, ahead, cfg); err != nil {
			return nil, fmt.Errorf("fold %d: %w", k+1, err)
		}
	}
	cfg.progress("backtest", cfg.Folds, cfg.Folds)
	return folds, nil
}

func backtestFold(ctx context.Context, l learner, t *table, past, ahead span, cfg Config) (metrics.Fold, error) {
	inPast := cfg.Train / (cfg.Train + cfg.Validation)
	train, validation := t.cut(past, share(past.len(), inPast))
	fold := metrics.Fold{Part: t.part(ahead), TrainSamples: train.len()}
	undefined := metrics.Evaluate(nil, nil, math.NaN())
	fold.Scores, fold.Persistence, fold.Climatology = undefined, undefined, undefined

	err := parts{train: train, validation: validation, test: ahead}.check(t)
	if oneClass := (*OneClassError)(nil); errors.As(err, &oneClass) {
		fold.Skipped = oneClass.reason()
		return fold, nil
	}
	learned, err := learn(ctx, l, t, train, validation, true)
	if err != nil {
		return fold, err
	}
	s := t.sample(ahead, l.logOdds(learned.model, ahead))
	baselines := s.Baselines(learned.climatologyThreshold)
	fold.Scores = s.Scores(learned.model.Threshold)
	fold.Persistence, fold.Climatology = baselines.Persistence, baselines.Climatology
	return fold, nil
}
