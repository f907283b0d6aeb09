package loader

import (
	"context"
	"fmt"

	"livelab/pipeline/features"
	"livelab/pipeline/model"
	"livelab/pipeline/publish"
)

// target is what is to serve. Of a version that is held its digest is not
// known beforehand; a part of it is in its name.
func (l *Loader) target(ctx context.Context) (publish.Step, error) {
	if l.cfg.Version != "" {
		return publish.Step{Version: l.cfg.Version}, nil
	}
	alias, err := l.cfg.Registry.Alias(ctx, l.cfg.Model, l.cfg.Alias)
	return alias.Step, err
}

// load fetches a version, proves that it is whole and can serve, and warms it
// up.
func (l *Loader) load(ctx context.Context, target publish.Step) (*Loaded, error) {
	v, err := l.cfg.Registry.Read(ctx, l.cfg.Model, target.Version)
	if err != nil {
		return nil, err
	}
	loaded, err := open(v, l.cfg.Model, target.Digest)
	if err == nil {
		err = l.bind(ctx, loaded, v)
	}
	if err != nil {
		return nil, fmt.Errorf("version %s: %w", target.Version, err)
	}
	loaded.LoadedAt = l.cfg.Now().UTC()
	return loaded, nil
}

// bind gives a model that may serve its transforms and has it answer.
func (l *Loader) bind(ctx context.Context, loaded *Loaded, v publish.Version) error {
	if l.cfg.Accept != nil {
		if err := l.cfg.Accept(loaded); err != nil {
			return err
		}
	}
	var offered []features.Transform
	if l.cfg.Transforms != nil {
		var err error
		if offered, err = l.cfg.Transforms(ctx, v); err != nil {
			return fmt.Errorf("prepare transforms: %w", err)
		}
	}
	p, err := model.NewPredictor(loaded.Model, offered)
	if err != nil {
		return err
	}
	if err := p.SelfTest(); err != nil {
		return err
	}
	if err := warm(p); err != nil {
		return err
	}
	loaded.Predictor = p
	return nil
}
