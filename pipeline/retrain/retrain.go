// Package retrain walks the way from a dataset to a published version: train,
// gate, publish. The commands take its steps one by one, `livelab retrain` and
// `livelab up` take them all, and each ends in the same bytes.
package retrain

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"time"

	"livelab/pipeline/dataset"
	"livelab/pipeline/features"
	"livelab/pipeline/gate"
	"livelab/pipeline/metrics"
	"livelab/pipeline/model"
	"livelab/pipeline/publish"
	"livelab/pipeline/quality"
	"livelab/pipeline/train"
)

// Way is what the steps share.
type Way struct {
	// Registry receives the versions, and Root is its folder: the frozen
	// datasets lie beside the versions, at Root/<model>/datasets/<digest>.
	Registry *publish.Dir
	Root     string

	// Transforms that Train trains with, in any order: features.Order says in
	// which they are applied.
	Transforms []features.Transform

	// Open gives the transforms that a version's model pins, made from the
	// code that its files carry. It is asked for versions that have any, so
	// that a version is judged with its own transforms whatever a training
	// takes today. Nil opens none.
	Open func(ctx context.Context, files map[string][]byte) ([]features.Transform, error)

	// Rules of the gate, and Quality those of the data; the defaults where it
	// is zero.
	Rules   gate.Rules
	Quality quality.Rules

	// Code is the version of this program, for the metadata.
	Code string

	Now    func() time.Time
	Logger *slog.Logger
}

// Trained is a version that has been trained and put into the registry, where
// it waits for the gate.
type Trained struct {
	Model   string         `json:"model"`
	Version string         `json:"version"`
	Digest  string         `json:"digest"`
	Dataset string         `json:"dataset"`
	Metrics metrics.Report `json:"metrics"`

	Transforms map[string]string `json:"transforms,omitempty"`         // digests by name
	Failures   []Failures        `json:"transform_failures,omitempty"` // of those that failed on rows

	// Quality is what the inspection of the data found before.
	Quality quality.Report `json:"quality"`
}

// Train looks a dataset over, trains on what is fit for it, freezes the dataset
// beside the version, and puts the version into the registry as the latest. The
// error is a *quality.RefusedError where the data is too bad.
func (w *Way) Train(ctx context.Context, d *dataset.Dataset, task features.Task, cfg train.Config) (Trained, error) {
	m, err := w.prepare(d, task, cfg)
	if err != nil {
		return Trained{}, fmt.Errorf("train %s: %w", task.Name, err)
	}
	result, err := train.Run(ctx, m.rows, m.cfg)
	if err != nil {
		return Trained{}, fmt.Errorf("train %s on %s: %w", task.Name, d.Network.ID, err)
	}
	if err := measureMore(ctx, m, task, result); err != nil {
		return Trained{}, fmt.Errorf("train %s on %s: %w", task.Name, d.Network.ID, err)
	}
	if err := m.frozen.Keep(w.datasetsDir(task.Name)); err != nil {
		return Trained{}, err
	}
	t, err := w.add(ctx, m, result)
	if err != nil {
		return Trained{}, err
	}
	t.Failures, t.Quality = m.rows.failures, m.found
	for _, f := range t.Failures {
		w.Logger.Warn(f.String())
	}
	return t, nil
}

func (w *Way) add(ctx context.Context, on *material, result *train.Result) (Trained, error) {
	m, d := result.Model, on.frozen
	modelJSON, err := model.Encode(m)
	if err != nil {
		return Trained{}, err
	}
	now := w.Now().UTC()
	t := Trained{
		Model: m.Name, Digest: model.Digest(modelJSON), Dataset: m.Dataset, Metrics: result.Report,
		Transforms: digests(m.Transforms),
	}
	t.Version = publish.VersionName(now, t.Digest)
	meta := w.metadata(d, t, m, now)
	files, err := versionFiles(modelJSON, result, meta, w.Transforms)
	if err != nil {
		return Trained{}, err
	}
	if err := addReport(files, on, meta, result); err != nil {
		return Trained{}, err
	}
	if t.Version, err = w.Registry.Add(ctx, m.Name, files, now); err != nil {
		return Trained{}, err
	}
	return t, nil
}

func (w *Way) metadata(d *dataset.Dataset, t Trained, m *model.Model, now time.Time) model.Metadata {
	meta := model.Metadata{
		ModelVersion: t.Version,
		Model:        m.Name,
		Digest:       t.Digest,
		TrainedAt:    now.Format(time.RFC3339),
		F1:           float64(t.Metrics.F1),
		TargetRule:   m.Task.Rule(),
		Horizon:      m.Task.HorizonMinutes,
		Network:      d.Network.ID,
		Origin:       string(d.Origin),
		Dataset:      m.Dataset,
		DataFrom:     t.Metrics.Train.From,
		DataTo:       t.Metrics.Test.To,
		Code:         w.Code,
		Transforms:   t.Transforms,
	}
	for _, in := range m.Inputs {
		meta.Features = append(meta.Features, in.Name)
	}
	return meta
}

// digests are nil for none.
func digests(specs []features.TransformSpec) map[string]string {
	if len(specs) == 0 {
		return nil
	}
	ds := make(map[string]string, len(specs))
	for _, spec := range specs {
		ds[spec.Name] = spec.Digest
	}
	return ds
}

func (w *Way) datasetsDir(model string) string { return filepath.Join(w.Root, model, "datasets") }

// version reads a version, by default the one trained last.
func (w *Way) version(ctx context.Context, name, version string) (publish.Version, error) {
	if version == "" {
		version = publish.Latest
	}
	v, err := w.Registry.Resolve(ctx, name, version)
	switch {
	case err == nil || ctx.Err() != nil:
		return v, err
	case errors.Is(err, publish.ErrNotFound):
		return v, fmt.Errorf("%w; run `livelab train` first, or see `livelab models list`", err)
	}
	return v, fmt.Errorf("%w; train again, or name another of `livelab models list` with --version", err)
}

// Publish makes a version the champion. It is refused without a passing
// verdict for exactly this digest, unless forced. An empty version stands for
// the one trained last.
func (w *Way) Publish(ctx context.Context, name, version string, force bool, by string) (string, error) {
	v, err := w.version(ctx, name, version)
	if err != nil {
		return "", fmt.Errorf("publish: %w", err)
	}
	err = w.Registry.Promote(ctx, name, v.Version, publish.PromoteOptions{Force: force, At: w.Now().UTC(), By: by})
	if err != nil {
		return "", fmt.Errorf("publish %s %s: %w", name, v.Version, err)
	}
	return v.Version, nil
}

// Outcome is what a whole retraining came to.
type Outcome struct {
	Trained   Trained
	Verdict   gate.Verdict
	Published bool
}

// Run takes the whole way. A verdict that is not a pass is no error: the
// champion stays, and the outcome says why.
func (w *Way) Run(ctx context.Context, d *dataset.Dataset, task features.Task, cfg train.Config, by string) (Outcome, error) {
	var o Outcome
	var err error
	if o.Trained, err = w.Train(ctx, d, task, cfg); err != nil {
		return o, err
	}
	if o.Verdict, err = w.Gate(ctx, o.Trained.Model, o.Trained.Version, d); err != nil {
		return o, err
	}
	if o.Verdict.Result != gate.Pass {
		return o, nil
	}
	if _, err = w.Publish(ctx, o.Trained.Model, o.Trained.Version, false, by); err != nil {
		return o, err
	}
	o.Published = true
	return o, nil
}
