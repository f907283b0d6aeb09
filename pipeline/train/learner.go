package train

import (
	"context"

	"livelab/pipeline/features"
	"livelab/pipeline/metrics"
	"livelab/pipeline/model"
)

// learner is a family of models. It is shown the blocks of the rows, keeps of
// them what it needs, and then fits as often as it is asked.
type learner interface {
	// add takes the labelled rows of a block, in the walk that fills the table.
	add(f *features.Frame, labelled []int) error

	// prepare is called once after that walk, with the rows that the model is
	// to be fitted on. It may walk again.
	prepare(ctx context.Context, rows Rows, t *table, train span) error

	// fit gives a model of the training rows that is neither calibrated nor
	// has a threshold. The validation rows may say when to stop. A quick fit
	// is one of the backtest's: it shows no progress and may take less time.
	fit(ctx context.Context, t *table, train, validation span, quick bool) (*model.Model, error)

	// calibration for log odds of the validation rows.
	calibration(z []float64, y []bool) model.Calibration

	// refit gives the model fitted anew on all rows up to the test part, where
	// the family gains from newer rows; else the model as it is. What was
	// chosen on the validation rows stays: the number of trees, the
	// calibration, the threshold.
	refit(ctx context.Context, t *table, m *model.Model, past span, quick bool) (*model.Model, error)

	// logOdds are those of rows, to the bit as the model gives them for their
	// values.
	logOdds(m *model.Model, rows span) []float64
}

func (c Config) learner() learner {
	if c.Family == FamilyTrees {
		return newTrees(c)
	}
	return newLogistic(c)
}

// learned is a model with the threshold of its rival.
type learned struct {
	model                *model.Model
	climatologyThreshold float64
}

// learn fits on the training rows; calibrates, and chooses the thresholds, on
// the validation rows, of which the fit has seen at most when to stop. Only then
// may the family fit again on both.
func learn(ctx context.Context, l learner, t *table, train, validation span, quick bool) (*learned, error) {
	m, err := l.fit(ctx, t, train, validation, quick)
	if err != nil {
		return nil, err
	}
	y, z := t.outcomes(validation), l.logOdds(m, validation)
	if c := l.calibration(z, y); c != identity { // else they stay as they are
		calibrateModel(m, c)
		z = l.logOdds(m, validation)
	}
	s := t.sample(validation, z)
	m.Threshold = metrics.BestThreshold(s.Model, y)
	m.Defaults = defaults(t.thresholdAt(validation.hi - 1))
	if m, err = l.refit(ctx, t, m, span{train.lo, validation.hi}, quick); err != nil {
		return nil, err
	}
	if err := m.Validate(); err != nil {
		return nil, err
	}
	return &learned{m, metrics.BestThreshold(s.Climatology, y)}, nil
}

// calibrateModel puts a calibration into what the model adds up.
func calibrateModel(m *model.Model, c model.Calibration) {
	m.Calibration = c
	m.Intercept = float64(c.Slope*m.Intercept) + c.Offset
	if m.Family == model.FamilyTrees {
		m.Trees = m.Trees.Scaled(c.Slope)
		return
	}
	for i := range m.Inputs {
		m.Inputs[i].Weight = float64(c.Slope * m.Inputs[i].Weight)
	}
}

// newModel is all of a model but its numbers.
func newModel(task features.Task, cfg Config) (*model.Model, error) {
	training, err := cfg.canonical()
	if err != nil {
		return nil, err
	}
	return &model.Model{
		Format: model.Format, Name: task.Name, Task: task,
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
