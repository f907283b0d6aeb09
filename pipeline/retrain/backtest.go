package retrain

import (
	"context"
	"fmt"

	"livelab/pipeline/dataset"
	"livelab/pipeline/features"
	"livelab/pipeline/metrics"
	"livelab/pipeline/model"
	"livelab/pipeline/publish"
	"livelab/pipeline/train"
)

// Backtested is how trainings at earlier times would have done.
type Backtested struct {
	Model   string         `json:"model"`
	Dataset string         `json:"dataset"`
	Folds   []metrics.Fold `json:"folds"`
}

// Backtest trains as often as the configuration has folds, each time on what
// lies before a stretch of the rows, and forecasts that stretch. Nothing is put
// into the registry.
func (w *Way) Backtest(ctx context.Context, d *dataset.Dataset, task features.Task, cfg train.Config) (Backtested, error) {
	b := Backtested{Model: task.Name}
	m, err := w.prepare(d, task, cfg)
	if err != nil {
		return b, fmt.Errorf("backtest %s: %w", task.Name, err)
	}
	b.Dataset = m.cfg.Dataset
	folds, err := train.Backtest(ctx, m.rows, m.cfg)
	if err != nil {
		return b, fmt.Errorf("backtest %s on %s: %w", task.Name, d.Network.ID, err)
	}
	for _, f := range folds {
		b.Folds = append(b.Folds, f.Fold)
	}
	return b, nil
}

// Layout gives the rows of a training as it would see them, each in its part.
func (w *Way) Layout(ctx context.Context, d *dataset.Dataset, task features.Task, cfg train.Config) (*train.Layout, error) {
	m, err := w.prepare(d, task, cfg)
	if err != nil {
		return nil, fmt.Errorf("lay out the rows of %s: %w", task.Name, err)
	}
	return train.Lay(ctx, m.rows, m.cfg)
}

// VersionLayout gives the rows of a version's training, with its transforms and
// its inputs, and its model. The dataset must be that of the version.
func (w *Way) VersionLayout(ctx context.Context, d *dataset.Dataset, name, version string) (*model.Model, *train.Layout, error) {
	v, err := w.version(ctx, name, version)
	if err != nil {
		return nil, nil, fmt.Errorf("lay out the rows of a version: %w", err)
	}
	m, l, err := w.versionLayout(ctx, d, v)
	if err != nil {
		return nil, nil, fmt.Errorf("lay out the rows of %s %s: %w", name, v.Version, err)
	}
	return m, l, nil
}

func (w *Way) versionLayout(ctx context.Context, d *dataset.Dataset, v publish.Version) (*model.Model, *train.Layout, error) {
	m, _, err := decode(v)
	if err != nil {
		return nil, nil, err
	}
	on, err := w.materialOf(m, d)
	if err != nil {
		return nil, nil, err
	}
	ts, err := w.open(ctx, m, v.Files)
	if err != nil {
		return nil, nil, err
	}
	rows, err := Rows(m.Task, on.clean, ts)
	if err != nil {
		return nil, nil, err
	}
	l, err := train.Lay(ctx, rows, on.cfg)
	return m, l, err
}
