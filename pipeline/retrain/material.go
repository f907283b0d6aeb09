package retrain

import (
	"encoding/json"
	"fmt"
	"path/filepath"

	"livelab/pipeline/dataset"
	"livelab/pipeline/features"
	"livelab/pipeline/model"
	"livelab/pipeline/quality"
	"livelab/pipeline/train"
)

// material is what a model is trained on.
type material struct {
	frozen *dataset.Dataset // the part that the task reads, as it is kept
	clean  *dataset.Dataset // without what the inspection excluded: what rows are made from
	found  quality.Report

	rows *counted
	cfg  train.Config
}

// prepare looks over the part of a dataset that a task reads, and gives the rows
// and the configuration of a training on it.
func (w *Way) prepare(d *dataset.Dataset, task features.Task, cfg train.Config) (*material, error) {
	rules := w.Quality
	if rules == (quality.Rules{}) {
		rules = quality.DefaultRules()
	}
	m := &material{frozen: d.For(task), cfg: cfg}
	m.found, m.clean = quality.Inspect(m.frozen, task, rules)
	if err := m.found.Err(); err != nil {
		return nil, err
	}
	ts, err := features.Order(w.Transforms)
	if err != nil {
		return nil, err
	}
	source, err := Rows(task, m.clean, ts)
	if err != nil {
		return nil, err
	}
	if m.cfg.Quality, err = json.Marshal(rules); err != nil {
		return nil, fmt.Errorf("encode the rules of data quality: %w", err)
	}
	m.rows = &counted{Rows: source, transforms: ts}
	m.cfg.Dataset, m.cfg.Transforms = m.frozen.Digest(), ts
	return m, nil
}

// materialOf gives what a model was trained on: of d or, where that is nil, of
// the dataset that was frozen beside the version. The rules that its training
// went by are in the model.
func (w *Way) materialOf(m *model.Model, d *dataset.Dataset) (*material, error) {
	if d == nil {
		var err error
		if d, err = dataset.OpenFor(filepath.Join(w.datasetsDir(m.Name), m.Dataset), m.Task); err != nil {
			return nil, fmt.Errorf("%w; name its dataset with --dataset", err)
		}
	}
	on := &material{frozen: d.For(m.Task)}
	if got := on.frozen.Digest(); got != m.Dataset {
		return nil, fmt.Errorf("it was trained on the dataset %s, this one is %s", m.Dataset, got)
	}
	if err := json.Unmarshal(m.Training, &on.cfg); err != nil {
		return nil, fmt.Errorf("decode the configuration of its training: %w", err)
	}
	on.cfg.Family = train.Family(m.Family.String())
	if on.cfg.Quality == nil { // trained before data was looked over
		on.found, _ = quality.Inspect(on.frozen, m.Task, quality.DefaultRules())
		on.clean = on.frozen
		return on, nil
	}
	var rules quality.Rules
	if err := json.Unmarshal(on.cfg.Quality, &rules); err != nil {
		return nil, fmt.Errorf("decode the rules of data quality of its training: %w", err)
	}
	on.found, on.clean = quality.Inspect(on.frozen, m.Task, rules)
	return on, nil
}
