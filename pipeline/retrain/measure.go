package retrain

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"livelab/pipeline/dataset"
	"livelab/pipeline/features"
	"livelab/pipeline/metrics"
	"livelab/pipeline/train"
)

// measureMore adds to a training's report what people look at.
func measureMore(ctx context.Context, m *material, task features.Task, r *train.Result) error {
	all := r.Test.Intervals(r.Model.Threshold, r.ClimatologyThreshold, metrics.DefaultResamples, metrics.DefaultSeed)
	onset := r.Test.Onset().Intervals(r.Model.Threshold, r.ClimatologyThreshold, metrics.DefaultResamples, metrics.DefaultSeed)
	r.Report.Intervals, r.Report.OnsetIntervals = &all, &onset
	var err error
	if r.Report.Importance, err = train.Importance(ctx, r.Model, m.rows, r.Report.Test); err != nil {
		return err
	}
	r.Report.Ablations, err = ablations(ctx, m.clean, task, m.cfg, r)
	return err
}

// ablations trains without each transform in turn, all else equal. A transform
// that another one reads from cannot be left out alone.
func ablations(ctx context.Context, d *dataset.Dataset, task features.Task, cfg train.Config, full *train.Result) ([]metrics.Ablation, error) {
	var found []metrics.Ablation
	var resampled *metrics.Resampled
	days := metrics.NewResampler(full.Test.At, metrics.DefaultResamples, metrics.DefaultSeed)
	for i, t := range cfg.Transforms {
		name := t.Spec().Name
		less := cfg
		less.Folds, less.Progress = 1, nil
		less.Transforms = slices.Delete(slices.Clone(cfg.Transforms), i, i+1)
		if _, err := features.Order(less.Transforms); err != nil {
			continue
		}
		less.Inputs = slices.DeleteFunc(slices.Clone(cfg.Inputs), func(in string) bool { return strings.HasPrefix(in, name+".") })
		rows, err := Rows(task, d, less.Transforms)
		if err != nil {
			return nil, err
		}
		without, err := train.Run(ctx, rows, less)
		if err != nil {
			return nil, fmt.Errorf("train without the transform %s: %w", name, err)
		}
		if resampled == nil {
			r := days.Scores(full.Test.Model, full.Test.Outcome, full.Model.Threshold)
			resampled = &r
		}
		s := without.Test
		found = append(found, metrics.Ablation{
			Transform: name, Scores: s.Scores(without.Model.Threshold),
			Over: resampled.Over(days.Scores(s.Model, s.Outcome, without.Model.Threshold)),
		})
	}
	return found, nil
}
