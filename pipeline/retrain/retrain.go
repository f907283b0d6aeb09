// Package retrain walks the way from a dataset to a published version: train,
// gate, publish. The commands take its steps one by one, `livelab retrain` and
// `livelab up` take them all, and each ends in the same bytes.
package retrain

import (
	"context"
	"encoding/json"
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
	"livelab/pipeline/train"
)

// Way is what the steps share.
type Way struct {
	// Registry receives the versions, and Root is its folder: the frozen
	// datasets lie beside the versions, at Root/<model>/datasets/<digest>.
	Registry *publish.Dir
	Root     string

	// Transforms that the models may use.
	Transforms []features.Transform

	// Rules of the gate.
	Rules gate.Rules

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
}

// Train trains on a dataset, freezes it beside the version, and puts the
// version into the registry as the latest. progress is told how far it is; it
// may be nil.
func (w *Way) Train(ctx context.Context, d *dataset.Dataset, task features.Task, cfg train.Config) (Trained, error) {
	digest := d.Digest()
	f, err := w.frame(task, d)
	if err != nil {
		return Trained{}, fmt.Errorf("train %s: %w", task.Name, err)
	}
	cfg.Dataset = digest
	cfg.Transforms = w.Transforms
	result, err := train.Run(ctx, f, cfg)
	if err != nil {
		return Trained{}, fmt.Errorf("train %s on %s: %w", task.Name, d.Network.ID, err)
	}
	if err := d.Keep(w.datasetsDir(task.Name)); err != nil {
		return Trained{}, err
	}
	return w.add(ctx, d, result)
}

func (w *Way) add(ctx context.Context, d *dataset.Dataset, result *train.Result) (Trained, error) {
	m := result.Model
	modelJSON, err := model.Encode(m)
	if err != nil {
		return Trained{}, err
	}
	now := w.Now().UTC()
	t := Trained{
		Model: m.Name, Digest: model.Digest(modelJSON), Dataset: m.Dataset, Metrics: result.Report,
	}
	t.Version = publish.VersionName(now, t.Digest)
	files, err := versionFiles(modelJSON, result, w.metadata(d, t, m, now), w.Transforms)
	if err != nil {
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
	}
	for _, in := range m.Inputs {
		meta.Features = append(meta.Features, in.Name)
	}
	for _, spec := range m.Transforms {
		if meta.Transforms == nil {
			meta.Transforms = make(map[string]string)
		}
		meta.Transforms[spec.Name] = spec.Digest
	}
	return meta
}

// frame builds the rows of a dataset with the transforms' outputs.
func (w *Way) frame(task features.Task, d *dataset.Dataset) (*features.Frame, error) {
	at := features.RowTimes(task, d.Series)
	if len(at) == 0 && len(d.Series.Points) > 0 {
		return nil, fmt.Errorf("none of the %d snapshots of %s shows a station whose bikes and empty slots are both known; %s cannot be asked of a network without docks",
			len(d.Series.Points), d.Network.ID, task.Name)
	}
	f, err := features.Build(task, features.PlaceOf(d.Network), d.Series, at)
	if err != nil {
		return nil, err
	}
	if err := features.ApplyTransforms(f, w.Transforms); err != nil {
		return nil, err
	}
	return f, nil
}

func (w *Way) datasetsDir(model string) string { return filepath.Join(w.Root, model, "datasets") }

