package train

import (
	"context"
	"fmt"
	"time"

	"livelab/pipeline/features"
	"livelab/pipeline/metrics"
	"livelab/pipeline/model"
)

// Result is what a training leaves behind.
type Result struct {
	Model  *model.Model
	Report metrics.Report

	// ClimatologyThreshold is climatology's best threshold on the validation
	// part; Sample.Baselines takes it.
	ClimatologyThreshold float64

	// Test is the test part as the model forecasts it, what the gate judges.
	Test metrics.Sample
}

// Run trains on labelled rows. The validation part calibrates and chooses the
// thresholds; the test part is touched once, to measure. The backtest comes
// after that and decides nothing.
//
// It refuses with a TooLittleError or a OneClassError where the data cannot
// carry a model.
func Run(ctx context.Context, rows Rows, cfg Config) (*Result, error) {
	var err error
	if cfg.Transforms, err = features.Order(cfg.Transforms); err != nil {
		return nil, fmt.Errorf("training: %w", err)
	}
	if err := cfg.Validate(rows.Task()); err != nil {
		return nil, err
	}
	cfg = cfg.withDefaults(rows.Task())
	l := cfg.learner()
	t, err := collect(ctx, rows, l)
	if err != nil {
		return nil, err
	}
	if t.len() < LeastRows {
		return nil, &TooLittleError{Labelled: t.len(), Rows: t.rows}
	}
	p := split(t, cfg)
	if err := p.check(t); err != nil {
		return nil, err
	}
	if err := l.prepare(ctx, rows, t, p.train); err != nil {
		return nil, err
	}
	return run(ctx, rows, t, p, l, cfg)
}

// collect walks all rows once.
func collect(ctx context.Context, rows Rows, l learner) (*table, error) {
	t := newTable(rows.Task())
	err := walk(ctx, rows, time.Time{}, time.Time{}, func(f *features.Frame, labelled []int) error {
		t.add(f, labelled)
		return l.add(f, labelled)
	})
	return t, err
}

func run(ctx context.Context, rows Rows, t *table, p parts, l learner, cfg Config) (*Result, error) {
	cfg.progress("fit", 0, 0)
	learned, err := learn(ctx, l, t, p.train, p.validation, false)
	if err != nil {
		return nil, err
	}
	r := &Result{Model: learned.model, ClimatologyThreshold: learned.climatologyThreshold}
	var classic metrics.Scores
	if r.Test, classic, err = measure(ctx, rows, t, p.test, learned, cfg); err != nil {
		return nil, err
	}
	r.Report = report(r)
	r.Report.Classic = classic
	// The test was forecast with the threshold that was known before it; who
	// asks the model will ask from now on.
	r.Model.Defaults = defaults(t.newest)
	r.Report.Train, r.Report.Validation, r.Report.Test = t.part(p.train), t.part(p.validation), t.part(p.test)
	if r.Report.Folds, err = backtest(ctx, l, t, cfg); err != nil {
		return nil, fmt.Errorf("backtest: %w", err)
	}
	return r, nil
}

func report(r *Result) metrics.Report {
	onset := r.Test.Onset()
	return metrics.Report{
		Scores:         r.Test.Scores(r.Model.Threshold),
		Baselines:      r.Test.Baselines(r.ClimatologyThreshold),
		Onset:          onset.Scores(r.Model.Threshold),
		OnsetBaselines: onset.Baselines(r.ClimatologyThreshold),
	}
}
