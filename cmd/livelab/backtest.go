package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"livelab/pipeline/dataset"
	"livelab/pipeline/features"
	"livelab/pipeline/metrics"
	"livelab/pipeline/retrain"
	"livelab/pipeline/train"
)

func (a *app) backtestCommand() *cobra.Command {
	var flags trainFlags
	var folds int
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "backtest",
		Short: "Measure how trainings at earlier times would have done, fold by fold",
		Long: `Backtest cuts the rows into equal stretches of time. Each but the first is
forecast by a model that was trained on what lies before it, as train does it;
trees are made short: they are fitted to some 200,000 of the rows at most, and
not again on the newest. Intervals are those of 95 % over resampled days. Nothing
is kept.`,
		Args: cobra.NoArgs,
		Example: `  livelab backtest
  livelab backtest --task station-shortage --dataset frozen --json`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if folds < 1 || folds > 100 {
				return usageError("--folds is %d, must be 1 to 100", folds)
			}
			var b retrain.Backtested
			err := a.training(cmd.Context(), flags, func(w *retrain.Way, d *dataset.Dataset, task features.Task, cfg train.Config) (err error) {
				cfg.Folds = folds
				b, err = w.Backtest(cmd.Context(), d, task, cfg)
				return err
			})
			switch {
			case err != nil:
				return a.trainError(err, asJSON)
			case asJSON:
				return a.printJSON(b)
			}
			a.printf("%s", backtestTable(b))
			return nil
		},
	}
	flags.add(cmd)
	a.addHostFlags(cmd)
	cmd.Flags().IntVar(&folds, "folds", 5, "number of stretches that are forecast")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func backtestTable(b retrain.Backtested) string {
	var s strings.Builder
	fmt.Fprintf(&s, "backtest of %s on dataset %.12s\n\n", b.Model, b.Dataset)
	fmt.Fprintf(&s, "%-4s %-21s %8s %9s  %-24s %-24s %-24s %-24s\n", "fold", "days", "rows", "trained", "F1", "PR-AUC", "Brier", "Brier over persistence's")
	for i, f := range b.Folds {
		fmt.Fprintf(&s, "%-4d %.10s–%.10s %8d %9d  ", i+1, f.From, f.To, f.Samples, f.TrainSamples)
		if f.Intervals == nil {
			fmt.Fprintf(&s, "skipped: %s\n", f.Skipped)
			continue
		}
		m, over := f.Intervals.Model, f.Intervals.OverPersistence
		fmt.Fprintf(&s, "%-24s %-24s %-24s %-24s\n", within95(f.Scores.F1, m.F1), within95(f.Scores.PRAUC, m.PRAUC),
			within95(f.Scores.Brier, m.Brier), within95(f.Scores.Brier-f.Persistence.Brier, over.Brier))
	}
	return s.String()
}

// within95 is a score with its interval.
func within95(score metrics.Score, i metrics.Interval) string {
	return fmt.Sprintf("%.4f (%.4f–%.4f)", score, i.Low, i.High)
}
