package main

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"time"

	"livelab/pipeline/dataset"
	"livelab/pipeline/features"
	"livelab/pipeline/gate"
	"livelab/pipeline/quality"
	"livelab/pipeline/train"
	"livelab/runtime/loader"
)

// subject is a question that a running LiveLab trains models for.
type subject struct {
	task   features.Task
	cfg    train.Config
	main   bool // it is that of --task
	judged bool // the gate has refused a model made from the data
}

// stationMonths is how much of the past the model about stations is trained on
// at most. There are hundreds of stations for each network, and what was two
// seasons ago says little about them.
const stationMonths = 6

// questions are those of the flags: that of --task first.
func (f *upFlags) questions() ([]*subject, error) {
	task, cfg, err := f.train.parse()
	if err != nil {
		return nil, err
	}
	list := []*subject{{task: task, cfg: cfg, main: true}}
	if !f.serve.stations || task.Name == stationTask {
		return list, nil
	}
	stations := features.StationShortage(0)
	stations.HorizonMinutes = task.HorizonMinutes
	// In the background, requests come first.
	cfg = train.Config{C: cfg.C, Workers: max(1, runtime.GOMAXPROCS(0)-1)}
	return append(list, &subject{task: stations, cfg: cfg}), nil
}

// data reads what a question is trained on. The error is a
// *dataset.NetworkError while there is nothing.
func (t *tender) data(ctx context.Context, q *subject) (*dataset.Dataset, error) {
	sel := dataset.Selection{To: t.source.now(), Stations: q.task.Entity == features.EntityStation}
	if len(t.source.networks) > 0 {
		sel.Network = t.source.networks[0]
	}
	if sel.Stations {
		sel.From = sel.To.AddDate(0, -stationMonths, 0)
	}
	return dataset.FromStore(ctx, t.store, sel)
}

// retrain takes the whole way on what is stored. That there is too little
// data, or that the gate refuses, is said and no reason to stop.
func (t *tender) retrain(ctx context.Context, bars *progress, q *subject, by string) error {
	d, err := t.data(ctx, q)
	var unknown *dataset.NetworkError
	if errors.As(err, &unknown) {
		t.app.log.Warn("nothing to train on yet", "model", q.task.Name, "error", err)
		return nil
	}
	if err != nil {
		return err
	}
	cfg := q.cfg
	t.way.Transforms = nil
	if q.main {
		if t.way.Transforms, err = t.findTransforms(ctx); err != nil {
			return err
		}
		if cfg.Inputs, err = withOutputs(cfg.Inputs, t.way.Transforms); err != nil {
			return err
		}
	}
	at, end := bars.step("train " + q.task.Name)
	cfg.Progress = func(p train.Progress) { at(int64(p.Done), int64(p.Total)) }
	o, err := t.way.Run(ctx, d, q.task, cfg, by)
	end()
	var tooLittle *train.TooLittleError
	var oneClass *train.OneClassError
	var refused *quality.RefusedError
	switch {
	case errors.As(err, &tooLittle), errors.As(err, &oneClass), errors.As(err, &refused):
		t.app.log.Warn("not trained; "+t.goesOn(q), "model", q.task.Name, "error", err)
		return nil
	case err != nil:
		return err
	case o.Verdict.Result != gate.Pass:
		q.judged = true
		t.app.log.Warn("the gate let no new model in; "+t.goesOn(q), "model", q.task.Name, "version", o.Trained.Version,
			"verdict", o.Verdict.Result, "why", o.Verdict.Conclusion, "more", "livelab models show "+o.Trained.Version+" --task "+q.task.Name)
		return nil
	}
	t.app.log.Info("published", "model", q.task.Name, "version", o.Trained.Version, "f1", o.Trained.Metrics.F1)
	if err = t.serveNew(ctx, q); errors.Is(err, loader.ErrUnloaded) {
		t.app.log.Warn("published, and not served: the model was unloaded; POST /reload_model, or load it by /v2/repository, has it serve again", "model", q.task.Name)
		return nil
	}
	return err
}

// serveNew has what was just published serve.
func (t *tender) serveNew(ctx context.Context, q *subject) error {
	if q.main {
		return t.svc.models.Refresh(ctx)
	}
	return t.svc.models.RefreshModel(ctx, q.task.Name)
}

// serves gives the model in service for a question, nil while there is none.
func (t *tender) serves(q *subject) *loader.Loaded {
	if q.main {
		return t.svc.models.Current()
	}
	l, err := t.svc.models.Find(q.task.Name, "")
	if err != nil {
		return nil
	}
	return l
}

// goesOn says what serves after a training that brought no new model.
func (t *tender) goesOn(q *subject) string {
	if t.serves(q) == nil {
		return "nothing serves yet"
	}
	return "what serves goes on serving"
}

// lacksModel reports whether there is too little data for a first model of some
// question.
func (t *tender) lacksModel() bool {
	for _, q := range t.questions {
		unloaded := false
		if f := t.svc.models.Failure(); q.main && f != nil {
			unloaded = errors.Is(f.Err, loader.ErrUnloaded)
		}
		if t.serves(q) == nil && !unloaded && !q.judged {
			return true
		}
	}
	return false
}

// beginBeside trains the models that are not there yet for the questions beside
// that of --task, which is answered meanwhile. That it fails is said and no
// reason to stop.
func (t *tender) beginBeside(ctx context.Context) error {
	for _, q := range t.questions[1:] {
		select {
		case <-t.svc.stations.tried:
		case <-ctx.Done():
			return ctx.Err()
		}
		if t.serves(q) != nil {
			continue
		}
		t.app.log.Info("training in the background", "model", q.task.Name)
		start := time.Now()
		bars := t.app.newProgress()
		err := t.retrain(ctx, bars, q, "livelab up, first start")
		bars.wait()
		if err := t.tolerate(ctx, q, err); err != nil {
			return err
		}
		if l := t.serves(q); l != nil {
			t.app.log.Info("in service beside", "model", q.task.Name, "version", l.Version, "after", time.Since(start).Round(time.Second).String())
		}
	}
	return nil
}

// tolerate says that a training failed. It gives the error back where that is
// the end of the program.
func (t *tender) tolerate(ctx context.Context, q *subject, err error) error {
	if ctx.Err() != nil {
		return fmt.Errorf("train %s: %w", q.task.Name, ctx.Err())
	}
	if err != nil {
		t.app.log.Error("training failed; "+t.goesOn(q), "model", q.task.Name, "error", err)
	}
	return nil
}
