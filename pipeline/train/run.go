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
	s, err := newSession(ctx, rows, cfg)
	if err != nil {
		return nil, err
	}
	r, err := s.train(ctx)
	if err != nil {
		return nil, err
	}
	folds, err := s.backtest(ctx)
	if err != nil {
		return nil, fmt.Errorf("backtest: %w", err)
	}
	for _, f := range folds {
		r.Report.Folds = append(r.Report.Folds, f.Fold)
	}
	return r, nil
}

// session is rows that are ready to be fitted to.
type session struct {
	cfg     Config // with its defaults
	rows    Rows
	table   *table
	parts   parts
	learner learner
}

func newSession(ctx context.Context, rows Rows, cfg Config) (*session, error) {
	cfg, err := cfg.complete(rows.Task())
	if err != nil {
		return nil, err
	}
	s := &session{cfg: cfg, rows: rows}
	s.learner = s.cfg.learner()
	if s.table, err = collect(ctx, rows, s.learner); err != nil {
		return nil, err
	}
	if s.table.len() < LeastRows {
		return nil, &TooLittleError{Labelled: s.table.len(), Rows: s.table.rows}
	}
	s.parts = split(s.table, s.cfg)
	if err := s.parts.check(s.table); err != nil {
		return nil, err
	}
	return s, s.learner.prepare(ctx, rows, s.table, s.parts.train)
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

// train fits the model and measures it.
func (s *session) train(ctx context.Context) (*Result, error) {
	s.cfg.progress("fit", 0, 0)
	t, p := s.table, s.parts
	l, err := learn(ctx, s.learner, t, p.train, p.validation, false)
	if err != nil {
		return nil, err
	}
	r := &Result{Model: l.model, ClimatologyThreshold: l.climatologyThreshold}
	var classic metrics.Scores
	if r.Test, classic, err = s.measure(ctx, l.model); err != nil {
		return nil, err
	}
	r.Report = report(r)
	r.Report.Classic = classic
	// The test was forecast with the threshold that was known before it; who
	// asks the model will ask from now on.
	r.Model.Defaults = defaults(t.newest)
	r.Report.Train, r.Report.Validation, r.Report.Test = t.part(p.train), t.part(p.validation), t.part(p.test)
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
