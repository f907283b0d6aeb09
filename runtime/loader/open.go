package loader

import (
	"context"
	"encoding/json"
	"fmt"

	"livelab/pipeline/features"
	"livelab/pipeline/model"
	"livelab/pipeline/publish"
)

// open decodes a version's files after it has checked that they are those that
// the training left and the alias was set to.
func open(v publish.Version, digest string) (*Loaded, error) {
	var manifest model.Manifest
	if err := read(v, model.ManifestFile, &manifest); err != nil {
		return nil, err
	}
	if err := manifest.Verify(v.Files); err != nil {
		return nil, err
	}
	for _, name := range []string{model.ModelFile, model.MetricsFile, model.MetadataFile} {
		if _, ok := manifest.Files[name]; !ok {
			return nil, fmt.Errorf("%s is not in the manifest, so nothing vouches for it: publish the version again", name)
		}
	}
	l := &Loaded{Version: v.Version, Digest: model.Digest(v.Files[model.ModelFile])}
	if l.Digest != digest {
		return nil, fmt.Errorf("%s has digest %s, the alias was set to %s: another model took its place", model.ModelFile, l.Digest, digest)
	}
	var err error
	if l.Model, err = model.Decode(v.Files[model.ModelFile]); err != nil {
		return nil, err
	}
	if err := read(v, model.MetricsFile, &l.Report); err != nil {
		return nil, err
	}
	if err := read(v, model.MetadataFile, &l.Metadata); err != nil {
		return nil, err
	}
	l.Verdict = verdict(v, l.Digest)
	return l, nil
}

func read(v publish.Version, name string, into any) error {
	b, ok := v.Files[name]
	if !ok {
		return fmt.Errorf("%s is missing: the version is incomplete, train or publish it again", name)
	}
	if err := json.Unmarshal(b, into); err != nil {
		return fmt.Errorf("read %s: %w", name, err)
	}
	return nil
}

// verdict reads what the gate said of this very model. One that cannot be read
// or is of another model is none: it is shown, and decides nothing here.
func verdict(v publish.Version, digest string) Verdict {
	var gate struct {
		Verdict
		Digest string `json:"digest"`
	}
	if err := read(v, model.GateFile, &gate); err != nil || gate.Digest != digest {
		return Verdict{}
	}
	return gate.Verdict
}

// bind gives a model that may serve its transforms and has it answer once.
func (l *Loader) bind(ctx context.Context, loaded *Loaded, v publish.Version) error {
	var offered []features.Transform
	if l.cfg.Transforms != nil {
		var err error
		if offered, err = l.cfg.Transforms(ctx, v); err != nil {
			return fmt.Errorf("prepare transforms: %w", err)
		}
	}
	if l.cfg.Accept != nil {
		if err := l.cfg.Accept(loaded); err != nil {
			return err
		}
	}
	p, err := model.NewPredictor(loaded.Model, offered)
	if err != nil {
		return err
	}
	if err := p.SelfTest(); err != nil {
		return err
	}
	loaded.Predictor = p
	return nil
}
