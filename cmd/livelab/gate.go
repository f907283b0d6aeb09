package main

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"livelab/pipeline/gate"
)

func readRules(path string) (gate.Rules, error) {
	if path == "" {
		return gate.DefaultRules(), nil
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return gate.Rules{}, usageError("read the gate's rules: %w", err)
	}
	rules, err := gate.ParseRules(b)
	if err != nil {
		return gate.Rules{}, usageError("%s: %w", path, err)
	}
	return rules, nil
}

func (a *app) gateCommand() *cobra.Command {
	var task, version, rules, datasetDir string
	var asJSON, printRules bool
	cmd := &cobra.Command{
		Use:   "gate",
		Short: "Judge a version by the rules; exit 0 pass, 3 refused, 4 undecided",
		Long: `Gate judges a trained version on its test rows, beside the baselines and the
champion on the same rows, and keeps the verdict with the version (gate.json,
gate.md). Without --version it judges the one trained last.`,
		Args: cobra.NoArgs,
		Example: `  livelab gate
  livelab gate --print-rules > rules.yaml
  livelab gate --rules rules.yaml --json`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if printRules {
				a.printf("%s", gate.DefaultRulesYAML)
				return nil
			}
			w, d, err := a.wayOver(task, rules, datasetDir)
			if err != nil {
				return err
			}
			v, err := w.Gate(cmd.Context(), task, version, d)
			if err != nil {
				return err
			}
			if err := a.printVerdict(v, asJSON); err != nil {
				return err
			}
			return verdictError(v)
		},
	}
	a.addHostFlags(cmd)
	f := cmd.Flags()
	f.StringVar(&task, "task", "network-shortage", "`question` that the model answers")
	f.StringVar(&version, "version", "", "`version` to judge (default: the one trained last)")
	f.StringVar(&rules, "rules", "", "rules `file`, YAML (default: see --print-rules)")
	f.StringVar(&datasetDir, "dataset", "", "the version's dataset, a `folder` (default: the one frozen beside it)")
	f.BoolVar(&asJSON, "json", false, "print gate.json")
	f.BoolVar(&printRules, "print-rules", false, "print the default rules and end")
	return cmd
}

func (a *app) printVerdict(v gate.Verdict, asJSON bool) error {
	out := v.Markdown()
	if asJSON {
		var err error
		if out, err = v.JSON(); err != nil {
			return err
		}
	}
	a.printf("%s", out)
	return nil
}

// verdictError gives a verdict that is not a pass its exit code.
func verdictError(v gate.Verdict) error {
	switch v.Result {
	case gate.Pass:
		return nil
	case gate.Fail:
		return &exitError{exitRefused, verdictSaid(v)}
	default:
		return &exitError{exitUndecidable, verdictSaid(v)}
	}
}

func verdictSaid(v gate.Verdict) error {
	return fmt.Errorf("gate: %s: %s", v.Result, v.Conclusion)
}
