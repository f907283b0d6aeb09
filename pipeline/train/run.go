package train

import (
	"context"
	"fmt"
	"math"

	"livelab/pipeline/detmath"
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

// Run trains on the labelled rows of a frame. The validation part calibrates
// and chooses the thresholds; the test part is touched once, to measure. The
// backtest comes after that and decides nothing.
//
// It refuses with a TooLittleError or a OneClassError where the data cannot
// carry a model.
func Run(ctx context.Context, f *features.Frame, cfg Config) (*Result, error) {
	var err error
	if cfg.Transforms, err = features.Order(cfg.Transforms); err != nil {
		return nil, fmt.Errorf("training: %w", err)
	}
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	cfg = cfg.withDefaults()
	if n := len(labelled(f)); n < LeastRows {
		return nil, &TooLittleError{Labelled: n, Rows: f.Rows()}
	}
	parts := Split(f, cfg)
	if err := parts.check(f); err != nil {
		return nil, err
	}
	cfg.progress("fit", 0, 0)
	l, err := learn(ctx, f, parts.Train, parts.Validation, cfg)
	if err != nil {
		return nil, err
	}
	test, err := newSample(l.model, f, parts.Test)
	if err != nil {
		return nil, err
	}
	r := &Result{Model: l.model, ClimatologyThreshold: l.climatologyThreshold, Test: test}
	r.Report = report(r)
	if r.Report.Classic, err = classicScores(l.model, f, parts.Test, cfg.Transforms); err != nil {
		return nil, err
	}
	// The test was forecast with the threshold that was known before it; who
	// asks the model will ask from now on.
	l.model.Defaults = defaults(f, f.Rows()-1)
	r.Report.Train, r.Report.Validation, r.Report.Test = part(f, parts.Train), part(f, parts.Validation), part(f, parts.Test)
	if r.Report.Folds, err = backtest(ctx, f, cfg); err != nil {
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

// learned is a model with the threshold of its rival.
type learned struct {
	model                *model.Model
	climatologyThreshold float64
}

// learn fits on the training rows; calibrates, and chooses the thresholds, on
// the validation rows.
func learn(ctx context.Context, f *features.Frame, train, validation []int, cfg Config) (*learned, error) {
	m, err := newModel(f, cfg)
	if err != nil {
		return nil, err
	}
	if err := fitModel(ctx, m, f, train, cfg); err != nil {
		return nil, err
	}
	y := outcomes(f, validation)
	z, err := logOdds(m, f, validation)
	if err != nil {
		return nil, err
	}
	fold(m, calibrate(z, y))
	s, err := newSample(m, f, validation)
	if err != nil {
		return nil, err
	}
	m.Threshold = metrics.BestThreshold(s.Model, y)
	m.Defaults = defaults(f, validation[len(validation)-1])
	if err := m.Validate(); err != nil {
		return nil, err
	}
	return &learned{m, metrics.BestThreshold(s.Climatology, y)}, nil
}

// defaults keeps the newest threshold that is known at a row, for clients that
// do not know it.
func defaults(f *features.Frame, row int) map[string]float64 {
	for ; row >= 0; row-- {
		if q := f.Value(features.Threshold, row); !math.IsNaN(q) {
			return map[string]float64{features.Threshold: q}
		}
	}
	return nil
}

// newModel is all of a model but its numbers.
func newModel(f *features.Frame, cfg Config) (*model.Model, error) {
	training, err := cfg.canonical()
	if err != nil {
		return nil, err
	}
	return &model.Model{
		Format: model.Format, Name: f.Task.Name, Task: f.Task,
		Calibration: identity,
		Transforms:  pinned(cfg.Transforms),
		Dataset:     cfg.Dataset,
		Training:    training,
	}, nil
}

func pinned(ts []features.Transform) []features.TransformSpec {
	var specs []features.TransformSpec
	for _, t := range ts {
		specs = append(specs, t.Spec())
	}
	return specs
}

// fitModel fills in the inputs and the intercept.
func fitModel(ctx context.Context, m *model.Model, f *features.Frame, rows []int, cfg Config) error {
	matrix, err := newMatrix(f, cfg.Inputs, rows, cfg.Workers)
	if err != nil {
		return err
	}
	fitted, err := Fit(ctx, matrix.x, outcomes(f, rows), FitOptions{
		C: cfg.C, Balanced: !cfg.Unbalanced, Workers: cfg.Workers,
		Iteration: func(passes int, _ float64) { cfg.progress("fit", passes, 0) },
	})
	if err != nil {
		return err
	}
	// With the weights s the fit saw odds s1/s0 times the real ones.
	shift := detmath.Log(fitted.ClassWeight[1] / fitted.ClassWeight[0])
	m.Intercept = fitted.Intercept - shift
	weights := fitted.Weights
	for j, name := range cfg.Inputs {
		c := matrix.columns[j]
		in := model.Input{Name: name, Mean: c.mean, Scale: c.scale, Optional: !features.Classic(name)}
		if !c.constant {
			in.Weight, weights = weights[0], weights[1:]
		}
		m.Inputs = append(m.Inputs, in)
	}
	return nil
}

// fold puts the calibration into the weights and the intercept.
func fold(m *model.Model, c model.Calibration) {
	m.Calibration = c
	m.Intercept = float64(c.Slope*m.Intercept) + c.Offset
	for i := range m.Inputs {
		m.Inputs[i].Weight = float64(c.Slope * m.Inputs[i].Weight)
	}
}
