package retrain

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"livelab/pipeline/dataset"
	"livelab/pipeline/features"
	"livelab/pipeline/gate"
	"livelab/pipeline/metrics"
	"livelab/pipeline/model"
	"livelab/pipeline/publish"
	"livelab/pipeline/train"
)

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
	on, err := w.materialOf(m, d)
	if err != nil {
		return gate.Verdict{}, fmt.Errorf("gate %s %s: %w", name, v.Version, err)
	}
	ts, err := w.open(ctx, m, v.Files)
	if err != nil {
		return gate.Verdict{}, fmt.Errorf("gate %s %s: %w", name, v.Version, err)
	}
	candidate, err := w.candidate(ctx, v, m, report, on.clean, ts, report.Test)
	if err != nil {
		return gate.Verdict{}, fmt.Errorf("gate %s %s: %w", name, v.Version, err)
	}
	champion, why, err := w.champion(ctx, m, on.clean, report.Test)
	if err != nil {
		return gate.Verdict{}, fmt.Errorf("gate %s %s: %w", name, v.Version, err)
	}
	candidate.ChampionAbsent = why
	verdict, err := gate.Judge(w.Rules, candidate, champion)
	if err != nil {
		return gate.Verdict{}, fmt.Errorf("gate %s %s: %w", name, v.Version, err)
	}
	files, err := w.reportFiles(ctx, v, on, candidate, champion, &verdict)
	if err != nil {
		return gate.Verdict{}, fmt.Errorf("gate %s %s: %w", name, v.Version, err)
	}
	return verdict, w.keep(ctx, v, verdict, files)
}

// keep gives the version its verdict, and the report and card that show it.
func (w *Way) keep(ctx context.Context, v publish.Version, verdict gate.Verdict, files map[string][]byte) error {
	var err error
	if files[model.GateFile], err = verdict.JSON(); err != nil {
		return err
	}
	files[model.GateTable] = verdict.Markdown()
	return w.Registry.Amend(ctx, v.Model, v.Version, files)
}

// candidate scores a version, with its transforms, on the rows of one part of a
// dataset.
func (w *Way) candidate(ctx context.Context, v publish.Version, m *model.Model, report metrics.Report, d *dataset.Dataset, ts []features.Transform, part metrics.Part) (gate.Candidate, error) {
	rows, err := Rows(m.Task, d, ts)
	if err != nil {
		return gate.Candidate{}, err
	}
	from, to, err := part.Window()
	if err != nil {
		return gate.Candidate{}, err
	}
	sample, err := train.TestSample(ctx, m, rows, from, to)
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
	ts, err := w.open(ctx, m, v.Files)
	if ctx.Err() != nil {
		return nil, "", ctx.Err()
	}
	if err != nil {
		w.Logger.Warn("the champion's transforms cannot be used; the gate judges without it", "version", alias.Version, "error", err)
		return nil, "the champion's transforms cannot be used here", nil
	}
	c, err := w.candidate(ctx, v, m, report, d, ts, part)
	if err != nil {
		return nil, "", fmt.Errorf("score the champion %s: %w", alias.Version, err)
	}
	return &c, "", nil
}

// open gives the transforms of a version's own model.
func (w *Way) open(ctx context.Context, m *model.Model, files map[string][]byte) ([]features.Transform, error) {
	if len(m.Transforms) == 0 {
		return nil, nil
	}
	if w.Open == nil {
		return nil, fmt.Errorf("the model needs the transform %s, and nothing here opens transforms", m.Transforms[0].Name)
	}
	opened, err := w.Open(ctx, files)
	if err != nil {
		return nil, fmt.Errorf("open its transforms: %w", err)
	}
	return model.Bind(m, opened)
}
