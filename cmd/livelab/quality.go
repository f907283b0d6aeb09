package main

import (
	"os"

	"github.com/spf13/cobra"

	"livelab/pipeline/quality"
)

func readQuality(path string) (quality.Rules, error) {
	if path == "" {
		return quality.DefaultRules(), nil
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return quality.Rules{}, usageError("read the rules of data quality: %w", err)
	}
	rules, err := quality.ParseRules(b)
	if err != nil {
		return quality.Rules{}, usageError("%s: %w", path, err)
	}
	return rules, nil
}

func (a *app) qualityCommand() *cobra.Command {
	var task, network, rules, datasetDir string
	var asJSON, printRules bool
	cmd := &cobra.Command{
		Use:   "quality",
		Short: "Look the data over: gaps, frozen feeds, dead stations, what cannot be true",
		Long: `Quality looks over what a training would read, says what is the matter with it
and what training would leave out, and ends with 4 where the data is too bad to
train on. Every training does the same first.`,
		Args: cobra.NoArgs,
		Example: `  livelab quality
  livelab quality --task station-shortage --dataset frozen --json
  livelab quality --print-rules > quality.yaml`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if printRules {
				a.printf("%s", quality.DefaultRulesYAML)
				return nil
			}
			t, err := parseTask(task)
			if err != nil {
				return err
			}
			r, err := readQuality(rules)
			if err != nil {
				return err
			}
			d, err := a.readDataset(cmd.Context(), datasetDir, network, t)
			if err != nil {
				return err
			}
			report, _ := quality.Inspect(d.For(t), t, r)
			if asJSON {
				err = a.printJSON(report)
			} else {
				a.printf("%s", report.Text())
			}
			if err == nil && report.Err() != nil {
				err = &exitError{exitUndecidable, report.Err()}
			}
			return err
		},
	}
	f := cmd.Flags()
	f.StringVar(&task, "task", "network-shortage", "`question` that a training would be for")
	f.StringVar(&network, "network", "", "`network` to look at; not needed where the data holds one only")
	f.StringVar(&datasetDir, "dataset", "", "frozen dataset to look at, a `folder` (default: what the store holds)")
	f.StringVar(&rules, "quality", "", "rules `file`, YAML (default: see --print-rules)")
	f.BoolVar(&asJSON, "json", false, "print JSON")
	f.BoolVar(&printRules, "print-rules", false, "print the default rules and end")
	return cmd
}
