package retrain

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"

	"livelab/pipeline/dataset"
	"livelab/pipeline/gate"
	"livelab/pipeline/metrics"
	"livelab/pipeline/model"
	"livelab/pipeline/publish"
	"livelab/pipeline/report"
	"livelab/pipeline/train"
)

// Reported is a version with its report.
type Reported struct {
	Model   string
	Version string
	Files   map[string][]byte // report.html and card.md
}

// Report writes the report and the card of a version anew, with the verdict
// that it has and beside today's champion, and keeps them with the version. An
// empty version stands for the one trained last. Where d is nil the dataset
// that was frozen beside the version is taken.
func (w *Way) Report(ctx context.Context, name, version string, d *dataset.Dataset) (Reported, error) {
	v, err := w.version(ctx, name, version)
	if err != nil {
		return Reported{}, fmt.Errorf("report: %w", err)
	}
	files, err := w.report(ctx, v, d)
	if err != nil {
		return Reported{}, fmt.Errorf("report on %s %s: %w", name, v.Version, err)
	}
	return Reported{Model: name, Version: v.Version, Files: files}, w.Registry.Amend(ctx, name, v.Version, files)
}

func (w *Way) report(ctx context.Context, v publish.Version, d *dataset.Dataset) (map[string][]byte, error) {
	m, measured, err := decode(v)
	if err != nil {
		return nil, err
	}
	on, err := w.materialOf(m, d)
	if err != nil {
		return nil, err
	}
	ts, err := w.open(ctx, m, v.Files)
	if err != nil {
		return nil, err
	}
	c, err := w.candidate(ctx, v, m, measured, on.clean, ts, measured.Test)
	if err != nil {
		return nil, err
	}
	champion, why, err := w.champion(ctx, m, on.clean, measured.Test)
	if err != nil {
		return nil, err
	}
	c.ChampionAbsent = why
	verdict, err := verdictOf(v)
	if err != nil {
		return nil, err
	}
	return w.reportFiles(ctx, v, on, c, champion, verdict)
}

// verdictOf a version is nil before the gate has judged it.
func verdictOf(v publish.Version) (*gate.Verdict, error) {
	b, ok := v.Files[model.GateFile]
	if !ok {
		return nil, nil
	}
	verdict, err := gate.ParseVerdict(b)
	return &verdict, err
}

// reportFiles shows a version as the gate sees it: c is the version itself on
// its test rows, champion whoever serves on the same rows.
func (w *Way) reportFiles(ctx context.Context, v publish.Version, on *material, c gate.Candidate, champion *gate.Candidate, verdict *gate.Verdict) (map[string][]byte, error) {
	m, measured, err := decode(v)
	if err != nil {
		return nil, err
	}
	if measured.Importance == nil { // trained before it was measured
		if measured.Importance, err = w.importanceOf(ctx, v, m, measured, on.clean); err != nil {
			return nil, err
		}
	}
	in := report.Input{
		Model: m, Metrics: measured, Test: c.Sample, Stations: stationNames(on.frozen),
		Data: describe(on.found), ChampionAbsent: c.ChampionAbsent, Verdict: verdict,
	}
	if err := json.Unmarshal(v.Files[model.MetadataFile], &in.Metadata); err != nil {
		return nil, fmt.Errorf("decode %s: %w", model.MetadataFile, err)
	}
	switch {
	case champion == nil:
	case champion.Digest == c.Digest:
		in.ChampionAbsent = "the champion is this very model"
	default:
		other, err := w.Registry.Read(ctx, v.Model, champion.Version)
		if err != nil {
			return nil, err
		}
		theirs, _, err := decode(other)
		if err != nil {
			return nil, err
		}
		in.Champion = &report.Champion{Version: champion.Version, Model: theirs, Forecasts: champion.Sample.Model}
	}
	return report.Files(in)
}

// importanceOf measures the inputs of a version that is there already.
func (w *Way) importanceOf(ctx context.Context, v publish.Version, m *model.Model, measured metrics.Report, d *dataset.Dataset) ([]metrics.Importance, error) {
	ts, err := w.open(ctx, m, v.Files)
	if err != nil {
		return nil, err
	}
	rows, err := Rows(m.Task, d, ts)
	if err != nil {
		return nil, err
	}
	return train.Importance(ctx, m, rows, measured.Test)
}

// addReport shows a version that was just trained, before anyone judges it.
func addReport(files map[string][]byte, on *material, meta model.Metadata, result *train.Result) error {
	shown, err := report.Files(report.Input{
		Model: result.Model, Metadata: meta, Metrics: result.Report, Test: result.Test,
		Stations: stationNames(on.frozen), Data: describe(on.found),
		ChampionAbsent: "the gate compares, and then writes this report anew",
	})
	maps.Copy(files, shown)
	return err
}

// stationNames are those that the entities of rows point to.
func stationNames(d *dataset.Dataset) []report.Station {
	if d.Stations == nil {
		return nil
	}
	names := make([]report.Station, len(d.Stations.List))
	for i, s := range d.Stations.List {
		names[i] = report.Station{ID: s.ID, Name: s.Name}
	}
	return names
}
