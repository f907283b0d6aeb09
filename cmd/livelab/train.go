package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"livelab/pipeline/dataset"
	"livelab/pipeline/features"
	"livelab/pipeline/gate"
	"livelab/pipeline/metrics"
	"livelab/pipeline/quality"
	"livelab/pipeline/retrain"
	"livelab/pipeline/train"
)

// familyAuto leaves the kind of model to the task.
const familyAuto = "auto"

// trainFlags are the flags of everything that trains.
type trainFlags struct {
	task     string
	network  string
	bikes    int
	horizon  time.Duration
	family   string
	features string
	c        float64
	rules    string
	quality  string
	dataset  string

	transforms []string
}

func (f *trainFlags) add(cmd *cobra.Command) {
	fl := cmd.Flags()
	fl.StringVar(&f.task, "task", "network-shortage", "`question` that the model answers")
	fl.StringVar(&f.network, "network", "", "`network` to train on; not needed where the data holds one only")
	fl.IntVar(&f.bikes, "bikes", 0, "of station-shortage: a station with at most so many `bikes` is short")
	fl.DurationVar(&f.horizon, "horizon", time.Hour, "how far ahead the model looks, whole minutes from 0 to 24h")
	fl.StringVar(&f.family, "family", familyAuto, "`kind` of model: logistic, trees, or auto (logistic for a network, trees for stations)")
	fl.StringVar(&f.features, "features", "all", "all, classic (the eight inputs that every client sends), or a comma-separated `list`")
	fl.Float64Var(&f.c, "c", 1, "inverse strength of the L2 penalty of a logistic model")
	fl.StringVar(&f.dataset, "dataset", "", "frozen dataset to train on, a `folder` (default: what the store holds)")
	fl.StringVar(&f.quality, "quality", "", "rules `file` of data quality, YAML (default: see \"livelab quality --print-rules\")")
	f.addTransforms(cmd)
}

func (f *trainFlags) addTransforms(cmd *cobra.Command, names ...string) {
	cmd.Flags().StringSliceVar(&f.transforms, "transform", names,
		"transforms to train with: `NAME`, NAME@DIGEST or a .wasm file, repeatable or with commas; none for none")
}

// parse gives the task and the training's configuration.
func (f *trainFlags) parse() (features.Task, train.Config, error) {
	task, err := parseTask(f.task)
	if err != nil {
		return task, train.Config{}, err
	}
	if f.bikes != 0 && task.Target.Kind != features.AtMost {
		return task, train.Config{}, usageError("--bikes is %d, but %s does not count bikes; it goes with --task station-shortage", f.bikes, task.Name)
	}
	task.Target.Bikes = f.bikes
	if f.horizon%time.Minute != 0 {
		return task, train.Config{}, usageError("--horizon is %s, must be whole minutes", f.horizon)
	}
	task.HorizonMinutes = int(f.horizon / time.Minute)
	if err := task.Validate(); err != nil {
		return task, train.Config{}, usageError("--horizon or --bikes: %w", err)
	}
	if err := oneOf("family", f.family, familyAuto, string(train.FamilyLogistic), string(train.FamilyTrees)); err != nil {
		return task, train.Config{}, err
	}
	if !(f.c > 0 && f.c <= math.MaxFloat64) { // NaN is out, too
		return task, train.Config{}, usageError("--c is %v, must be a positive number", f.c)
	}
	cfg := train.Config{C: f.c}
	if f.family != familyAuto {
		cfg.Family = train.Family(f.family)
	}
	switch f.features {
	case "all": // what training takes by itself
	case "classic":
		cfg.Inputs = features.ClassicInputs()
	default:
		cfg.Inputs = strings.Split(f.features, ",")
	}
	return task, cfg, checkFeatures(task.Entity, cfg.Inputs)
}

