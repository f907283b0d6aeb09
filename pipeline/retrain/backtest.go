package retrain

import (
	"context"
	"encoding/json"
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
	Model   string `json:"model"`
	Dataset string `json:"dataset"`
	Folds   []Fold `json:"folds"`
}

// Fold is one of them, with 95 % intervals over resampled days.
type Fold struct {
	metrics.Fold
	Intervals *metrics.BoardIntervals `json:"intervals,omitempty"` // nil where the fold was skipped
}

// Backtest trains as often as the configuration has folds, each time on what
// lies before a stretch of the rows, and forecasts that stretch. Nothing is put
// into the registry.
func (w *Way) Backtest(ctx context.Context, d *dataset.Dataset, task features.Task, cfg train.Config) (Backtested, error) {
	b := Backtested{Model: task.Name}
	d, rows, cfg, err := w.prepare(d, task, cfg)
	if err != nil {
		return b, fmt.Errorf("backtest %s: %w", task.Name, err)
	}
	b.Dataset = cfg.Dataset
	folds, err := train.Backtest(ctx, rows, cfg)
	if err != nil {
		return b, fmt.Errorf("backtest %s on %s: %w", task.Name, d.Network.ID, err)
	}
	for _, f := range folds {
		fold := Fold{Fold: f.Fold}
		if f.Skipped == "" {
			i := f.Sample.Intervals(f.Threshold, f.ClimatologyThreshold, metrics.DefaultResamples, metrics.DefaultSeed)
			fold.Intervals = &i
		}
		b.Folds = append(b.Folds, fold)
	}
	return b, nil
}

// Layout gives the rows of a training as it would see them, each in its part.
func (w *Way) Layout(ctx context.Context, d *dataset.Dataset, task features.Task, cfg train.Config) (*train.Layout, error) {
	_, rows, cfg, err := w.prepare(d, task, cfg)
	if err != nil {
		return nil, fmt.Errorf("lay out the rows of %s: %w", task.Name, err)
	}
	return train.Lay(ctx, rows, cfg)
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
	if d = d.For(m.Task); d.Digest() != m.Dataset {
		return nil, nil, fmt.Errorf("it was trained on the dataset %s, this one is %s", m.Dataset, d.Digest())
	}
	var cfg train.Config
	if err := json.Unmarshal(m.Training, &cfg); err != nil {
		return nil, nil, fmt.Errorf("decode its configuration: %w", err)
	}
	ts, err := w.open(ctx, m, v.Files)
	if err != nil {
		return nil, nil, err
	}
	rows, err := Rows(m.Task, d, ts)
	if err != nil {
		return nil, nil, err
	}
	cfg.Family = train.FamilyLogistic
	if m.Family == model.FamilyTrees {
		cfg.Family = train.FamilyTrees
	}
	l, err := train.Lay(ctx, rows, cfg)
	return m, l, err
}
