package main

import (
	"github.com/spf13/cobra"

	"livelab/pipeline/dataset"
	"livelab/pipeline/features"
	"livelab/pipeline/retrain"
	"livelab/pipeline/train"
)

func (a *app) retrainCommand() *cobra.Command {
	var flags trainFlags
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "retrain",
		Short: "Train, judge and, where the gate lets it pass, publish",
		Long: `Retrain takes the way from the data to a published version in one go. A version
that the gate does not let pass is kept and not published; the champion stays.`,
		Args:    cobra.NoArgs,
		Example: "  livelab retrain --json",
		RunE: func(cmd *cobra.Command, _ []string) error {
			var o retrain.Outcome
			err := a.training(cmd.Context(), flags, func(w *retrain.Way, d *dataset.Dataset, task features.Task, cfg train.Config) (err error) {
				o, err = w.Run(cmd.Context(), d, task, cfg, "livelab retrain")
				return err
			})
			if err != nil {
				return a.trainError(err, asJSON)
			}
			if err := a.printOutcome(o, asJSON); err != nil {
				return err
			}
			return verdictError(o.Verdict)
		},
	}
	flags.add(cmd)
	a.addHostFlags(cmd)
	cmd.Flags().StringVar(&flags.rules, "rules", "", "the gate's rules `file`, YAML")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func (a *app) printOutcome(o retrain.Outcome, asJSON bool) error {
	if asJSON {
		result := map[string]any{
			"model": o.Trained.Model, "version": o.Trained.Version, "digest": o.Trained.Digest,
			"metrics": o.Trained.Metrics, "verdict": o.Verdict.Result, "reason": o.Verdict.Conclusion, "published": o.Published,
		}
		if f := o.Trained.Failures; len(f) > 0 {
			result["transform_failures"] = f
		}
		return a.printJSON(result)
	}
	a.printTrained(o.Trained)
	a.printf("\n%s", o.Verdict.Markdown())
	return nil
}