// Gate judges a version on the test part of the data that it was trained on,
// beside the champion on the same rows, and keeps the verdict with the
// version. An empty version stands for the one trained last. Where d is nil
// the dataset that was frozen beside the version is taken.
func (w *Way) Gate(ctx context.Context, name, version string, d *dataset.Dataset) (gate.Verdict, error) {
	v, err := w.version(ctx, name, version)
	if err != nil {
		return gate.Verdict{}, fmt.Errorf("gate: %w", err)
	}
	m, report, err := decode(v)
	if err != nil {
		return gate.Verdict{}, fmt.Errorf("gate %s %s: %w", name, v.Version, err)
	}
	if d == nil {
		if d, err = dataset.Open(filepath.Join(w.datasetsDir(name), m.Dataset)); err != nil {
			return gate.Verdict{}, fmt.Errorf("gate %s %s: %w; name its dataset with --dataset", name, v.Version, err)
		}
	}
	if got := d.Digest(); got != m.Dataset {
		return gate.Verdict{}, fmt.Errorf("gate %s %s: it was trained on the dataset %s, this one is %s", name, v.Version, m.Dataset, got)
	}
	candidate, err := w.candidate(v, m, report, d, report.Test)
	if err != nil {
		return gate.Verdict{}, fmt.Errorf("gate %s %s: %w", name, v.Version, err)
	}
	champion, why, err := w.champion(ctx, m, d, report.Test)
	if err != nil {
		return gate.Verdict{}, fmt.Errorf("gate %s %s: %w", name, v.Version, err)
	}
	candidate.ChampionAbsent = why
	verdict, err := gate.Judge(w.Rules, candidate, champion)
	if err != nil {
		return gate.Verdict{}, fmt.Errorf("gate %s %s: %w", name, v.Version, err)
	}
	return verdict, w.keep(ctx, v, verdict)
}

func (w *Way) keep(ctx context.Context, v publish.Version, verdict gate.Verdict) error {
	j, err := verdict.JSON()
	if err != nil {
		return err
	}
	return w.Registry.Amend(ctx, v.Model, v.Version, map[string][]byte{
		model.GateFile:  j,
		model.GateTable: verdict.Markdown(),
	})
}

// candidate scores a version on the rows of one part of a dataset.
func (w *Way) candidate(v publish.Version, m *model.Model, report metrics.Report, d *dataset.Dataset, part metrics.Part) (gate.Candidate, error) {
	f, err := w.frame(m.Task, d)
	if err != nil {
		return gate.Candidate{}, err
	}
	from, to, err := part.Window()
	if err != nil {
		return gate.Candidate{}, err
	}
	sample, err := train.TestSample(m, f, from, to)
	if err != nil {
		return gate.Candidate{}, err
	}
	return gate.Candidate{
		Model: m.Name, Version: v.Version, Digest: v.Digest,
		Threshold:            m.Threshold,
		ClimatologyThreshold: float64(report.Baselines.Climatology.Threshold),
		Sample:               sample,
		Present:              m.Task.HorizonMinutes == 0,
		Network:              d.Network.ID,
		Origin:               string(d.Origin),
		Dataset:              m.Dataset,
	}, nil
}

// champion scores the serving version on the same rows. It is nil, with the
// reason, where there is none or where it answers another question.
func (w *Way) champion(ctx context.Context, candidate *model.Model, d *dataset.Dataset, part metrics.Part) (*gate.Candidate, string, error) {
	alias, err := w.Registry.Alias(ctx, candidate.Name, publish.Champion)
	if errors.Is(err, publish.ErrNotFound) {
		return nil, "", nil
	}
	if err != nil {
		return nil, "", err
	}
	v, err := w.Registry.Read(ctx, candidate.Name, alias.Version)
	if err != nil {
		w.Logger.Warn("the champion cannot be read; the gate judges without it", "version", alias.Version, "error", err)
		return nil, "the champion cannot be read", nil
	}
	m, report, err := decode(v)
	if err != nil {
		return nil, "", err
	}
	var meta model.Metadata
	if err := json.Unmarshal(v.Files[model.MetadataFile], &meta); err != nil {
		return nil, "", fmt.Errorf("decode %s of the champion: %w", model.MetadataFile, err)
	}
	switch {
	case m.Task != candidate.Task:
		return nil, "the champion answers another question: " + m.Task.Rule(), nil
	case meta.Network != d.Network.ID || meta.Origin != string(d.Origin):
		return nil, "the champion was trained on " + meta.Data(), nil
	}
	c, err := w.candidate(v, m, report, d, part)
	if err != nil {
		return nil, "", fmt.Errorf("score the champion %s: %w", alias.Version, err)
	}
	return &c, "", nil
}

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
