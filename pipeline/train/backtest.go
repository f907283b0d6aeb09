package train

import (
	"context"
	"errors"
	"fmt"
	"math"

	"livelab/pipeline/features"
	"livelab/pipeline/metrics"
)

// backtest measures how trainings at earlier times would have done. The rows
// are cut into Folds+1 equal stretches; each but the first is forecast by a
// model that knows only what lies before it. Such a model is made as Run makes
// one: it fits, calibrates and chooses its thresholds within its past.
func backtest(ctx context.Context, f *features.Frame, cfg Config) ([]metrics.Fold, error) {
	rows := labelled(f)
	folds := make([]metrics.Fold, cfg.Folds)
	quiet := cfg
	quiet.Progress = nil
	for k := range folds {
		cfg.progress("backtest", k, cfg.Folds)
		past, ahead := cutAt(f, rows, len(rows)*(k+1)/(cfg.Folds+1))
		if k+1 < cfg.Folds {
			_, later := cutAt(f, rows, len(rows)*(k+2)/(cfg.Folds+1))
			ahead = ahead[:len(ahead)-len(later)]
		}
		var err error
		if folds[k], err = backtestFold(ctx, f, past, ahead, quiet); err != nil {
			return nil, fmt.Errorf("fold %d: %w", k+1, err)
		}
	}
	cfg.progress("backtest", cfg.Folds, cfg.Folds)
	return folds, nil
}

func backtestFold(ctx context.Context, f *features.Frame, past, ahead []int, cfg Config) (metrics.Fold, error) {
	inPast := cfg.Train / (cfg.Train + cfg.Validation)
	train, validation := cutAt(f, past, share(len(past), inPast))
	fold := metrics.Fold{Part: part(f, ahead), TrainSamples: len(train)}
	undefined := metrics.Evaluate(nil, nil, math.NaN())
	fold.Scores, fold.Persistence, fold.Climatology = undefined, undefined, undefined

	err := Parts{Train: train, Validation: validation, Test: ahead}.check(f)
	if oneClass := (*OneClassError)(nil); errors.As(err, &oneClass) {
		fold.Skipped = oneClass.reason()
		return fold, nil
	}
	l, err := learn(ctx, f, train, validation, cfg)
	if err != nil {
		return fold, err
	}
	s, err := newSample(l.model, f, ahead)
	if err != nil {
		return fold, err
	}
	baselines := s.Baselines(l.climatologyThreshold)
	fold.Scores = s.Scores(l.model.Threshold)
	fold.Persistence, fold.Climatology = baselines.Persistence, baselines.Climatology
	return fold, nil
}