func checkFeatures(entity features.Entity, names []string) error {
	for _, name := range names {
		if strings.Contains(name, ".") {
			continue // an output of a transform, see withOutputs
		}
		known := func(f features.Feature) bool { return f.Name == name && f.Role(entity) != features.Absent }
		if !slices.ContainsFunc(features.Catalogue(), known) {
			return usageError("--features names %q, which the rows of a %s do not have; a model of it reads %s", name, entity, someOf(features.Inputs(entity)))
		}
	}
	return nil
}

// someOf lists names, the first of them where they are many.
func someOf(names []string) string {
	const most = 24
	if len(names) <= most {
		return strings.Join(names, " ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:most], " "), len(names)-most)
}

// withOutputs adds the outputs of transforms to features that were chosen,
// unless these name what they take of a transform. No features are the default
// of the training, which has the outputs.
func withOutputs(chosen []string, ts []features.Transform) ([]string, error) {
	if len(chosen) == 0 {
		return nil, nil
	}
	inputs, outputs := slices.Clone(chosen), make(map[string]bool)
	for _, t := range ts {
		spec := t.Spec()
		named := slices.ContainsFunc(chosen, func(c string) bool { return strings.HasPrefix(c, spec.Name+".") })
		for _, out := range spec.Outputs {
			outputs[spec.Name+"."+out] = true
			if !named {
				inputs = append(inputs, spec.Name+"."+out)
			}
		}
	}
	for _, name := range chosen {
		if strings.Contains(name, ".") && !outputs[name] {
			return nil, usageError("--features names %q, which no --transform gives", name)
		}
	}
	return inputs, nil
}

// parseTask finds a task by its name.
func parseTask(name string) (features.Task, error) {
	network, station := features.NetworkShortage(), features.StationShortage(0)
	if err := oneOf("task", name, network.Name, station.Name); err != nil {
		return features.Task{}, err
	}
	if name == station.Name {
		return station, nil
	}
	return network, nil
}

// way sets up the steps from a dataset to a published version.
func (a *app) way(rulesFile string) (*retrain.Way, error) {
	rules, err := readRules(rulesFile)
	if err != nil {
		return nil, err
	}
	return &retrain.Way{
		Registry: a.registry(),
		Root:     a.artifacts,
		Rules:    rules,
		Open:     a.openTransforms,
		Code:     code(),
		Now:      time.Now,
		Logger:   a.log,
	}, nil
}

// wayOver sets up the steps over versions that are there. The dataset is nil,
// which stands for the one frozen beside a version, where no folder is named.
func (a *app) wayOver(task, rulesFile, datasetDir string) (*retrain.Way, *dataset.Dataset, error) {
	if _, err := parseTask(task); err != nil {
		return nil, nil, err
	}
	w, err := a.way(rulesFile)
	if err != nil || datasetDir == "" {
		return w, nil, err
	}
	d, err := dataset.Open(datasetDir)
	return w, d, err
}

// readDataset opens a frozen dataset, or reads what a task needs of the store's
// data where dir is empty.
func (a *app) readDataset(ctx context.Context, dir, network string, task features.Task) (d *dataset.Dataset, err error) {
	if dir != "" {
		d, err = dataset.Open(dir)
		if err == nil && network != "" && network != d.Network.ID {
			// No refusal: a variable that names the network is for other commands, too.
			a.log.Warn("the dataset is of another network than --network names; the dataset is taken", "dataset", dir, "of", d.Network.ID, "network", network)
		}
		return d, err
	}
	s, err := a.openStore(ctx)
	if err != nil {
		return nil, err
	}
	defer closing(&err, s)
	return dataset.FromStore(ctx, s, dataset.Selection{Network: network, Stations: task.Entity == features.EntityStation})
}

func (a *app) trainCommand() *cobra.Command {
	var flags trainFlags
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "train",
		Short: "Train a version and put it into the registry, where it waits for the gate",
		Args:  cobra.NoArgs,
		Example: `  livelab train
  livelab train --dataset frozen --horizon 30m --json
  livelab train --task station-shortage --bikes 1
  livelab train --transform calendar,./my.wasm`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var t retrain.Trained
			err := a.training(cmd.Context(), flags, func(w *retrain.Way, d *dataset.Dataset, task features.Task, cfg train.Config) (err error) {
				t, err = w.Train(cmd.Context(), d, task, cfg)
				return err
			})
			switch {
			case err != nil:
				return a.trainError(err, asJSON)
			case asJSON:
				return a.printJSON(t)
			}
			a.printTrained(t)
			return nil
		},
	}
	flags.add(cmd)
	a.addHostFlags(cmd)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// training does what the flags ask for, with progress shown.
func (a *app) training(ctx context.Context, flags trainFlags, do func(*retrain.Way, *dataset.Dataset, features.Task, train.Config) error) error {
	task, cfg, err := flags.parse()
	if err != nil {
		return err
	}
	w, err := a.way(flags.rules)
	if err != nil {
		return err
	}
	if w.Quality, err = readQuality(flags.quality); err != nil {
		return err
	}
	if w.Transforms, err = a.resolveTransforms(ctx, flags.transforms); err != nil {
		return err
	}
	if cfg.Inputs, err = withOutputs(cfg.Inputs, w.Transforms); err != nil {
		return err
	}
	d, err := a.readDataset(ctx, flags.dataset, flags.network, task)
	if err != nil {
		return err
	}
	bars := a.newProgress()
	defer bars.wait()
	at, end := bars.step("train " + task.Name)
	defer end()
	cfg.Progress = func(p train.Progress) { at(int64(p.Done), int64(p.Total)) }
	return do(w, d, task, cfg)
}

// trainError gives a training that lacked data its exit code and, for a
// program, its verdict.
func (a *app) trainError(err error, asJSON bool) error {
	var oneClass *train.OneClassError
	var refused *quality.RefusedError
	if !errors.As(err, &oneClass) && !errors.As(err, &refused) {
		return err
	}
	if asJSON {
		result := map[string]string{"verdict": string(gate.InsufficientData), "reason": err.Error()}
		err = errors.Join(err, a.printJSON(result))
	}
	return &exitError{exitUndecidable, err}
}

func (a *app) printTrained(t retrain.Trained) {
	r := t.Metrics
	a.printf("trained %s %s\n  digest   %s\n  dataset  %s\n", t.Model, t.Version, t.Digest, t.Dataset)
	for _, name := range slices.Sorted(maps.Keys(t.Transforms)) {
		a.printf("  with     %s, digest %s\n", name, t.Transforms[name])
	}
	for _, x := range t.Quality.Excluded {
		a.printf("  without  %s: %s\n", x.What, x.Why)
	}
	a.printf("  rows     %d train, %d validation, %d test (%d positives)\n\n", r.Train.Samples, r.Validation.Samples, r.Test.Samples, r.Test.Positives)
	a.printf("  %-14s %8s %8s %8s %8s %8s\n", "on the test", "F1", "PR-AUC", "ROC-AUC", "Brier", "ECE")
	for _, row := range []struct {
		name string
		s    metrics.Scores
	}{
		{"model", r.Scores},
		{"persistence", r.Baselines.Persistence},
		{"climatology", r.Baselines.Climatology},
		{"always short", r.Baselines.AlwaysShort},
		{"eight inputs", r.Classic},
		{"model, onset", r.Onset},
		{"clim., onset", r.OnsetBaselines.Climatology},
	} {
		s := row.s
		a.printf("  %-14s %8s %8s %8s %8s %8s\n", row.name, decimals(s.F1), decimals(s.PRAUC), decimals(s.ROCAUC), decimals(s.Brier), decimals(s.ECE))
	}
}

// decimals gives a score four of them, and a dash where it is undefined.
func decimals(x metrics.Score) string {
	if math.IsNaN(float64(x)) {
		return "–"
	}
	return strconv.FormatFloat(float64(x), 'f', 4, 64)
}
